"""`dcode fix`: which files are looked at, what is shown and written, and that no file waits for another."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scripted import FRAME, Run, Script

import dcode.jobs.fix
from dcode.syntax.check import file_faults
from dcode.text.frame import Frame
from dcode.text.result import Region, Result
from dcode.text.source import Source
from dcode.text.span import Span

BROKEN, WHOLE = b"x = (1\n", b"x = (1)\n"
HOPELESS = b"y = [(\n"


def closing(source: Source, model: object, language: Any, plan: object, **_: object) -> Iterator[Frame | Result]:
    """In place of dcode.jobs.fix.fix: it closes a bracket at the end of the file, or fails."""
    yield FRAME
    before = file_faults(language, source.view)
    end = Span(len(source.view) - 1, len(source.view) - 1)
    after = source.view[:-1] + b")\n"
    if file_faults(language, after):
        yield Result(
            (Region(end, b"", b"", "failed", 0.0),), source.view, before, before, 1, 0, {"total": 0.5}, "rounds"
        )
    else:
        yield Result((Region(end, b"", b")", "verified", 0.9),), after, before, (), 1, 1, {"total": 0.5}, "clean")


@pytest.fixture
def folder(script: Script, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Files that are broken, beyond repair, whole, of others, and of no known language."""
    monkeypatch.setattr(dcode.jobs.fix, "fix", closing)
    for name in ("src", "vendor"):
        (tmp_path / name).mkdir()
    files = {"src/a.py": BROKEN, "src/b.py": BROKEN, "src/c.py": WHOLE, "vendor/d.py": BROKEN, "src/e.txt": BROKEN}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def test_a_diff_is_shown_and_nothing_written(run: Run, folder: Path) -> None:
    seen = run("fix", "src/a.py")
    assert (seen.code, seen.out.count(b"+x = (1)\n"), seen.out.count(b"-x = (1\n")) == (0, 1, 1)
    assert (folder / "src/a.py").read_bytes() == BROKEN


def test_a_folder_is_mended_and_what_is_not_its_own_left_alone(run: Run, folder: Path) -> None:
    assert run("fix", ".", "--check").code == 1
    seen = run("fix", ".", "-w")
    assert seen.code == 0 and seen.err.count("1 change") == 2
    assert [(folder / f"src/{name}.py").read_bytes() for name in "abc"] == [WHOLE] * 3
    assert (folder / "vendor/d.py").read_bytes() == (folder / "src/e.txt").read_bytes() == BROKEN
    seen = run("fix", ".", "-w")
    assert seen.code == 0 and "3 files, nothing to repair" in seen.err


def test_what_cannot_be_repaired_stays_and_stops_no_other(run: Run, folder: Path) -> None:
    (folder / "src/b.py").write_bytes(HOPELESS)
    seen = run("fix", "src", "-w")
    assert seen.code == 3 and "b.py stays as it was: line 1" in seen.err
    assert (folder / "src/a.py").read_bytes() == WHOLE and (folder / "src/b.py").read_bytes() == HOPELESS


def test_bad_files_stop_no_other_and_the_worst_code_counts(run: Run, folder: Path) -> None:
    (folder / "src/b.py").chmod(0o444)
    seen = run("fix", "src/a.py", "src/b.py", "gone.py", "src/e.txt", "-w")
    assert seen.code == 4 and all(name in seen.err for name in ("b.py", "gone.py", "e.txt"))
    assert (folder / "src/a.py").read_bytes() == WHOLE and (folder / "src/b.py").read_bytes() == BROKEN


def test_json_has_every_file_that_was_broken(run: Run, folder: Path) -> None:
    (folder / "src/b.py").write_bytes(HOPELESS)
    seen = run("fix", "src", "--json")
    value = json.loads(seen.out)
    assert [(file["path"], file["accepted"]) for file in value["files"]] == [("src/a.py", True), ("src/b.py", False)]
    assert value["exit_code"] == seen.code == 3 and value["files"][0]["edits"][0]["new"] == ")"


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("-", "src/a.py"), "standard input goes alone"),
        (("src", "--stdout"), "--stdout takes one file"),
        (("src/a.py", "src/b.py", "-o", "x.py"), "--output takes one file"),
        (("src/a.py", "-w", "--check"), "--check"),
        (("src/a.py", "-o", "-"), "--stdout"),
        (("src/a.py", "--force"), "--force says nothing without -o"),
        (("src/a.py", "-w", "--force"), "--force says nothing without -o"),
        (("src/a.py", "--stdin-filename", "x.py"), "--stdin-filename x.py says nothing without -"),
    ],
)
def test_what_cannot_be_asked_of_several(run: Run, folder: Path, arguments: tuple[str, ...], hint: str) -> None:
    seen = run("fix", *arguments)
    assert seen.code == 2 and hint in seen.err and not seen.out


