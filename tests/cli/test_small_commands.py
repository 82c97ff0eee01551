"""undo, log, models, langs, config and doctor."""

import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest
from scripted import Run, Script

from dcode.settings import user_file
from dcode.syntax.grammar import languages
from dcode.syntax.parse import language

Typed = Callable[[str], None]


@pytest.fixture
def written(run: Run, script: Script, tmp_path: Path) -> Path:
    """A file in a repository that dcode wrote twice."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    path = tmp_path / "a.py"
    path.write_bytes(b"x = 1\r\n")
    for text in ("x = 2", "x = 3"):
        script.answers = [(text, "verified")]
        assert run("infill", "a.py", "--lines", "1", "-w", "-q").code == 0
    return path


def test_undo_takes_back_the_newest_first_and_then_the_one_before(run: Run, written: Path) -> None:
    assert written.read_bytes() == b"x = 3\r\n"
    seen = run("undo")
    assert (seen.code, seen.out, seen.err) == (0, b"", "dcode: restored a.py as before entry 2\n")
    assert written.read_bytes() == b"x = 2\r\n"
    assert run("undo", "-q").err == ""
    assert written.read_bytes() == b"x = 1\r\n"
    assert run("undo").code == 4


def test_undo_refuses_what_moved_on(run: Run, written: Path) -> None:
    written.write_bytes(b"mine\n")
    seen = run("undo")
    assert (seen.code, written.read_bytes()) == (4, b"mine\n")
    assert run("undo", "77").code == 4


def test_undo_of_a_new_file_removes_it(run: Run, script: Script, tmp_path: Path) -> None:
    script.answers = [("x = 1\n", "verified")]
    run("gen", "one", "-o", "new.py")
    assert run("undo").err == "dcode: removed new.py as before entry 1\n"
    assert not (tmp_path / "new.py").exists()


@pytest.mark.parametrize(("answer", "after"), [("y\n", b"x = 2\r\n"), ("n\n", b"x = 3\r\n"), ("", b"x = 3\r\n")])
def test_undo_asks_on_a_terminal(
    run: Run, written: Path, monkeypatch: pytest.MonkeyPatch, answer: str, after: bytes
) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stdin, "readline", lambda: answer, raising=False)
    assert run("undo").code == 0
    assert written.read_bytes() == after


def test_log_lists_what_was_done_newest_first(run: Run, written: Path) -> None:
    run("undo")
    rows = run("log").out.decode().splitlines()
    assert [row.split()[0] for row in rows] == ["3", "2", "1"]
    assert rows[1].endswith("a.py  undone")
    assert len(run("log", "-n", "1").out.splitlines()) == 1


def test_an_empty_log_is_no_error(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    seen = run("log")
    assert (seen.code, seen.out, seen.err) == (0, b"", "dcode: no writes yet\n")


def test_models_are_listed_with_the_default_starred(run: Run) -> None:
    first, *others = (row.split() for row in run("models", "list").out.decode().splitlines())
    assert first[:3] == ["mini*", "dcode", "MIT"]
    assert not any(row[0].endswith("*") for row in others)
    rows = dict(row.split(maxsplit=1) for row in run("models", "show").out.decode().splitlines())
    assert (rows["name"], rows["licence"]) == ("mini", "MIT")


def test_every_language_is_listed(run: Run) -> None:
    rows = run("langs").out.decode().splitlines()
    assert tuple(row.split()[0] for row in rows) == languages()
    assert ".py " in next(row for row in rows if row.startswith("python"))


def test_config_show_says_who_set_what(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DCODE_TIME_BUDGET", "900")
    (tmp_path / "c.toml").write_text("feedback = false\n", encoding="utf-8")
    rows = dict(row.split(maxsplit=1) for row in run("config", "show", "--config", "c.toml").out.decode().splitlines())
    assert rows["time-budget"].split() == ["900", "environment"]
    assert rows["feedback"].split() == ["false", "c.toml"]
    assert rows["steps"].split() == ["-", "default"]


def test_config_path_is_one_path(run: Run) -> None:
    assert run("config", "path").out.decode() == f"{user_file()}\n"


def test_doctor_finds_a_whole_model(run: Run, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    seen = run("doctor", "-m", str(tiny))
    assert seen.code == 0
    rows = dict(row.split("  ", 1) for row in seen.out.decode().splitlines())
    assert "verified, sha256" in rows["weights"]
    assert "ABI" in rows["grammar python"]
    assert "bfloat16" in rows["cpu"]


def test_doctor_finds_a_damaged_one(run: Run, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    seen = run("doctor", "-m", "empty")
    assert seen.code == 5
    assert b"UNFIT" in seen.out
    assert seen.err.startswith("dcode: ") and "empty lacks config.json" in seen.err


@pytest.mark.parametrize("is_model_whole", [True, False])
def test_doctor_finds_a_broken_grammar_and_ends_with_the_worst_finding(
    run: Run, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_model_whole: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    monkeypatch.setitem(sys.modules, "tree_sitter_json", None)  # importing it fails
    language.cache_clear()
    seen = run("doctor", "-m", str(tiny) if is_model_whole else "empty")
    rows = dict(row.split("  ", 1) for row in seen.out.decode().splitlines())
    assert "UNFIT, " in rows["grammar json"] and "UNFIT" not in rows["grammar python"]
    assert ("UNFIT" in rows["model"]) != is_model_whole
    assert seen.code == (2 if is_model_whole else 5)
    assert seen.err.count("\n") == 1 and ("grammar json" if is_model_whole else "config.json") in seen.err


def test_doctor_finds_a_grammar_that_is_not_there(
    run: Run, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(name: str) -> str:
        if name == "tree-sitter-go":
            raise metadata.PackageNotFoundError(name)
        return "1"

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("dcode.syntax.check.version", version)
    seen = run("doctor", "-m", str(tiny))
    assert seen.code == 2 and b"tree-sitter-go" in seen.out and b"verified, sha256" in seen.out
    assert "grammar go" in seen.err


def test_doctor_times_a_program(run: Run, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DCODE_FEEDBACK", "false")  # mending what random weights write takes long
    monkeypatch.setenv("DCODE_STEPS", "2")
    out = run("doctor", "--speed", "-m", str(tiny), "--threads", "1").out.decode()
    assert " s from the shell" in out
    assert out.count("128 slots") == 2
