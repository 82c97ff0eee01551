"""`dcode bench`: a table or JSON on stdout, drawn by the seed, of functions of the standard library."""

import json
from pathlib import Path

import pytest

import dcode.syntax
from dcode.bench import library, repairloop
from tests.cli.scripted import Run


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
