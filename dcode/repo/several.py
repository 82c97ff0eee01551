"""Writing several files so that all are changed or none: the new bytes of all are on the disk before the first
file gets its own.

Every change is journaled like any other. A process that is killed between two renames leaves whole files, old and
new, and the journal that leads back.
"""

from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from dcode.errors import InputError
from dcode.repo import atomic, entry
from dcode.repo.entry import Entry
from dcode.repo.journal import Journal


@dataclass(frozen=True, slots=True)
class Change:
    """The file at `path` has the bytes `before` and is to have `after`."""

    path: Path
    before: bytes
    after: bytes


def write_all(changes: Sequence[Change], command: str) -> list[str]:
    """Make every change, and return their journal ids in order; on any error take back those that were made.

    `command` says in the log what did it. InputError if a file is not what was seen, may not be written or
    cannot be journaled. What cannot be taken back (a second interruption, a file that somebody else changed
    meanwhile) stays in the journal.
    """
    noted: list[tuple[Change, Journal, Entry]] = []
    with ExitStack() as stack:
        commits = [stack.enter_context(atomic.staged(one.path, one.after, expected=one.before)) for one in changes]
        try:
            for one in changes:
                journal = Journal.locate(one.path)
                noted.append((one, journal, journal.record(one.path, one.before, one.after, command)))
            for commit in commits:
                commit()
            for _, journal, note in noted:
                entry.mark_done(journal.folder, note)
        except BaseException:
            for one, journal, note in reversed(noted):
                _take_back(one, journal, note)
            raise
    return [note.id for _, _, note in noted]


def _take_back(change: Change, journal: Journal, note: Entry) -> None:
    """Undo a change that has happened; forget one that has not."""
    with suppress(InputError):
        if atomic.read(change.path) == change.after:
            journal.undo(note.id)
        else:
            entry.discard(journal.folder, note)
