"""`dcode apply`: what it changes, what it refuses, and what a person sees of both."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from scripted import Dcode, Run

from dcode.repo.proposals import Proposal, Proposals
from dcode.resources import data_path
from dcode.text.edit import unified_diff

VALID = Draft202012Validator(json.loads(data_path("schemas/apply.json").read_text("utf-8")))
OLD, NEW = b"def f(x):\r\n    return x +\r\n", b"def f(x):\r\n    return x + 1\r\n"
NOTE = b"caf\xe9\n"

Propose = Callable[..., str]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/a.py").write_bytes(OLD)
    (tmp_path / "b.py").write_bytes(b"x = 1\n")
    (tmp_path / "note.txt").write_bytes(NOTE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def propose(root: Path) -> Propose:
    def add(path: str = "sub/a.py", before: bytes = OLD, after: bytes = NEW) -> str:
        made = Proposal.of(path, before, after, rule="fix", why="does not parse", verdict="verified")
        return Proposals.locate(root).add(made).id

    return add


def contents(root: Path) -> dict[str, bytes]:
    return {name: (root / name).read_bytes() for name in ("sub/a.py", "b.py", "note.txt")}


def read_json(out: bytes) -> dict[str, Any]:
    value = json.loads(out)
    VALID.validate(value)
    assert out.isascii()
    return dict(value)


def test_a_proposal_is_applied_and_taken_back(run: Run, root: Path, propose: Propose) -> None:
    seen = run("apply", propose())
    assert (seen.code, seen.out) == (0, b"")
    assert seen.err == "dcode: wrote sub/a.py (dcode undo 1 takes it back)\n"
    assert (root / "sub/a.py").read_bytes() == NEW
    assert b"apply 1" in run("log").out
    assert run("undo", "1").code == 0
    assert (root / "sub/a.py").read_bytes() == OLD


def test_applied_once_more_there_is_nothing_to_do(run: Run, root: Path, propose: Propose) -> None:
    id = propose()
    run("apply", id)
    seen = run("apply", id)
    assert (seen.code, seen.err) == (0, "dcode: nothing to do\n")
    assert run("apply", "--check", id).code == 0


def test_from_a_folder_below_too(run: Run, root: Path, propose: Propose, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root / "sub")
    assert run("apply", propose()).code == 0
    assert (root / "sub/a.py").read_bytes() == NEW


def test_without_a_name_the_proposals_are_listed(run: Run, root: Path, propose: Propose) -> None:
    assert (run("apply").out, run("apply").err) == (b"", "dcode: no proposals wait\n")
    propose()
    propose("b.py", b"x = 1\n", b"x = 2\n")
    propose("b.py", b"x = 0\n", b"x = 3\n")
    propose("gone.py", b"x = 0\n", b"x = 3\n")
    run("apply", "2")
    assert run("apply").out.decode().splitlines() == [
        "4  gone.py   fix  file gone     does not parse",
        "3  b.py      fix  file changed  does not parse",
        "2  b.py      fix  applied       does not parse",
        "1  sub/a.py  fix  fits          does not parse",
    ]
    value = read_json(run("apply", "--json").out)
    assert [one["id"] for one in value["proposals"]] == ["4", "3", "2", "1"] and value["files"] == []


def test_check_and_diff_write_nothing(run: Run, root: Path, propose: Propose) -> None:
    before, id = contents(root), propose()
    seen = run("apply", "--check", id)
    assert (seen.code, seen.out, seen.err) == (1, b"", "dcode: sub/a.py would change\n")
    seen = run("apply", "--diff", id)
    assert (seen.code, seen.out) == (0, unified_diff(OLD, NEW, "sub/a.py"))
    assert run("apply", "--check", "--diff", id).code == 1
    value = read_json(run("apply", "--check", "--json", id).out)
    assert (value["exit_code"], value["files"][0]["written"], value["files"][0]["undo"]) == (1, False, None)
    assert contents(root) == before


def test_json_says_what_was_written(run: Run, root: Path, propose: Propose) -> None:
    (file,) = read_json(run("apply", "--json", propose()).out)["files"]
    assert (file["path"], file["language"], file["written"], file["undo"]) == ("sub/a.py", "python", True, "1")
    assert file["diff"].encode() == unified_diff(OLD, NEW, "sub/a.py")


def test_a_patch_of_several_files_is_applied_as_a_whole(run: Run, root: Path) -> None:
    patch = unified_diff(OLD, NEW, "sub/a.py") + unified_diff(b"x = 1\n", b"x = 2\n", "b.py")
    (root / "p.patch").write_bytes(patch + unified_diff(NOTE, NOTE + b"\xe9\n", "note.txt"))
    seen = run("apply", "p.patch")
    assert seen.err == (
        "dcode: note.txt is in no language that dcode knows: not checked\n"
        "dcode: wrote sub/a.py, b.py, note.txt (dcode undo 3 2 1 takes them back)\n"
    )
    assert contents(root) == {"sub/a.py": NEW, "b.py": b"x = 2\n", "note.txt": NOTE + b"\xe9\n"}
    assert run("undo", "3", "2", "1").code == 0
    assert contents(root) == {"sub/a.py": OLD, "b.py": b"x = 1\n", "note.txt": NOTE}


def test_proposals_for_one_file_build_on_each_other(run: Run, root: Path, propose: Propose) -> None:
    text = b"".join(b"x%d = %d\n" % (number, number) for number in range(20))
    (root / "b.py").write_bytes(text)
    first = propose("b.py", text, b"# a\n" + text)
    second = propose("b.py", text, text + b"y = 1\n")
    assert run("apply", first, second).code == 0
    assert (root / "b.py").read_bytes() == b"# a\n" + text + b"y = 1\n"


def test_a_patch_from_stdin_in_a_process_of_its_own(dcode: Dcode, tmp_path: Path) -> None:
    (tmp_path / "b.py").write_bytes(b"x = 1\n")
    done = dcode("apply", "-", stdin=unified_diff(b"x = 1\n", b"x = 2\n", "b.py"))
    assert (done.returncode, done.stdout) == (0, b"")
    assert (tmp_path / "b.py").read_bytes() == b"x = 2\n"


@pytest.mark.parametrize(
    ("second", "code", "message"),
    [
        (unified_diff(b"x = 0\n", b"x = 2\n", "b.py"), 4, "does not fit b.py at line 1"),
        (unified_diff(b"x = 1\n", b"x = (\n", "b.py"), 3, "b.py would not parse: line 1"),
        (unified_diff(b"x = 1\n", b"x = '\xe2\x80\xae'\n", "b.py"), 3, "control character"),
        (unified_diff(b"x = 1\n", b"x = '\xff'\n", "b.py"), 4, "b.py is not valid utf-8"),
        (unified_diff(b"x = 1\n", b"# coding: nonsense\nx = 1\n", "b.py"), 4, "unknown encoding"),
        (unified_diff(b"", b"x\n", "new.py"), 4, "'new.py', which is not there"),
        (unified_diff(b"x", b"y", "../b.py"), 4, "not under"),
        (unified_diff(b"x", b"y", ".git/config"), 4, "belongs to git"),
        (unified_diff(b"x", b"y", "link.py"), 4, "symbolic link"),
        (unified_diff(b"x = 1\n", b"x = 2\n", "twin.py"), 4, "hard links"),
        (unified_diff(b"x = 1\n", b"x = 2\n", "locked.py"), 4, "read-only"),
    ],
)
def test_one_file_that_cannot_be_stops_all(run: Run, root: Path, second: bytes, code: int, message: str) -> None:
    (root / "link.py").symlink_to("b.py")
    (root / "locked.py").write_bytes(b"x = 1\n")
    (root / "locked.py").chmod(0o444)
    (root / "once.py").write_bytes(b"x = 1\n")
    (root / "twin.py").hardlink_to(root / "once.py")
    before = contents(root)
    (root / "p.patch").write_bytes(unified_diff(OLD, NEW, "sub/a.py") + second)
    seen = run("apply", "p.patch")
    assert (seen.code, seen.out) == (code, b"")
    assert message in seen.err and seen.err.count("\n") == 1
    assert contents(root) == before


def test_a_fault_that_was_there_stops_nothing(run: Run, root: Path) -> None:
    broken = b"a = 1\n\n\ndef g():\n    return (\n\n\ndef h():\n    return 1\n"
    (root / "b.py").write_bytes(broken)
    (root / "p").write_bytes(unified_diff(broken, broken.replace(b"a = 1", b"a = 2"), "b.py"))
    assert run("apply", "p").code == 0


def test_a_forged_proposal_is_refused(run: Run, root: Path, propose: Propose) -> None:
    id = propose()
    file = Proposals.locate(root).folder / f"{id}.proposal"
    file.write_bytes(file.read_bytes().replace(b"x + 1", b"x + 2"))
    seen = run("apply", id)
    assert (seen.code, "proposal 1 is damaged" in seen.err) == (4, True)
    assert contents(root)["sub/a.py"] == OLD


@pytest.mark.parametrize(("what", "message"), [("7", "there is no proposal 7"), ("no.patch", "no such file: no.patch")])
def test_what_is_not_there(run: Run, root: Path, what: str, message: str) -> None:
    seen = run("apply", what)
    assert (seen.code, message in seen.err) == (4, True)


def test_where_there_is_no_journal_nothing_is_written(run: Run, root: Path, propose: Propose) -> None:
    id = propose()
    (root / ".git/dcode/undo").write_bytes(b"")
    assert run("apply", id).code == 4
    assert contents(root)["sub/a.py"] == OLD and not list(root.rglob(".dcode-*"))
