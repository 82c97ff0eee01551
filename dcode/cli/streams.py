"""What reaches the terminal or the pipe: results on stdout, everything else on stderr. It knows no command.

Text that a model, a file or a name brought along is shown with its control characters made visible; a pipe
gets the exact bytes.
"""

import os
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

from dcode.text.sanitize import visible

NARROWEST = 16
RESET, BOLD, COLOURS = "\x1b[0m", "\x1b[1m", {"+": "\x1b[32m", "-": "\x1b[31m", "@": "\x1b[36m"}


def emit(data: bytes, *, encoding: str = "utf-8") -> None:
    """A result on stdout: exact bytes in a pipe or file, made visible on a terminal."""
    if sys.stdout.isatty():
        _write_text(visible(data.decode(encoding, "replace")))
    else:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def emit_diff(data: bytes, *, encoding: str = "utf-8", color: str = "auto") -> None:
    """A diff on stdout, in colour where colour is wanted."""
    if not data or not colourful(color, os.environ, sys.stdout.isatty()):
        emit(data, encoding=encoding)
        return
    head, at, hunks = data.decode(encoding, "replace").partition("\n@@")
    lines = [(BOLD, line) for line in head.split("\n")]
    lines += [(COLOURS.get(line[:1], ""), line) for line in (at[1:] + hunks).removesuffix("\n").split("\n") if at]
    _write_text("".join(f"{colour}{visible(line)}{RESET if colour else ''}\n" for colour, line in lines))


def colourful(color: str, environment: Mapping[str, str], terminal: bool) -> bool:
    """Whether to use colour: --color, then NO_COLOR and TERM=dumb, then whether it is a terminal."""
    if color != "auto":
        return color == "always"
    return terminal and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


def view_wanted(show: str, *, quiet: bool) -> bool:
    """Whether there is to be a live view on stderr; `quiet` also stands for output that a program reads."""
    if show != "auto":
        return show == "always"
    dumb = os.environ.get("CI") or os.environ.get("TERM") == "dumb"
    return sys.stderr.isatty() and not quiet and not dumb


def say(line: str) -> None:
    """A line of results on stdout."""
    emit(f"{line}\n".encode("utf-8", "surrogateescape"))


def say_table(rows: Sequence[Sequence[str]]) -> None:
    """Rows of a listing on stdout, columns aligned; what is in a row cannot start another.

    On a terminal the last column is wrapped below itself.
    """
    cells = [[cell.replace("\n", "␊").replace("\t", "␉") for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    left = sum(widths[:-1]) + 2 * len(widths[:-1])
    room = shutil.get_terminal_size().columns - left
    for row in cells:
        parts = [cell.ljust(width) for cell, width in zip(row[:-1], widths[:-1], strict=True)]
        last = textwrap.wrap(row[-1], room) if sys.stdout.isatty() and room >= NARROWEST else [row[-1]]
        say("  ".join([*parts, f"\n{' ' * left}".join(last)]).rstrip())


def shown_path(path: str) -> str:
    """A path from the current folder, where that is shorter."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path


def complain(text: str, *, prefix: str = "dcode: ", end: str = "\n") -> None:
    """A line on stderr. Where stderr itself is gone there is nobody to tell."""
    try:
        sys.stderr.write(f"{prefix}{visible(text)}{end}")
        sys.stderr.flush()
    except (OSError, AttributeError):
        pass


def open_streams() -> None:
    """Give a process that was started without them standard streams that lead nowhere."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115


def give_up_stdout() -> None:
    """Nobody reads any more: what is still in the buffer goes nowhere, and the interpreter stays silent."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
    except (OSError, ValueError):
        pass


def _write_text(text: str) -> None:
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode(encoding, "backslashreplace"))
    sys.stdout.buffer.flush()