@pytest.fixture
def inner(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder deep in a repository whose project excludes a folder beside it."""
    subprocess.run(["git", "init", "-q", folder], check=True)
    (folder / "pyproject.toml").write_text('[tool.dcode]\nexclude = ["src/gen/*"]\n', encoding="utf-8")
    for name in ("inner", "gen"):
        (folder / "src" / name).mkdir()
    (folder / "src/gen/x.py").write_bytes(BROKEN)
    monkeypatch.chdir(folder / "src/inner")
    return folder / "src/inner"


def test_what_is_excluded_stays_so_seen_from_another_folder(run: Run, inner: Path) -> None:
    seen = run("fix", "../gen", "-w")
    assert (seen.code, seen.err) == (0, "dcode: 0 files, nothing to repair\n")
    seen = run("fix", "..", "-w")
    assert seen.code == 0 and b"gen" not in seen.out
    assert (inner.parent / "gen/x.py").read_bytes() == BROKEN and (inner.parent / "a.py").read_bytes() == WHOLE


@pytest.mark.parametrize("named", ["../a.py", "../inner/../a.py", ".."])
def test_a_diff_has_no_dots_in_its_names_and_is_applied(run: Run, inner: Path, named: str) -> None:
    seen = run("fix", named)
    assert seen.out.startswith(b"diff --git a/src/a.py b/src/a.py\n--- a/src/a.py\n+++ b/src/a.py\n")
    subprocess.run(["git", "apply", "--check", "-"], input=seen.out, cwd=inner.parents[1], check=True)
    (inner / "p.patch").write_bytes(seen.out)
    assert run("apply", "p.patch").code == 0
    assert (inner.parent / "a.py").read_bytes() == WHOLE


@pytest.mark.parametrize(
    "names", ["src/a.py ./src/a.py", "src ./src/a.py", "src/../src/a.py src", "./src src/inner/.."]
)
def test_a_file_under_two_names_is_one(run: Run, folder: Path, names: str) -> None:
    (folder / "src/inner").mkdir()
    seen = run("fix", *names.split(), "-w", "--json")
    files = [file for file in json.loads(seen.out)["files"] if file["path"] == "src/a.py"]
    assert seen.code == 0 and [file["written"] for file in files] == [True]
    assert seen.err.count("a.py: 1 change") == 1 and (folder / "src/a.py").read_bytes() == WHOLE


def test_what_was_not_written_is_not_called_so(run: Run, folder: Path) -> None:
    (folder / "link.py").symlink_to("src/a.py")
    seen = run("fix", "src/a.py", "link.py", "-w", "--json")
    assert seen.code == 4 and "link.py changed meanwhile" in seen.err
    assert [(one["path"], one["written"]) for one in json.loads(seen.out)["files"]] == [
        ("src/a.py", True),
        ("link.py", False),
    ]
    seen = run("fix", "src/a.py", "-w", "--json")
    assert not json.loads(seen.out)["files"][0]["written"]


def test_a_file_without_fault_that_is_written_elsewhere_is_called_written(run: Run, folder: Path) -> None:
    seen = run("fix", "src/c.py", "-o", "out.py", "--json")
    assert seen.code == 0 and (folder / "out.py").read_bytes() == WHOLE
    assert json.loads(seen.out)["files"][0]["written"]


@pytest.mark.parametrize("option", ["--slots 9", "--feedback", "--no-feedback", "--allow-fallback"])
def test_what_means_nothing_to_a_repair_is_refused(run: Run, folder: Path, option: str) -> None:
    seen = run("fix", "src/a.py", *option.split())
    assert (seen.code, seen.out, seen.err.count("\n")) == (2, b"", 1)
    assert seen.err.startswith("dcode: dcode fix has no use for --") and "(see dcode fix --help)" in seen.err
    name = option.split()[0].encode()
    assert name in run("infill", "--help").out and name not in run("fix", "--help").out


def test_settings_of_other_commands_are_not_told_as_those_of_a_repair(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"SLOTS": "9", "FEEDBACK": "no", "ALLOW_FALLBACK": "yes", "STEPS": "5"}.items():
        monkeypatch.setenv(f"DCODE_{name}", value)
    told = json.loads(run("fix", "src/a.py", "--json").out)["parameters"]
    assert (told["slots"], told["feedback"], told["allow_fallback"], told["steps"]) == (None, True, False, 5)


def test_a_whole_file_goes_to_stdout(run: Run, folder: Path) -> None:
    assert run("fix", "src/a.py", "--stdout").out == WHOLE
