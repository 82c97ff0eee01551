"""`--trace FILE`: every frame of a run in a new file that its owner alone may read."""

import stat
from pathlib import Path

import pytest
from scripted import FRAME, Run, Script

from dcode.text.record import Trace, head


@pytest.fixture(autouse=True)
def _file(script: Script, tmp_path: Path) -> None:
    script.answers = [("y = 2", "verified")]
    (tmp_path / "a.py").write_bytes(b"y = 1\n")


INFILL = ("infill", "a.py", "--lines", "1", "--trace", "t.jsonl")


@pytest.mark.parametrize("line", [INFILL, ("gen", "two", "--trace", "t.jsonl")])
def test_the_frames_are_kept_and_nothing_else_changes(run: Run, tmp_path: Path, line: tuple[str, ...]) -> None:
    plain, seen = run(*line[:-2]), run(*line)
    assert (seen.code, seen.out) == (plain.code, plain.out) == (0, plain.out)
    kept = tmp_path / "t.jsonl"
    assert Trace.of(kept.read_text("ascii")) == Trace((FRAME,))
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_what_is_there_is_overwritten_only_by_force(run: Run, script: Script, tmp_path: Path) -> None:
    kept = tmp_path / "t.jsonl"
    kept.write_text(head())
    kept.chmod(0o644)
    seen = run(*INFILL)
    assert (seen.code, kept.read_text(), script.asked) == (4, head(), {})
    assert "t.jsonl exists (--force overwrites it)" in seen.err
    assert run(*INFILL, "--force").code == 0
    assert Trace.of(kept.read_text()).frames and stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_what_is_no_trace_is_never_overwritten(run: Run, script: Script, tmp_path: Path) -> None:
    """Least of all the file that is worked on."""
    seen = run("infill", "a.py", "--lines", "1", "-w", "--trace", "a.py", "--force")
    assert (seen.code, script.asked) == (4, {}) and "a.py is no trace" in seen.err
    assert (tmp_path / "a.py").read_bytes() == b"y = 1\n"


def test_it_never_goes_through_a_link(run: Run, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text(head())
    (tmp_path / "t.jsonl").symlink_to(other)
    assert run(*INFILL).code == 4
    assert run(*INFILL, "--force").code == 0
    assert other.read_text() == head() and not (tmp_path / "t.jsonl").is_symlink()


@pytest.mark.parametrize(
    ("name", "code", "why"), [("gone/t", 4, "no folder"), (".", 4, "is a directory"), ("b.py", 2, "the same file")]
)
def test_a_name_that_cannot_be_is_refused_at_once(run: Run, script: Script, name: str, code: int, why: str) -> None:
    seen = run("infill", "a.py", "--lines", "1", "-o", "b.py", "--trace", name)
    assert (seen.code, script.asked) == (code, {}) and why in seen.err
