"""Reading a unified diff and applying it to bytes: every line of context must be there, or nothing is changed.

Only changes to the content of files are understood; a patch that makes, removes, renames or re-modes a file is
refused. It writes nothing. Which files a patch may name is decided by `target`.
"""

import io
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dcode.errors import InputError

_HUNK = re.compile(rb"@@ -([0-9]{1,9})(?:,([0-9]{1,9}))? \+([0-9]{1,9})(?:,([0-9]{1,9}))? @@")
_BEYOND_CONTENT = re.compile(
    rb"(new|deleted) file mode|old mode|new mode|rename |copy |(dis)?similarity |GIT binary patch|Binary files "
    rb"|index [0-9a-f]+\.\.[0-9a-f]+ (?!100644|100755)"
)
_ESCAPE = re.compile(rb'\\([0-3][0-7]{2}|[abtnvfr"\\])')
_ESCAPED = dict(zip(b'abtnvfr"\\', b'\a\b\t\n\v\f\r"\\', strict=True))

_MOVED = "it was made for another version of the file"


@dataclass(frozen=True, slots=True)
class Hunk:
    """`old` lines, which stand at the 0-based line `start`, become `new`; both with context and their newlines."""

    start: int
    old: tuple[bytes, ...]
    new: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class FilePatch:
    """What a patch does to one file; `path` is as the patch has it, without `a/`."""

    path: str
    hunks: tuple[Hunk, ...]


def parse(patch: bytes) -> tuple[FilePatch, ...]:
    """The changes of a patch, file by file; InputError if it is damaged or does more than change content.

    Lines before, between and after the files' parts are passed over, as git does with those of a mail.
    """
    lines = _Lines(io.BytesIO(patch).readlines())
    files: list[FilePatch] = []
    in_header = False
    while (line := lines.take()) is not None:
        if line.startswith(b"diff --git "):
            in_header = True
        elif in_header and _BEYOND_CONTENT.match(line):
            what = line.strip().decode(errors="replace")
            raise InputError(f"line {lines.at} of the patch: {what!r}", hint="only the content of files may change")
        elif line.startswith(b"--- ") and (lines.peek() or b"").startswith(b"+++ "):
            in_header = False
            files.append(FilePatch(_path(line, lines.take() or b"", lines.at), tuple(_hunks(lines))))
    if not files:
        raise InputError("there is no change in the patch", hint="a unified diff is wanted, as git diff prints it")
    return tuple(files)


def apply(data: bytes, hunks: Sequence[Hunk], name: str) -> bytes:
    """The bytes of the file called `name` with every hunk applied.

    InputError if the lines of one are neither where it says nor in one other place only.
    """
    lines = io.BytesIO(data).readlines()
    pieces: list[bytes] = []
    done = 0
    for hunk in hunks:
        start = _place(lines, hunk, done, name)
        pieces += [*lines[done:start], *hunk.new]
        done = start + len(hunk.old)
    pieces += lines[done:]
    if any(not line.endswith(b"\n") for line in pieces[:-1]):
        raise InputError(f"the patch would join two lines of {name}", hint=_MOVED)
    return b"".join(pieces)


def target(root: Path, path: str) -> Path:
    """The existing regular file that a patch means by `path`, under `root`; else InputError.

    Never through a symbolic link, into a git directory or into another repository inside this one.
    """
    named = PurePosixPath(path)
    if named.is_absolute() or ".." in named.parts or "\\" in path or "\0" in path or not named.parts:
        raise InputError(f"the patch names {path!r}, which is not under {root}")
    if any(part.casefold().rstrip(". ") == ".git" for part in named.parts):
        raise InputError(f"the patch names {path!r}, which belongs to git")
    real = Path(os.path.realpath(root))
    file = real.joinpath(*named.parts)
    if Path(os.path.realpath(file)) != file:
        raise InputError(f"the patch names {path!r}, which leads through a symbolic link")
    if not file.exists():
        raise InputError(f"the patch names {path!r}, which is not there")
    if not file.is_file():
        raise InputError(f"the patch names {path!r}, which is not a regular file")
    if any((folder / ".git").exists() for folder in file.parents if real in folder.parents):
        raise InputError(f"the patch names {path!r}, which is in another repository")
    return file


