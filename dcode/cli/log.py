"""`dcode log`: the writes that can be undone, newest first."""

import time
from pathlib import Path
from typing import Annotated

from typer import Option

from dcode.cli.options import Verbose, command
from dcode.cli.streams import complain, say_table, shown_path
from dcode.repo.journal import Journal

Limit = Annotated[int, Option("-n", "--count", metavar="N", min=1, help="How many writes at most.")]


def log(count: Limit = 20, verbose: Verbose = False) -> None:
    """List the writes that can be undone, newest first.

    They are kept per repository, and for files outside of one in the state folder; see dcode doctor.
    """
    journal = Journal.locate(Path.cwd())
    undone = journal.undone()
    rows = []
    for entry in journal.entries()[:count]:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(entry.time))
        state = "undone" if entry.id in undone else ""
        rows.append((entry.id, when, entry.command, shown_path(entry.path), state))
    say_table(rows)
    if not rows:
        complain("no writes yet")


app = command(log)
