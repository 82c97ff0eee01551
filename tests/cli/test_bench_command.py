"""`dcode bench`: a table or JSON on stdout, drawn by the seed, of functions of the standard library."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import dcode.syntax
from dcode.bench import library, repairloop
from dcode.evaluate import files
from tests.cli.scripted import Run, Script


@pytest.fixture
def _small_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """A room of dcode in place of the standard library, whose n-grams take seconds to count, and few faults at once."""
    folder = Path(next(iter(dcode.syntax.__path__)))
    monkeypatch.setattr(library, "standard_library", lambda: folder)
    monkeypatch.setattr(repairloop, "WRONG", (1,))


@pytest.mark.usefixtures("_small_library")
@pytest.mark.parametrize(("name", "figures"), [("faultloc", 12), ("repairloop", 6), ("partialcanvas", 30)])
def test_a_bench_prints_its_figures_as_json(run: Run, name: str, figures: int) -> None:
    seen = run("bench", name, "--rows", "1", "-q", "--json")
    assert (seen.code, seen.err) == (0, "")
    document = json.loads(seen.out)
    assert document["bench"] == name and document["seed"] == 0 and "compile" in document["checkers"]
    assert len(document["figures"]) == figures


@pytest.mark.usefixtures("_small_library")
def test_a_bench_prints_a_table(run: Run) -> None:
    seen = run("bench", "partialcanvas", "--rows", "1", "-q")
    assert (seen.code, seen.err, len(seen.out.decode().splitlines())) == (0, "", 31)


@pytest.mark.usefixtures("_small_library")
def test_a_seed_draws_other_functions(run: Run) -> None:
    seen = [run("bench", "partialcanvas", "--rows", "3", "-q", "--json", "--seed", seed).out for seed in "010"]
    one, other, again = (json.loads(out)["figures"] for out in seen)
    assert one == again != other


@pytest.mark.usefixtures("_small_library")
def test_more_functions_than_the_library_has(run: Run) -> None:
    seen = run("bench", "partialcanvas", "--rows", "1000000", "-q")
    assert seen.code == 4 and "1000000 functions were wanted" in seen.err


ANSWERS = """#!{python}
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    said = {{"error": "no such act"}} if asked["act"] == "{fails}" else {{"seconds": 0.5, "peak_mb": 640.0}}
    print(json.dumps(said), flush=True)
"""


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], tuple[str, ...]]:
    """A node that always takes half a second, in place of llama.cpp, and the options that name it."""

    def made(fails: str = "") -> tuple[str, ...]:
        (tmp_path / "bin").mkdir()
        for name in ("node", "npm"):
            program = tmp_path / "bin" / name
            program.write_text(ANSWERS.format(python=sys.executable, fails=fails), encoding="utf-8")
            program.chmod(0o755)
        (tmp_path / "llama/node_modules/node-llama-cpp").mkdir(parents=True)
        (tmp_path / "w.gguf").write_bytes(b"GGUF")
        monkeypatch.setattr("dcode.bench.llama.infill", Script([("pass", "verified")]).infill)
        monkeypatch.setattr(files, "cold", lambda arguments: files.Ran(0, "", "", 1.0, 300.0))
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
        return ("--gguf", str(tmp_path / "w.gguf"), "--llama", str(tmp_path / "llama"), "--runs", "1")

    return made


def test_both_sides_are_timed_in_turns(run: Run, tiny: Path, node: Callable[[str], tuple[str, ...]]) -> None:
    line = ("bench", "speed", "-m", str(tiny), "-q", *node(""))
    seen = run(*line, "--json")
    assert seen.code == 0, seen.err
    value = json.loads(seen.out)
    assert [one["name"] for one in value["figures"]] == ["hole of 1 line, s", "hole of 21 lines, s"]
    hole = value["figures"][0]
    assert hole["llama"] == {"1": 0.5, "2": 0.5} and hole["faster"] == pytest.approx(0.5 / min(hole["dcode"].values()))
    assert value["peak_mb"] == {"dcode gen": 300, "llama.cpp": 640} and len(value["load"]) == 2
    rows = run(*line).out.decode().splitlines()
    assert rows[0].split() == ["dcode", "1", "dcode", "2", "llama.cpp", "1", "llama.cpp", "2", "faster"]
    assert rows[3].startswith("memory: ") and len(rows) == 5


def test_what_llama_cannot_do_is_one_line(run: Run, tiny: Path, node: Callable[[str], tuple[str, ...]]) -> None:
    options = node("hole")
    seen = run("bench", "speed", "-m", str(tiny), "-q", *options)
    assert (seen.code, seen.err.count("\n"), "llama.cpp failed: no such act" in seen.err) == (5, 1, True)
    Path(options[1]).unlink()
    assert run("bench", "speed", "-m", str(tiny), "-q", *options).code == 4
