"""Several files are changed or none, whatever goes wrong and whenever."""

import errno
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from dcode.errors import InputError
from dcode.repo.journal import Journal
from dcode.repo.several import Change, write_all

NAMES = ("a.py", "b.py", "c.py")
LONG_S = 20.0
"""Taking back is over by then: one more signal cannot come in the middle of it."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    for name in NAMES:
        (tmp_path / name).write_bytes(numbered(0))
    return tmp_path


def numbered(number: int) -> bytes:
    return b"%08d\n" % number * 3000


def changes(root: Path, number: int) -> list[Change]:
    return [Change(root / name, numbered(number), numbered(number + 1)) for name in NAMES]


def numbers(root: Path) -> list[int]:
    """What number each file holds; every line of it says the same."""
    found = []
    for name in NAMES:
        data = (root / name).read_bytes()
        assert data == numbered(int(data[:8])), "neither old nor new"
        found.append(int(data[:8]))
    return found


def test_all_are_written_and_can_be_taken_back(root: Path) -> None:
    ids = write_all(changes(root, 0), "apply 1")
    assert ids == ["1", "2", "3"] and numbers(root) == [1, 1, 1]
    for id in reversed(ids):
        Journal.locate(root).undo(id)
    assert numbers(root) == [0, 0, 0]


def test_one_that_moved_on_stops_all(root: Path) -> None:
    (root / "c.py").write_bytes(numbered(7))
    with pytest.raises(InputError, match=r"c\.py changed meanwhile"):
        write_all(changes(root, 0), "x")
    assert numbers(root) == [0, 0, 7] and not Journal.locate(root).entries()


@pytest.mark.parametrize("call", ["write", "fsync", "replace", "open", "chown"])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), PermissionError(13, "no")])
def test_a_system_that_refuses_at_any_moment_leaves_all_as_they_were(
    root: Path, monkeypatch: pytest.MonkeyPatch, call: str, error: OSError
) -> None:
    """The system call fails the first time, or the second, … and once only, until all goes well."""
    where: Any = Path if call == "replace" else os
    real = getattr(where, call)
    for moment in range(60):
        left = iter([True] * moment)

        fired: list[bool] = []

        def failing(*args: Any, left: Iterator[bool] = left, fired: list[bool] = fired, **named: Any) -> Any:
            if next(left, None) or fired:
                return real(*args, **named)
            fired.append(True)
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(where, call, failing)
            try:
                write_all(changes(root, 0), "x")
                done = True
            except InputError:
                done = False
        assert numbers(root) == ([1, 1, 1] if done else [0, 0, 0])
        assert not list(root.glob(".dcode-*"))
        if not fired:
            assert moment > 2, "the call is never made"
            return
        if done:  # it was a call whose failure does no harm
            for id in ("a.py", "b.py", "c.py"):
                (root / id).write_bytes(numbered(0))
    raise AssertionError("it never went well")


@pytest.mark.parametrize("moment", range(0, 40, 3))
@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_disk_that_is_full_from_some_moment_on_leaves_all_as_they_were(
    root: Path, monkeypatch: pytest.MonkeyPatch, call: str, moment: int
) -> None:
    real, left = getattr(os, call), iter(range(moment))

    def full(*args: Any) -> Any:
        if next(left, None) is None:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*args)

    with monkeypatch.context() as patch, suppress(InputError):
        patch.setattr(os, call, full)
        write_all(changes(root, 0), "x")
    assert numbers(root) in ([0, 0, 0], [1, 1, 1])
    assert not list(root.glob(".dcode-*"))


@pytest.mark.parametrize("moment", range(8))
def test_ctrl_c_at_any_write_takes_all_back(root: Path, monkeypatch: pytest.MonkeyPatch, moment: int) -> None:
    real, left = os.fsync, iter(range(100))

    def interrupted(file: int) -> None:
        real(file)
        if next(left) == moment:
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_all(changes(root, 0), "x")
    assert numbers(root) == [0, 0, 0]


WRITER = """
import signal, sys
from pathlib import Path
from dcode.repo.several import Change, write_all
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
root, names = Path(sys.argv[1]), sys.argv[2:]
number = int((root / names[0]).read_bytes()[:8])
print("begun", flush=True)
while True:
    old, new = (b"%08d\\n" % n * 3000 for n in (number, number + 1))
    write_all([Change(root / name, old, new) for name in names], f"to {number + 1}")
    number += 1
    print(number, flush=True)
"""


def signalled(root: Path, number: int, delay_s: float) -> None:
    """A process writes until it gets the signal; again if the first is lost, as it is inside a `__del__`."""
    command = [sys.executable, "-c", WRITER, root, *NAMES]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as writer:
        assert writer.stdout and writer.stdout.readline() == b"begun\n"
        time.sleep(delay_s)
        for _ in range(3):
            writer.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                writer.communicate(timeout=LONG_S)
                break
        else:
            writer.kill()
    assert writer.returncode == -number


@pytest.mark.parametrize("round", [0, *(pytest.param(number, marks=pytest.mark.slow) for number in range(1, 50))])
def test_ctrl_c_at_any_moment_leaves_all_old_or_all_new(root: Path, round: int) -> None:
    moments = random.Random(round)
    for _ in range(5):
        signalled(root, signal.SIGINT, moments.uniform(0, 0.08))
        assert len(set(numbers(root))) == 1


@pytest.mark.parametrize("round", [0, *(pytest.param(number, marks=pytest.mark.slow) for number in range(1, 50))])
def test_killed_at_any_moment_every_file_is_whole_and_the_journal_leads_back(root: Path, round: int) -> None:
    moments = random.Random(100 + round)
    for _ in range(5):
        signalled(root, signal.SIGKILL, moments.uniform(0, 0.08))
        found = numbers(root)
        assert found == sorted(found, reverse=True) and found[0] - found[-1] <= 1, "written in order"
        journal = Journal.locate(root)
        for name, number in zip(NAMES, found, strict=True):
            if number > found[-1]:
                entries = journal.entries()
                journal.undo(next(one.id for one in entries if one.path == str(root / name) and not one.undoes))
        assert len(set(numbers(root))) == 1
