"""`dcode edit`: which region is meant, what the job is asked, and that a wrong request says so."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scripted import Dcode, Run, Script, result

from dcode.text.result import Result
from dcode.text.source import Source
from dcode.text.span import Span

TEXT = b"def f(x):\n    return x\n\n\nprint(f(2))\n"


@pytest.fixture
def asked(script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A file, and what the job was asked when it answered with the same function, but typed."""
    seen: dict[str, Any] = {}

    def edit(source: Source, span: Span, instruction: str, *rest: Any, **options: Any) -> Iterator[Result]:
        seen.update(span=span, instruction=instruction, **options)
        yield result(source, [span], "def f(x: int) -> int:\n    return x", "verified")

    monkeypatch.setattr("dcode.jobs.edit.edit", edit)
    (tmp_path / "a.py").write_bytes(TEXT)
    return seen


def test_a_node_is_the_whole_definition_and_the_diff_is_printed(run: Run, asked: dict[str, Any]) -> None:
    seen = run("edit", "a.py", "--node", "f", "add type hints")
    assert seen.code == 0 and b"-def f(x):\n+def f(x: int) -> int:\n" in seen.out
    assert TEXT[asked["span"].start : asked["span"].end] == b"def f(x):\n    return x"
    assert (asked["instruction"], asked["strength"]) == ("add type hints", 1.0)


def test_lines_and_strength_reach_the_job_and_w_writes(run: Run, asked: dict[str, Any], tmp_path: Path) -> None:
    assert run("edit", "a.py", "--lines", "1-2", "x", "--strength", "0.25", "-w").code == 0
    assert asked["strength"] == 0.25
    assert (tmp_path / "a.py").read_bytes() == TEXT.replace(b"def f(x):", b"def f(x: int) -> int:")


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["a.py", "x"], 2, "which part"),
        (["a.py", "x", "--lines", "1", "--node", "f"], 2, "which part"),
        (["a.py", "x", "--lines", "1", "--strength", "0"], 2, "--strength 0"),
        (["a.py", "x", "--node", "g"], 4, "no definition called 'g'"),
        (["a.py", "x", "--lines", "9"], 4, "9"),
        (["a.py", "x", "--lines", "1", "-o", "-"], 2, "--stdout"),
        (["a.py", "x", "--lines", "1", "--force"], 2, "--force says nothing without -o"),
        (["a.py", "x", "--lines", "1", "--stdin-filename", "b.py"], 2, "--stdin-filename b.py says nothing without -"),
    ],
)
def test_a_wrong_request_gives_one_line(run: Run, asked: dict[str, Any], args: list[str], code: int, said: str) -> None:
    seen = run("edit", *args)
    assert (seen.code, seen.out) == (code, b"")
    assert said in seen.err and len(seen.err.splitlines()) <= 2
    assert not asked


def test_it_runs_with_a_real_model(dcode: Dcode, tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(TEXT)
    seen = dcode("edit", "a.py", "--lines", "2", "double it", "-m", str(tiny), "--steps", "4", "--strength", "0.5")
    assert seen.returncode in (0, 3), seen.stderr.decode()
    assert (tmp_path / "a.py").read_bytes() == TEXT
