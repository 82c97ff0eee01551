"""`dcode undo`: take back a write, byte for byte, or refuse if the file moved on."""

import sys
from pathlib import Path
from typing import Annotated

from typer import Argument, Exit

from dcode.cli.options import Quiet, Verbose, Yes, command
from dcode.cli.streams import complain, shown_path
from dcode.repo.journal import Journal

Ids = Annotated[list[str] | None, Argument(metavar="ID", help="Which writes, as dcode log lists them; else the last.")]


def undo(entries: Ids = None, yes: Yes = False, quiet: Quiet = False, verbose: Verbose = False) -> None:
    """Take back a write, byte for byte.

    Without an ID the newest write that still stands is taken back; on a terminal you are asked first. An undo
    can be undone. Several are taken back in the order given. A file that changed since the write is left alone.
    """
    journal = Journal.locate(Path.cwd())
    if not entries and not yes and sys.stdin.isatty() and sys.stderr.isatty():
        _ask(journal)
    for done in map(journal.undo, entries or (None,)):
        if not quiet:
            what = "removed" if done.before is None else "restored"
            complain(f"{what} {shown_path(done.path)} as before entry {done.id}")


def _ask(journal: Journal) -> None:
    """Say what would be taken back, and leave if that is not wanted."""
    undone = journal.undone()
    last = next((one for one in journal.entries() if not one.undoes and one.id not in undone), None)
    if last is None:
        return
    complain(f"take back {last.command!r} of {shown_path(last.path)}, entry {last.id}? [y/N] ", end="")
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        complain("left as it is")
        raise Exit


app = command(undo)
