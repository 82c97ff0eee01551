import errno
import json
import os
import stat
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from dcode.errors import InputError
from dcode.repo import atomic, entry, journal
from dcode.repo.journal import Journal

A, B, C = b"a\r\n\xff\x00", b"b\n\xe9", b""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file in a repository."""
    folder = tmp_path / "repo"
    subprocess.run(["git", "init", "-q", folder], check=True)
    (folder / "sub").mkdir()
    path = folder / "sub/a.py"
    path.write_bytes(A)
    return path


@pytest.fixture
def ours(path: Path) -> Journal:
    return Journal.locate(path)


def test_a_write_is_journaled_in_the_repository(path: Path) -> None:
    assert journal.write(path, A, B, "dcode fix a.py") == "1"
    assert path.read_bytes() == B
    folder = path.parents[1] / ".git/dcode/undo"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for file in folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    header, _, before = (folder / "1.entry").read_bytes().partition(b"\n")
    assert before == A
    noted = json.loads(header)
    assert time.time() - 60 < noted.pop("time") <= time.time()
    assert noted == {
        "id": "1",
        "path": str(path),
        "before": sha256(A).hexdigest(),
        "after": sha256(B).hexdigest(),
        "command": "dcode fix a.py",
        "undoes": None,
        "size_bytes": len(A),
    }


def test_outside_a_repository_the_state_folder_has_it(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(A)
    journal.write(path, A, B, "x")
    assert Journal.locate(tmp_path).folder == Path(os.environ["XDG_STATE_HOME"]) / "dcode/undo"
    assert Journal.locate(tmp_path / "not/yet").entries()[0].path == str(path)
    Journal.locate(tmp_path).undo()
    assert path.read_bytes() == A


def test_every_folder_of_a_repository_has_the_same_journal(path: Path, ours: Journal) -> None:
    (path.parents[1] / "link").symlink_to("sub")
    for folder in (path.parents[1], path.parent, path.parents[1] / "link", path.parent / "not/yet"):
        assert Journal.locate(folder) == ours
    journal.write(path, A, B, "x")
    Journal.locate(path.parents[1]).undo()
    assert path.read_bytes() == A


def test_what_could_not_be_recorded_is_known_beforehand(path: Path, ours: Journal) -> None:
    ours.check()
    assert ours.entries() == []
    ours.folder.rmdir()
    ours.folder.write_bytes(b"")
    with pytest.raises(InputError, match="is not a folder; nothing was written"):
        ours.check()


def test_undo_goes_back_step_by_step(path: Path, ours: Journal) -> None:
    journal.write(path, A, B, "first")
    journal.write(path, B, C, "second")
    assert [noted.command for noted in ours.entries()] == ["second", "first"]
    assert ours.undo().command == "second"
    assert path.read_bytes() == B and ours.undone() == {"2"}
    assert ours.undo().command == "first"
    assert path.read_bytes() == A and ours.undone() == {"1", "2"}
    with pytest.raises(InputError, match="nothing to undo"):
        ours.undo()
    assert [noted.undoes for noted in ours.entries()] == ["1", "2", None, None]


def test_undo_by_id(path: Path, ours: Journal) -> None:
    other = path.with_name("b.py")
    first = journal.write(path, A, B, "first")
    journal.write(other, None, C, "second")
    ours.undo(first)
    assert path.read_bytes() == A and other.exists()
    with pytest.raises(InputError, match="entry 1 is undone already"):
        ours.undo(first)
    with pytest.raises(InputError, match="there is no entry 99"):
        ours.undo("99")


def test_an_undo_can_be_undone(path: Path, ours: Journal) -> None:
    journal.write(path, A, B, "first")
    ours.undo()
    ours.undo("2")
    assert path.read_bytes() == B and ours.undone() == {"2"}
    ours.undo()
    assert path.read_bytes() == A


def test_undo_of_a_new_file_removes_it(path: Path, ours: Journal) -> None:
    made = path.with_name("new.py")
    journal.write(made, None, B, "gen")
    assert made.read_bytes() == B
    ours.undo()
    assert not made.exists()
    ours.undo("2")
    assert made.read_bytes() == B


def test_undo_refuses_a_file_that_moved_on(path: Path, ours: Journal) -> None:
    journal.write(path, A, B, "first")
    path.write_bytes(B + b"mine")
    with pytest.raises(InputError, match=r"a\.py changed since entry 1"):
        ours.undo()
    assert path.read_bytes() == B + b"mine"
    path.unlink()
    with pytest.raises(InputError, match="changed since entry 1"):
        ours.undo()


def test_undo_of_an_older_write_is_refused_while_a_newer_stands(path: Path, ours: Journal) -> None:
    journal.write(path, A, B, "first")
    journal.write(path, B, C, "second")
    with pytest.raises(InputError, match="changed since entry 1"):
        ours.undo("1")


def test_what_cannot_be_written_is_not_journaled(path: Path, ours: Journal) -> None:
    (path.parent / "twin").hardlink_to(path)
    with pytest.raises(InputError, match="hard links"):
        journal.write(path, A, B, "x")
    with pytest.raises(InputError, match="already exists"):
        journal.write(path, None, B, "x")
    with pytest.raises(InputError, match="there is no folder"):
        journal.write(path.parent / "no/file", None, B, "x")
    with pytest.raises(InputError, match="changed meanwhile"):
        (path.parent / "twin").unlink()
        journal.write(path, B, C, "x")
    assert not list(ours.folder.glob("*")) and path.read_bytes() == A


def test_what_cannot_be_journaled_is_not_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = path.parents[1] / ".git/dcode"
    blocked.write_bytes(b"")
    with pytest.raises(InputError, match=r"cannot keep an undo copy in .*undo: .*; nothing was written"):
        journal.write(path, A, B, "x")
    blocked.unlink()

    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(InputError, match="No space left on device; nothing was written"):
        journal.write(path, A, B, "x")
    assert path.read_bytes() == A
    assert not list(Journal.locate(path).folder.iterdir())


@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_journal_that_is_no_folder_is_refused(path: Path, ours: Journal, kind: str) -> None:
    ours.folder.parent.mkdir()
    ours.folder.symlink_to(path.parent) if kind == "link" else ours.folder.write_bytes(b"")
    with pytest.raises(InputError, match="is not a folder; nothing was written"):
        journal.write(path, A, B, "x")
    assert path.read_bytes() == A


def test_a_journal_open_to_others_is_closed(path: Path, ours: Journal) -> None:
    ours.folder.mkdir(parents=True)
    ours.folder.chmod(0o755)
    journal.write(path, A, B, "x")
    assert stat.S_IMODE(ours.folder.stat().st_mode) == 0o700


def test_a_write_that_fails_leaves_no_entry(path: Path, ours: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(atomic, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        journal.write(path, A, B, "x")
    assert not list(ours.folder.iterdir()) and path.read_bytes() == A


def test_a_write_interrupted_when_it_had_happened_can_be_undone(
    path: Path, ours: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*args: Any, **named: Any) -> None:
        in_time(*args, **named)
        raise KeyboardInterrupt

    in_time = atomic.replace
    with monkeypatch.context() as patch:
        patch.setattr(atomic, "replace", late)
        with pytest.raises(KeyboardInterrupt):
            journal.write(path, A, B, "x")
    assert path.read_bytes() == B
    ours.undo()
    assert path.read_bytes() == A


def test_an_announced_write_that_never_came_is_not_there(path: Path, ours: Journal) -> None:
    journal.write(path, A, B, "first")
    ours.record(path, B, C, "killed before it wrote")
    assert [noted.command for noted in ours.entries()] == ["first"]
    assert ours.undo().id == "1"


def test_a_symbolic_link_is_followed_when_writing_and_not_when_undoing(path: Path, ours: Journal) -> None:
    link = path.with_name("link.py")
    link.symlink_to("a.py")
    journal.write(link, A, B, "x")
    assert ours.entries()[0].path == str(path) and path.read_bytes() == B
    path.rename(path.with_name("moved.py"))
    path.symlink_to("moved.py")
    with pytest.raises(InputError, match="not where entry 1 was made"):
        ours.undo()


def test_an_entry_about_another_place_is_refused(path: Path, ours: Journal, tmp_path: Path) -> None:
    """A repository that came as an archive may bring a journal of its own."""
    outside = tmp_path / "profile"
    outside.write_bytes(B)
    journal.write(path, A, B, "x")
    forged = replace(ours.entries()[0], path=str(outside), command="forged")
    entry.mark_done(ours.folder, entry.add(ours.folder, forged, A))
    with pytest.raises(InputError, match="profile is not where entry 2 was made"):
        ours.undo()
    assert outside.read_bytes() == B


def test_old_and_many_entries_are_removed(path: Path) -> None:
    small = Journal(Journal.locate(path).folder, keep_bytes=3000)
    for number in range(9):
        small.record(path, b"%d" % number * 500, A, "x")
    numbers = sorted(int(file.stem) for file in small.folder.glob("*.entry"))
    assert numbers == [*range(numbers[0], 10)] and 3 <= len(numbers) <= 5
    assert sum(file.stat().st_size for file in small.folder.iterdir()) <= 3000
    long_ago = time.time() - journal.KEEP_S - 9
    os.utime(small.folder / "8.entry", (long_ago, long_ago))
    (small.folder / "8.done").touch()
    small.record(path, B, A, "x")
    assert {"8.entry", "8.done"}.isdisjoint(file.name for file in small.folder.iterdir())
    small.record(path, b"x" * 9999, A, "more than may be kept, and yet")
    assert [file.name for file in small.folder.iterdir()] == ["11.entry"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: whole[:20],
        lambda whole: whole[:-1],
        lambda whole: whole + b"x",
        lambda whole: b"[]\n",
        lambda whole: b"[" * 50_000 + b"\n",
        lambda whole: b"\xff\n",
        lambda whole: whole.replace(b'"id": "1"', b'"id": "7"'),
        lambda whole: whole.replace(b'"command": "x"', b'"command": [4]'),
    ],
)
def test_a_damaged_entry_is_no_entry(path: Path, ours: Journal, damage: Any) -> None:
    journal.write(path, A, B, "x")
    file = ours.folder / "1.entry"
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    assert ours.entries() == []
    assert journal.write(path, B, C, "y") == "2"


def test_a_damaged_copy_is_not_restored(path: Path, ours: Journal) -> None:
    journal.write(path, A, B, "x")
    file = ours.folder / "1.entry"
    file.write_bytes(file.read_bytes()[: -len(A)] + b"b" + A[1:])
    with pytest.raises(InputError, match="the undo copy of entry 1 is damaged"):
        ours.undo()
    assert path.read_bytes() == B


def test_names_that_are_not_utf8(path: Path, ours: Journal) -> None:
    odd = path.parent / os.fsdecode(b"\xff\n.py")
    journal.write(odd, None, B, "x")
    assert ours.undo().path == str(odd)
    assert not odd.exists()


def test_entries_made_at_once_have_their_own_numbers(path: Path, ours: Journal) -> None:
    def record(number: int) -> str:
        return ours.record(path, b"%d" % number, A, "x").id

    with ThreadPoolExecutor(6) as pool:
        ids = list(pool.map(record, range(30)))
    assert sorted(map(int, ids)) == list(range(1, 31))
    assert {entry.bytes_before(ours.folder, noted) for noted in entry.load(ours.folder)} == {
        b"%d" % number for number in range(30)
    }
