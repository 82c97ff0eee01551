"""Files named on the command line: reading them or stdin, refusing to overwrite, writing with the journal."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

from dcode.errors import InputError, UsageError
from dcode.syntax.grammar import Grammar
from dcode.text.source import Source

STDIN = "-"


def read_source(file: str, name: str, grammar: Grammar) -> Source:
    """The file, or stdin if it is called `-`; `name` is what messages call it."""
    if file != STDIN:
        return Source.read(Path(file), grammar.cookie)
    return Source.of(sys.stdin.buffer.read(), name, grammar.cookie)


def check_stdin_name(files: Sequence[str], name: Path | None) -> None:
    """UsageError if standard input is given a name and not read."""
    if name is not None and STDIN not in files:
        raise UsageError(f"--stdin-filename {name} says nothing without -", hint="name - as the file to read stdin")


def read_request(prompt: str) -> str:
    """The request itself, or stdin if it is `-`; InputError if it is not text."""
    data = sys.stdin.buffer.read() if prompt == STDIN else prompt.encode("utf-8", "surrogateescape")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError("the request is not UTF-8 text") from None
    if not text.strip():
        raise InputError(f"the request {text!r} is empty", hint='try: dcode gen "read a csv file"')
    return text


def refuse_existing(path: Path, *, force: bool) -> None:
    """InputError if writing to `path` would overwrite something, or cannot: said before any work is done."""
    refuse_taken(path, force=force)
    if (before := present(path)) is not None:
        refuse_unwritable(path, before)
    refuse_unjournaled(path)


def refuse_taken(path: Path, *, force: bool) -> None:
    """InputError if no new file can have this name: said before any work is done."""
    if path.is_dir():
        raise InputError(f"{path} is a directory", hint="name a file")
    if not force and (path.exists() or path.is_symlink()):
        raise InputError(f"{path} exists", hint="--force overwrites it")
    if not path.absolute().parent.is_dir():
        raise InputError(f"there is no folder {path.parent} for {path.name}")


def create_private(path: Path, *, force: bool) -> TextIO:
    """A new file that its owner alone may read; with `force` in place of what had its name, never through a link."""
    refuse_taken(path, force=force)
    try:
        if force:
            path.unlink(missing_ok=True)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from None
    return os.fdopen(file, "w", encoding="ascii", newline="\n")


def refuse_unwritable(path: Path, before: bytes) -> None:
    """InputError if the file may not be written (read-only, hard-linked): said before any work is done."""
    from dcode.repo import atomic

    atomic.check(path, before)
    refuse_unjournaled(path)


def refuse_unjournaled(path: Path) -> None:
    """InputError if there is no place for an undo copy of the file: said before any work is done."""
    from dcode.repo.journal import Journal

    Journal.locate(path).check()


def present(path: Path) -> bytes | None:
    """What is in the file that is about to be overwritten, text or not; None if there is none."""
    from dcode.repo import atomic

    return atomic.read(path) if path.exists() else None


def write(path: Path, before: bytes | None, after: bytes, command: str, note: Callable[[str], None]) -> None:
    """Write a file, journal first, and say how to take it back."""
    from dcode.repo.journal import Journal

    journal = Journal.locate(path)
    entry = journal.write(path, before, after, command)
    here = journal.folder == Journal.locate(Path.cwd()).folder
    note(f"wrote {path} (dcode undo {entry}{'' if here else f' in {path.parent}'} takes it back)")


def diff_name(path: Path) -> str:
    """The path as a diff names it: from the repository's root, else from the current folder."""
    full = absolute(path)
    base = root(full.parent) or Path.cwd()
    return (full.relative_to(base) if full.is_relative_to(base) else full).as_posix()


def absolute(path: Path) -> Path:
    """The path from the root of the system, without `..`.

    Links stay as they are named, unless a `..` behind one leads elsewhere than the names say.
    """
    plain, real = os.path.normpath(path.absolute()), os.path.realpath(path)
    return Path(plain if os.path.realpath(plain) == real else real)


def root(folder: Path) -> Path | None:
    """The root of the repository that a folder lies in."""
    return next((place for place in (folder, *folder.parents) if (place / ".git").exists()), None)
