"""A change to a file, splicing it into the file's exact bytes, and showing it as a unified diff.

Edits are in view coordinates (see `dcode.text.source`); only `splice` maps them back. It never writes files.
"""

import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from pathlib import PurePosixPath

from dcode.errors import InputError
from dcode.text.source import Source
from dcode.text.span import Span

_CONTEXT_LINES = 3
_ESCAPES = dict(zip(b'\a\b\t\n\v\f\r"\\', 'abtnvfr"\\', strict=True))

COMPARABLE_LINES = 20_000
"""To compare more lines than this would take minutes: they count as one block."""

Block = tuple[str, int, int, int, int]
"""As difflib has it: what happened, the range in the old lines, the range in the new ones."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the bytes at `span` of the view by `new` (UTF-8, LF)."""

    span: Span
    new: bytes


def splice(source: Source, edits: Sequence[Edit]) -> bytes:
    """The file's bytes with the edits in them, and every byte outside their spans as it was.

    Edits are sorted and do not overlap; one that changes nothing keeps its original bytes. InputError if the
    new text cannot be written in the file's encoding, or read back from it as what it is.
    """
    in_order = all(one.span.end <= two.span.start for one, two in pairwise(edits))
    assert in_order, "edits overlap or are out of order"
    changes: list[tuple[Span, bytes]] = []
    for edit in edits:
        if source.view[edit.span.start : edit.span.end] != edit.new:
            changes.append((source.to_data(edit.span), source.encode(edit.new, edit.span.start)))
    after = _replaced(source.data, changes)
    _prove_outside(source.data, after, changes)
    _prove_readable(source, after, _replaced(source.view, [(edit.span, edit.new) for edit in edits]))
    return after


def unified_diff(before: bytes, after: bytes, name: str) -> bytes:
    """The change as `git apply` takes it, byte for byte; nothing if there is none.

    `name` is the file's path relative to the repository. Lines end at LF only, so a CR is part of its line.
    """
    if before == after:
        return b""
    hunks = b"".join(_hunks(io.BytesIO(before).readlines(), io.BytesIO(after).readlines()))
    path = str(PurePosixPath(name.lstrip("/")))
    old, new = _quoted(f"a/{path}"), _quoted(f"b/{path}")
    end = b"\t\n" if b" " in old else b"\n"  # as git does, so that a name may hold blanks
    return b"diff --git " + old + b" " + new + b"\n--- " + old + end + b"+++ " + new + end + hunks


def common_ends(old: Sequence[bytes], new: Sequence[bytes]) -> tuple[int, int]:
    """How many of the first lines are the same, and how many of the last of the rest."""
    short = min(len(old), len(new))
    head = next((i for i in range(short) if old[i] != new[i]), short)
    return head, next((i for i in range(short - head) if old[-1 - i] != new[-1 - i]), short - head)


def _replaced(text: bytes, changes: Sequence[tuple[Span, bytes]]) -> bytes:
    pieces, at = [], 0
    for span, new in changes:
        pieces += [text[at : span.start], new]
        at = span.end
    return b"".join([*pieces, text[at:]])


def _prove_outside(before: bytes, after: bytes, changes: Sequence[tuple[Span, bytes]]) -> None:
    """Compare what lies between the changes, without trusting how it was made."""
    at = grown = 0
    for span, new in changes:
        same = before[at : span.start] == after[at + grown : span.start + grown]
        assert same, f"bytes before {span} changed"
        at, grown = span.end, grown + len(new) - len(span)
    assert before[at:] == after[at + grown :], "bytes after the last edit changed"


def _prove_readable(source: Source, after: bytes, view: bytes) -> None:
    """Bytes can join across a seam (CR, LF), and an edit can change the declared encoding: read it again."""
    again = Source.of(after, source.name, source.cookie)
    if (again.view, again.encoding, again.bom) == (view, source.encoding, source.bom):
        return
    if again.encoding != source.encoding:
        raise InputError(f"the change to {source.name} would declare another encoding: {again.encoding}")
    raise InputError(
        f"the change to {source.name} would merge with the text beside it",
        hint="give its lines one kind of newline first" if source.newline == "mixed" else "",
    )


def _hunks(old: list[bytes], new: list[bytes]) -> Iterator[bytes]:
    """Compare only what lies between the common first and last lines, and its context."""
    head, tail = common_ends(old, new)
    first, spare = max(0, head - _CONTEXT_LINES), max(0, tail - _CONTEXT_LINES)
    old, new = old[first : len(old) - spare], new[first : len(new) - spare]
    for group in _groups(old, new, head - first, tail - spare):
        (_, i1, _, j1, _), (_, _, i2, _, j2) = group[0], group[-1]
        yield b"@@ -%b +%b @@\n" % (_range(first + i1, i2 - i1), _range(first + j1, j2 - j1))
        for tag, i3, i4, j3, j4 in group:
            if tag == "equal":
                yield from (_line(b" ", line) for line in old[i3:i4])
            else:
                yield from (_line(b"-", line) for line in old[i3:i4])
                yield from (_line(b"+", line) for line in new[j3:j4])


def _groups(old: list[bytes], new: list[bytes], head: int, tail: int) -> Iterator[Sequence[Block]]:
    """Blocks that belong into one hunk; `head` and `tail` lines at both ends are known to be equal."""
    if max(len(old), len(new)) <= COMPARABLE_LINES:
        yield from SequenceMatcher(None, old, new).get_grouped_opcodes(_CONTEXT_LINES)
        return
    i, j = len(old) - tail, len(new) - tail
    changed = ("replace", head, i, head, j)
    yield [("equal", 0, head, 0, head), changed, ("equal", i, len(old), j, len(new))]


def _range(start: int, count: int) -> bytes:
    return b"%d,%d" % (start + 1 if count else start, count)


def _line(sign: bytes, line: bytes) -> bytes:
    return sign + line if line.endswith(b"\n") else sign + line + b"\n\\ No newline at end of file\n"


def _quoted(path: str) -> bytes:
    """The name as git writes it: in C quotes if a control character, quote or backslash is in it."""
    raw = os.fsencode(path)
    if not any(byte < 0x20 or byte in (0x22, 0x5C, 0x7F) for byte in raw):
        return raw
    return b'"%b"' % "".join(map(_escaped, raw)).encode("ascii")


def _escaped(byte: int) -> str:
    if byte in _ESCAPES:
        return "\\" + _ESCAPES[byte]
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}"
