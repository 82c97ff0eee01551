"""A private folder of numbered records: each a file with a line of JSON and then bytes. It knows no meaning.

A record is on the disk before it is reported, is never changed, and is removed when it is old or there are too
many. A damaged or half-written one is no record. The folder and its files are for their owner only.
"""

import errno
import json
import os
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from dcode.errors import InputError
from dcode.repo import atomic

_HEADER_LIMIT_BYTES = 100_000


def prepare(folder: Path) -> None:
    """Make a folder that only its owner can look into; InputError if it is something else, else OSError."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        atomic.fsync_folder(folder.parent)
    if folder.is_symlink() or not folder.is_dir():
        raise InputError(f"{folder} is not a folder; nothing was written")
    if folder.stat().st_mode & 0o077:  # one that belongs to another cannot be made private: OSError
        folder.chmod(0o700)
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def add(folder: Path, kind: str, header: Callable[[str], Mapping[str, Any]], payload: bytes) -> str:
    """Keep a record under the next free number, and return that when it is on the disk; raises OSError."""
    number = max((number for number, _ in records(folder, kind)), default=0)
    while True:
        number += 1
        line = json.dumps(header(str(number))).encode("ascii") + b"\n"
        try:
            atomic.write_new(folder / f"{number}.{kind}", line + payload, mode=0o600)
        except FileExistsError:  # somebody else was faster
            continue
        except OSError:
            discard(folder, str(number))
            raise
        atomic.fsync_folder(folder)
        return str(number)


def records(folder: Path, kind: str) -> list[tuple[int, Path]]:
    """The numbers and files of all records of a kind, oldest first."""
    name = re.compile(rf"([0-9]{{1,12}})\.{kind}")
    found = []
    for path in folder.iterdir() if folder.is_dir() else ():
        match = name.fullmatch(path.name)
        if match and not path.is_symlink():
            found.append((int(match[1]), path))
    return sorted(found)


def header(path: Path) -> tuple[dict[str, Any], int] | None:
    """A record's line of JSON and the size of its payload in bytes, None if it is not whole."""
    try:
        with path.open("rb") as file:
            line = file.readline(_HEADER_LIMIT_BYTES)
            size = os.fstat(file.fileno()).st_size - len(line)
        value = json.loads(line)
    except (OSError, ValueError, RecursionError):
        return None
    return (value, size) if line.endswith(b"\n") and isinstance(value, dict) else None


def payload(path: Path) -> bytes:
    """A record's bytes; InputError if it cannot be read."""
    return atomic.read(path).partition(b"\n")[2]


def discard(folder: Path, id: str) -> None:
    """Forget a record and what belongs to its number, if the system lets us."""
    for path in folder.glob(f"{id}.*"):
        with suppress(OSError):
            path.unlink()


def prune(folder: Path, kind: str, keep_s: float, keep_bytes: int) -> None:
    """Remove what is older than `keep_s`, and the oldest until all are within `keep_bytes`; raises OSError.

    The newest stays whatever it is, so that numbers only grow.
    """
    sizes = [(number, path.stat()) for number, path in records(folder, kind)]
    total = sum(status.st_size for _, status in sizes)
    for number, status in sizes[:-1]:
        if total > keep_bytes or time.time() - status.st_mtime > keep_s:
            discard(folder, str(number))
            total -= status.st_size
