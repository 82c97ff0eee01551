"""What is found out about files before any work is done, and what is never shown of the work."""

import json
import subprocess
from pathlib import Path

import pytest
from scripted import Run, Script

from dcode.cli import places

TEXT = b"x = 1\n"
SECRET = 'x = "AKIA' + "Z7" * 8 + '"'


@pytest.fixture
def file(script: Script, tmp_path: Path) -> Path:
    script.answers = [("x = 2", "verified")]
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / "a.py").write_bytes(TEXT)
    return tmp_path / "a.py"


@pytest.mark.parametrize("line", ["infill a.py --lines 1 -w", "infill a.py --lines 1 -o b.py", "gen x -o b.py"])
def test_where_nothing_can_be_journaled_no_work_begins(run: Run, script: Script, file: Path, line: str) -> None:
    (file.parent / ".git/dcode").write_bytes(b"")
    seen = run(*line.split())
    assert (seen.code, seen.out) == (4, b"")
    assert "cannot keep an undo copy" in seen.err and seen.err.count("\n") == 1
    assert script.asked == {} and file.read_bytes() == TEXT and not (file.parent / "b.py").exists()


@pytest.mark.parametrize("line", ["infill a.py --lines 1", "infill a.py --lines 1 -w", "gen x", "gen x -o b.py"])
def test_an_answer_that_looks_like_a_secret_is_not_shown(run: Run, script: Script, file: Path, line: str) -> None:
    script.answers = [(SECRET, "verified")]
    seen = run(*line.split())
    assert (seen.code, seen.out) == (3, b"")
    assert "looks like a secret" in seen.err and "AKIA" not in seen.err
    assert file.read_bytes() == TEXT and not (file.parent / "b.py").exists()


def test_nor_is_it_told_to_a_program(run: Run, script: Script, file: Path) -> None:
    script.answers = [("x = 3", "verified"), (SECRET, "verified")]
    seen = run("infill", "a.py", "--lines", "1", "-n", "2", "--json")
    assert seen.code == 0 and b"AKIA" not in seen.out
    (refused,) = json.loads(seen.out)["files"][0]["alternatives"]
    assert (refused["edits"], refused["diff"], refused["sha256_after"]) == ([], "", None)


def test_another_answer_takes_its_place(run: Run, script: Script, file: Path) -> None:
    script.answers = [(SECRET, "verified"), ("x = 3", "verified")]
    seen = run("infill", "a.py", "--lines", "1", "-n", "2", "--stdout")
    assert (seen.code, seen.out) == (0, b"x = 3\n")


def test_a_secret_that_stood_there_stops_nothing(run: Run, script: Script, file: Path) -> None:
    file.write_bytes(TEXT + SECRET.encode() + b"\n")
    assert run("infill", "a.py", "--lines", "1", "-w").code == 0


@pytest.mark.parametrize(
    ("named", "meant"),
    [
        ("a.py", "a.py"),
        ("./sub/../a.py", "a.py"),
        ("gone/../a.py", "a.py"),
        ("link/a.py", "link/a.py"),
        ("link/../a.py", "far/a.py"),
        ("link/../link.py", "far/link.py"),
        ("link.py", "link.py"),
    ],
)
def test_a_path_is_named_without_dots_and_never_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str, meant: str
) -> None:
    """`link` leads into another folder: what is behind its `..` is not what lies beside it."""
    (tmp_path / "far/deep").mkdir(parents=True)
    (tmp_path / "sub").mkdir()
    (tmp_path / "link").symlink_to("far/deep")
    (tmp_path / "link.py").symlink_to("a.py")
    for name in ("a.py", "far/a.py", "far/link.py"):
        (tmp_path / name).write_bytes(TEXT)
    monkeypatch.chdir(tmp_path)
    assert places.absolute(Path(named)) == tmp_path / meant
    assert places.diff_name(Path(named)) == meant


def test_a_write_in_a_subfolder_is_taken_back_from_the_root(run: Run, file: Path) -> None:
    (file.parent / "sub").mkdir()
    file.rename(file.parent / "sub/a.py")
    assert "(dcode undo 1 takes it back)" in run("infill", "sub/a.py", "--lines", "1", "-w").err
    assert run("undo").code == 0
    assert (file.parent / "sub/a.py").read_bytes() == TEXT
