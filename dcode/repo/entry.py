"""One entry of the undo journal, and how a folder keeps entries.

`7.entry` is a line of JSON and then the file's bytes before; `7.done` says that the write which entry 7
announces has happened. A damaged or half-written entry is no entry. It is not known here what undoing means.
"""

import os
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path

from dcode.errors import InputError
from dcode.repo import shelf

KIND = "entry"


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
    id = shelf.add(folder, KIND, lambda id: asdict(replace(entry, id=id)), before or b"")
    return replace(entry, id=id)


def load(folder: Path) -> list[Entry]:
    """All whole entries, newest first."""
    found = (_parse(path) for _, path in reversed(shelf.records(folder, KIND)))
    return [entry for entry in found if entry]


def bytes_before(folder: Path, entry: Entry) -> bytes | None:
    """What the file was before; InputError if the copy is not what it was."""
    if entry.before is None:
        return None
    data = shelf.payload(folder / f"{entry.id}.{KIND}")
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
    shelf.discard(folder, entry.id)


def prune(folder: Path, keep_s: float, keep_bytes: int) -> None:
    """Remove old entries, and the oldest of too many; see `dcode.repo.shelf.prune`."""
    shelf.prune(folder, KIND, keep_s, keep_bytes)


def _parse(path: Path) -> Entry | None:
    """The entry in a file, None if it is not whole."""
    found = shelf.header(path)
    if found is None:
        return None
    try:
        entry = Entry(**found[0])
    except TypeError:
        return None
    words = (entry.id, entry.path, entry.command, entry.before or "", entry.after or "", entry.undoes or "")
    whole = (
        all(isinstance(word, str) for word in words)
        and isinstance(entry.time, int | float)
        and (entry.id, entry.size_bytes) == (path.stem, found[1])
    )
    return entry if whole else None
