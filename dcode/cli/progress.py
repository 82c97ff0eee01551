"""A line on stderr that says how far long work is: rewritten on a terminal, one now and then elsewhere."""

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dcode.cli.streams import complain
from dcode.text.sanitize import visible

SECONDS_BETWEEN_LINES = 60.0
REWRITE = "\r\x1b[K"


@contextmanager
def progress(*, quiet: bool) -> Iterator[Callable[[str], None]]:
    """A function that shows the newest state of the work; nothing of it stays on a terminal."""
    if quiet:
        yield lambda line: None
    elif not sys.stderr.isatty():
        yield _now_and_then()
    else:
        try:
            yield _rewrite
        finally:
            sys.stderr.write(REWRITE)
            sys.stderr.flush()


def _rewrite(line: str) -> None:
    width = shutil.get_terminal_size().columns - 1
    sys.stderr.write(f"{REWRITE}{visible(line)[:width]}")
    sys.stderr.flush()


def _now_and_then() -> Callable[[str], None]:
    due = 0.0

    def show(line: str) -> None:
        nonlocal due
        if time.monotonic() >= due:
            complain(line, prefix="")
            due = time.monotonic() + SECONDS_BETWEEN_LINES

    return show
