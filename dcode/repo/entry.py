"""One entry of the undo journal, and how a folder keeps entries.

`7.entry` is a line of JSON and then the file's bytes before; `7.done` says that the write which entry 7
announces has happened. A damaged or half-written entry is no entry. It is not known here what undoing means.
"""

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path

from dcode.errors import InputError
from dcode.repo import atomic

_NAME = re.compile(r"([0-9]{1,12})\.entry")
_HEADER_LIMIT_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One write: `before` and `after` are sha256 hex digests of the file at `path`, None for no file.

    `time` is in seconds since the epoch, `size_bytes` that of the file before; `undoes` is the id of the
    entry that this write took back.
    """

    id: str
    time: float
    path: str
    before: str | None
    after: str | None
    command: str
    undoes: str | None
    size_bytes: int


def digest(data: bytes | None) -> str | None:
    """The sha256 of a file's bytes, None for no file."""
    return None if data is None else sha256(data).hexdigest()


def add(folder: Path, entry: Entry, before: bytes | None) -> Entry:
    """Keep an entry under the next free number, and return when it is on the disk; raises OSError."""
    number = max((number for number, _ in _files(folder)), default=0)
    while True:
        number += 1
        entry = replace(entry, id=str(number))
        path = folder / f"{number}.entry"
        header = json.dumps(asdict(entry)).encode("ascii") + b"\n"
        try:
            atomic.write_new(path, header + (before or b""), mode=0o600)
        except FileExistsError:  # somebody else was faster
            continue
        except OSError:
            discard(folder, entry)
            raise
        atomic.fsync_folder(folder)
        return entry


def load(folder: Path) -> list[Entry]:
    """All whole entries, newest first."""
    found = (_parse(path) for _, path in sorted(_files(folder), reverse=True))
    return [entry for entry in found if entry]


def bytes_before(folder: Path, entry: Entry) -> bytes | None:
    """What the file was before; InputError if the copy is not what it was."""
    if entry.before is None:
        return None
    data = atomic.read(folder / f"{entry.id}.entry").partition(b"\n")[2]
    if digest(data) != entry.before:
        raise InputError(f"the undo copy of entry {entry.id} is damaged; nothing was written")
    return data


def mark_done(folder: Path, entry: Entry) -> None:
    """Remember that the write has happened; failing to is no harm, as the file's hash tells it too."""
    with suppress(OSError):
        os.close(os.open(folder / f"{entry.id}.done", os.O_WRONLY | os.O_CREAT, 0o600))


def is_done(folder: Path, entry: Entry) -> bool:
    """Whether the write is remembered to have happened."""
    return (folder / f"{entry.id}.done").exists()


def discard(folder: Path, entry: Entry) -> None:
    """Forget an entry, if the system lets us."""
    for name in (f"{entry.id}.entry", f"{entry.id}.done"):
        with suppress(OSError):
            (folder / name).unlink()


def prune(folder: Path, keep_s: float, keep_bytes: int) -> None:
    """Remove what is older than `keep_s`, and the oldest until all are within `keep_bytes`; raises OSError.

    The newest stays whatever it is, so that numbers only grow.
    """
    sizes = [(number, path, path.stat()) for number, path in sorted(_files(folder))]
    total = sum(status.st_size for _, _, status in sizes)
    for number, path, status in sizes[:-1]:
        if total > keep_bytes or time.time() - status.st_mtime > keep_s:
            path.unlink(missing_ok=True)
            (folder / f"{number}.done").unlink(missing_ok=True)
            total -= status.st_size


def _files(folder: Path) -> Iterator[tuple[int, Path]]:
    for path in folder.iterdir() if folder.is_dir() else ():
        match = _NAME.fullmatch(path.name)
        if match and not path.is_symlink():
            yield int(match[1]), path


def _parse(path: Path) -> Entry | None:
    """The entry in a file, None if it is not whole."""
    try:
        with path.open("rb") as file:
            header = file.readline(_HEADER_LIMIT_BYTES)
            size = os.fstat(file.fileno()).st_size - len(header)
        entry = Entry(**json.loads(header))
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    words = (entry.id, entry.path, entry.command, entry.before or "", entry.after or "", entry.undoes or "")
    whole = (
        header.endswith(b"\n")
        and all(isinstance(word, str) for word in words)
        and isinstance(entry.time, int | float)
        and (entry.id, entry.size_bytes) == (path.stem, size)
    )
    return entry if whole else None
