"""`dcode infill --marker` over several files and folders: who is looked at, and that no file waits for another."""

import json
from pathlib import Path

import pytest
from scripted import Run, Script

MARKED, FILLED = b"# dcode: two\nx = 1\n", b"y = 2\nx = 1\n"


@pytest.fixture
def folder(script: Script, tmp_path: Path) -> Path:
    """Three files with a marker, one of them in a vendored folder, and one without."""
    script.answers = [("y = 2", "verified")]
    for name in ("src", "vendor"):
        (tmp_path / name).mkdir()
    for name in ("src/a.py", "src/b.py", "vendor/c.py"):
        (tmp_path / name).write_bytes(MARKED)
    (tmp_path / "src/plain.py").write_bytes(b"x = 1\n")
    (tmp_path / "src/notes.txt").write_bytes(MARKED)
    return tmp_path


def test_every_marker_of_a_folder_is_filled(run: Run, folder: Path) -> None:
    seen = run("infill", ".", "--marker")
    assert seen.code == 0 and seen.out.count(b"+y = 2\n") == 2 and b"vendor" not in seen.out
    assert run("infill", ".", "--marker", "--check").code == 1
    assert run("infill", ".", "--marker", "-w").code == 0
    assert [(folder / name).read_bytes() for name in ("src/a.py", "src/b.py")] == [FILLED, FILLED]
    assert (folder / "src/plain.py").read_bytes() == b"x = 1\n" and (folder / "vendor/c.py").read_bytes() == MARKED
    seen = run("infill", ".", "--marker", "-w")
    assert seen.code == 0 and "3 files, no marker" in seen.err


def test_what_is_wrong_with_one_file_does_not_keep_the_others_waiting(run: Run, folder: Path) -> None:
    (folder / "src/b.py").chmod(0o444)
    seen = run("infill", "src/a.py", "src/plain.py", "src/b.py", "gone.py", "vendor", "--marker", "-w")
    assert seen.code == 4
    assert "plain.py has no <FILL>" in seen.err and "gone.py" in seen.err and "b.py" in seen.err
    assert (folder / "src/a.py").read_bytes() == FILLED and (folder / "vendor/c.py").read_bytes() == FILLED
    assert (folder / "src/b.py").read_bytes() == MARKED


def test_an_answer_that_does_not_pass_names_its_file(run: Run, folder: Path, script: Script) -> None:
    script.answers = [("y = (", "failed")]
    seen = run("infill", "src/a.py", "src/b.py", "--marker", "-w")
    assert seen.code == 3 and "src/a.py: no candidate passed" in seen.err and "src/b.py: no" in seen.err
    assert (folder / "src/a.py").read_bytes() == MARKED


def test_a_file_that_is_no_text_stops_no_other(run: Run, folder: Path) -> None:
    (folder / "src/b.py").write_bytes(b"\xff\n" + MARKED)
    seen = run("infill", "src", "--marker", "-w")
    assert seen.code == 4 and (folder / "src/a.py").read_bytes() == FILLED


def test_json_has_every_file(run: Run, folder: Path) -> None:
    value = json.loads(run("infill", "src", "--marker", "--json").out)
    assert [file["path"] for file in value["files"]] == ["src/a.py", "src/b.py"]
    assert all(file["accepted"] and not file["written"] for file in value["files"])


def test_hints_that_do_not_fit_are_told_of_each_file_and_nothing_else(run: Run, folder: Path) -> None:
    seen = run("infill", "src/a.py", "src/b.py", "--marker", "--hint", "one", "--hint", "two")
    assert seen.code == 2
    assert seen.err.splitlines() == [
        f"dcode: src/{name}.py: 2 times --hint for 1 holes (give one, or one for each)" for name in "ab"
    ]


def test_a_file_under_two_names_is_filled_once(run: Run, folder: Path) -> None:
    seen = run("infill", "src/a.py", "./src/a.py", "src/../src", "--marker", "-w", "--json")
    assert [(one["path"], one["written"]) for one in json.loads(seen.out)["files"]] == [
        ("src/a.py", True),
        ("src/b.py", True),
    ]
    assert seen.code == 0 and (folder / "src/a.py").read_bytes() == FILLED


def test_a_file_that_changed_meanwhile_is_not_called_written(run: Run, folder: Path) -> None:
    (folder / "link.py").symlink_to("src/a.py")
    seen = run("infill", "src/a.py", "link.py", "--marker", "-w", "--json")
    assert seen.code == 4 and "link.py changed meanwhile" in seen.err
    assert [one["written"] for one in json.loads(seen.out)["files"]] == [True, False]


@pytest.mark.parametrize("line", ["--lines 2", "--marker --at 1:1", "--marker -n 2", "--marker --stdout", "- --marker"])
def test_what_only_one_file_can_have_is_refused(run: Run, folder: Path, line: str) -> None:
    seen = run("infill", "src/a.py", "src/b.py", *line.split())
    assert seen.code == 2 and seen.out == b"" and seen.err.count("\n") == 1