class _Lines:
    """The lines of a patch and how many are read."""

    def __init__(self, lines: Sequence[bytes]) -> None:
        self._lines = lines
        self.at = 0

    def peek(self) -> bytes | None:
        return self._lines[self.at] if self.at < len(self._lines) else None

    def take(self) -> bytes | None:
        line = self.peek()
        self.at += line is not None
        return line


def _hunks(lines: _Lines) -> Iterator[Hunk]:
    end = 0
    while match := _HUNK.match(lines.peek() or b""):
        lines.take()
        start, old_count, _, new_count = (1 if count is None else int(count) for count in match.groups())
        start -= old_count > 0  # an empty range stands behind the line it names
        if start < end:
            raise InputError(f"line {lines.at} of the patch: its parts are out of order")
        yield _hunk(lines, start, old_count, new_count)
        end = start + old_count


def _hunk(lines: _Lines, start: int, old_count: int, new_count: int) -> Hunk:
    old: list[bytes] = []
    new: list[bytes] = []
    while len(old) < old_count or len(new) < new_count:
        line = lines.take() or b""
        sides = {b" ": (old, new), b"-": (old,), b"+": (new,), b"\n": (old, new)}.get(line[:1])
        if sides is None or not line.endswith(b"\n"):
            raise InputError(f"line {lines.at} of the patch: it is damaged or cut short")
        text = line if line == b"\n" else line[1:]  # mail programs strip the blank of an empty line
        if (lines.peek() or b"").startswith(b"\\"):
            lines.take()
            text = text.removesuffix(b"\n")
        for side in sides:
            side.append(text)
    if (len(old), len(new)) != (old_count, new_count):
        raise InputError(f"line {lines.at} of the patch: its lines are not as many as it says")
    return Hunk(start, tuple(old), tuple(new))


def _place(lines: Sequence[bytes], hunk: Hunk, first: int, name: str) -> int:
    """Where the hunk's old lines stand, from line `first` on: at its own place, else at the only one there is."""
    size = len(hunk.old)
    if not hunk.old:
        if lines:
            raise InputError(f"the patch for {name} has a part without context", hint="make it with git diff -U3")
        return 0
    if hunk.start >= first and tuple(lines[hunk.start : hunk.start + size]) == hunk.old:
        return hunk.start
    places = [at for at in range(first, len(lines) - size + 1) if tuple(lines[at : at + size]) == hunk.old]
    if len(places) == 1:
        return places[0]
    if places:
        raise InputError(f"the patch for {name} line {hunk.start + 1} fits {len(places)} places", hint=_MOVED)
    raise InputError(f"the patch does not fit {name} at line {hunk.start + 1}", hint=_MOVED)


def _path(old: bytes, new: bytes, at: int) -> str:
    """The path that both header lines name, without the letter that git puts in front."""
    names = [_unquoted(line[4:]) for line in (old, new)]
    if "/dev/null" in names:
        raise InputError(f"line {at} of the patch: it makes or removes a file", hint="only content may change")
    (old_mark, _, old_path), (new_mark, _, new_path) = (name.partition("/") for name in names)
    if old_path != new_path or not old_path or len(old_mark) != 1 or len(new_mark) != 1:
        what = f"line {at} of the patch: {names[0]!r} and {names[1]!r} are not a/PATH and b/PATH"
        raise InputError(what, hint="a patch as git diff prints it is wanted")
    return old_path


def _unquoted(name: bytes) -> str:
    """The name in a header line, which may be in C quotes, and may be followed by a tab and a date."""
    name = name.rstrip(b"\r\n")
    if name.startswith(b'"') and name.rstrip(b"\t").endswith(b'"'):
        return os.fsdecode(_ESCAPE.sub(_unescaped, name.rstrip(b"\t")[1:-1]))
    return os.fsdecode(name.partition(b"\t")[0])


def _unescaped(match: re.Match[bytes]) -> bytes:
    code = match[1]
    return bytes((int(code, 8) if len(code) == 3 else _ESCAPED[code[0]],))
