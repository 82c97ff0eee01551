"""The undo journal: nothing is written that is not in here first, and what is in here can be undone.

Entries are only added and, after 30 days or 200 MB, removed. An undo is a write like any other: its entry
names the entry it takes back, so an undo can be undone.
"""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_state_path

from dcode.errors import InputError
from dcode.repo import atomic, entry, git, shelf
from dcode.repo.entry import Entry, digest

KEEP_S = 30 * 24 * 3600.0
KEEP_BYTES = 200_000_000
_COMMAND_LIMIT = 1000


def write(path: Path, before: bytes | None, after: bytes, command: str) -> str:
    """Write the file at `path` in the only way dcode does: journal first, then old or new in full.

    `before` is what the caller saw there, None for a new file; `command` says in the log what did it. Returns
    the id for undoing it. InputError, and the file is as it was, if it is not what was seen, may not be
    written or cannot be journaled.
    """
    return Journal.locate(path).write(path, before, after, command)


@dataclass(frozen=True, slots=True)
class Journal:
    """The journal in `folder`, and how long and how much it keeps."""

    folder: Path
    keep_s: float = KEEP_S
    keep_bytes: int = KEEP_BYTES

    @staticmethod
    def locate(path: Path) -> "Journal":
        """The journal of a file or folder: in its repository's git directory, else in the state folder."""
        real = _real(path)
        near = next(folder for folder in (real, *real.parents) if folder.is_dir())
        found = git.git_path(near, "dcode/undo") or user_state_path("dcode", appauthor=False) / "undo"
        return Journal(Path(os.path.normpath(found)))  # one name, whichever folder was asked from

    def write(
        self, path: Path, before: bytes | None, after: bytes | None, command: str, undoes: str | None = None
    ) -> str:
        """Record, then turn the file's bytes `before` into `after`, None for no file; see `write` above."""
        _check(path, before)
        noted = self.record(path, before, after, command, undoes)
        try:
            _put(path, before, after)
        except BaseException:
            if not self._happened(noted):
                entry.discard(self.folder, noted)
            raise
        entry.mark_done(self.folder, noted)
        return noted.id

    def check(self) -> None:
        """InputError if nothing could be recorded: said before any work is done."""
        with _journaling(self.folder):
            shelf.prepare(self.folder)

    def record(
        self, path: Path, before: bytes | None, after: bytes | None, command: str, undoes: str | None = None
    ) -> Entry:
        """Keep what is about to change, and return when it is on the disk; InputError if that fails."""
        size = len(before or b"")
        where, command = os.fspath(_real(path)), command[:_COMMAND_LIMIT]
        noted = Entry("", time.time(), where, digest(before), digest(after), command, undoes, size)
        with _journaling(self.folder):
            shelf.prepare(self.folder)
            noted = entry.add(self.folder, noted, before)
        with suppress(OSError):  # somebody else may be tidying up as well
            entry.prune(self.folder, self.keep_s, self.keep_bytes)
        return noted

    def entries(self) -> list[Entry]:
        """Every write that happened, newest first."""
        return [one for one in entry.load(self.folder) if self._happened(one)]

    def undone(self) -> frozenset[str]:
        """The ids of entries that were taken back, and whose undo was not."""
        return _undone(self.entries())

    def undo(self, id: str | None = None) -> Entry:
        """Take back the write `id`, or the newest not taken back yet; the entry it was.

        The file gets its bytes from before; one that was made is removed. InputError if it is not what that
        write left.
        """
        chosen = self._choose(id)
        path = Path(chosen.path)
        if _real(path) != path or Journal.locate(path).folder != self.folder:
            raise InputError(f"{path} is not where entry {chosen.id} was made; nothing was written")
        current = _current(path)
        if digest(current) != chosen.after:
            raise InputError(f"{path} changed since entry {chosen.id}; nothing was written", hint="see dcode log")
        before = entry.bytes_before(self.folder, chosen)
        self.write(path, current, before, f"undo {chosen.id}", undoes=chosen.id)
        return chosen

    def _choose(self, id: str | None) -> Entry:
        entries = self.entries()
        undone = _undone(entries)
        for one in entries:
            if id is None and not one.undoes and one.id not in undone:
                return one
            if id == one.id and id in undone:
                raise InputError(f"entry {id} is undone already", hint="see dcode log")
            if id == one.id:
                return one
        raise InputError("nothing to undo" if id is None else f"there is no entry {id}", hint="see dcode log")

    def _happened(self, noted: Entry) -> bool:
        """Remembered, or seen in the file: a process may have been ended just after the write."""
        if entry.is_done(self.folder, noted):
            return True
        try:
            return digest(_current(Path(noted.path))) == noted.after
        except InputError:
            return False


def _undone(entries: Sequence[Entry]) -> frozenset[str]:
    ids: set[str] = set()
    for one in entries:  # newest first, so that an undo is judged before what it undoes
        if one.undoes and one.id not in ids:
            ids.add(one.undoes)
    return frozenset(ids)


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _current(path: Path) -> bytes | None:
    return atomic.read(path) if os.path.lexists(path) else None


def _check(path: Path, before: bytes | None) -> None:
    """Refuse early, so that the journal does not fill with writes that cannot happen."""
    if before is not None:
        atomic.check(path, before)
    elif os.path.lexists(path):
        raise InputError(f"{path} already exists", hint="use --force to replace it")


def _put(path: Path, before: bytes | None, after: bytes | None) -> None:
    if before is None:
        assert after is not None, "from no file to no file"
        atomic.create(path, after)
    elif after is None:
        atomic.remove(path, expected=before)
    else:
        atomic.replace(path, after, expected=before)


@contextmanager
def _journaling(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = error.strerror or error
        raise InputError(f"cannot keep an undo copy in {folder}: {why}; nothing was written") from None
