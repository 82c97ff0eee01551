"""A process is killed while it writes, again and again, at moments it does not choose."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dcode.errors import InputError
from dcode.repo.journal import Journal

WRITER = """
import sys
from pathlib import Path
from dcode.repo.journal import Journal
path = Path(sys.argv[1])
journal = Journal.locate(path)
while True:
    before = path.read_bytes()
    number = int(before[:9]) + 1
    journal.write(path, before, b"%08d\\n" % number * 9000, f"to {number}")
    journal.write(path.with_name(f"new{number}"), None, b"%08d\\n" % number * 900, f"new {number}")
    print("written", flush=True)
"""


def numbered(data: bytes, lines: int) -> int:
    """The number all of whose lines are there."""
    number = int(data[:9])
    assert data == b"%08d\n" % number * lines, "neither old nor new"
    return number


def kill_while_writing(path: Path, delay_s: float) -> None:
    with subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE) as writer:
        assert writer.stdout and writer.stdout.readline() == b"written\n"
        time.sleep(delay_s)
        writer.kill()
    assert writer.returncode == -9


@pytest.mark.parametrize("round", [0, *(pytest.param(number, marks=pytest.mark.slow) for number in range(1, 25))])
def test_killed_at_any_moment_the_file_is_old_or_new(tmp_path: Path, round: int) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    path = tmp_path / "a.py"
    path.write_bytes(b"%08d\n" % 0 * 9000)
    journal = Journal.locate(path)
    moments = random.Random(round)
    reached = 0
    for _ in range(20):
        kill_while_writing(path, moments.uniform(0, 0.04))
        number = numbered(path.read_bytes(), 9000)
        assert number > reached
        for made in tmp_path.glob("new*"):
            assert numbered(made.read_bytes(), 900) == int(made.name[3:])
            made.unlink()
        last = next(noted for noted in journal.entries() if noted.command == f"to {number}")
        journal.undo(last.id)
        assert numbered(path.read_bytes(), 9000) == number - 1
        journal.undo(journal.entries()[0].id)
        reached = numbered(path.read_bytes(), 9000)
        assert reached == number


def test_what_a_killed_process_leaves_does_not_stand_in_the_way(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"%08d\n" % 0 * 9000)
    kill_while_writing(path, 0.02)
    data = path.read_bytes()
    Journal.locate(path).write(path, data, b"mine", "x")
    assert path.read_bytes() == b"mine"
    with pytest.raises(InputError, match="changed meanwhile"):
        Journal.locate(path).write(path, data, b"again", "x")
