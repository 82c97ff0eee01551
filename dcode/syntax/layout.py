"""Fillers where indentation makes the blocks: at which depths they may stand, and which blocks they must open.

It knows lines and blanks, no words: those are data of a grammar.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from dcode.syntax.lines import indent, inner_lines, line_end, line_start, outer_lines
from dcode.text.span import Span

STEP = b"    "
"""How much deeper a block is than what opens it, where no tab says otherwise."""


def indented(fillers: Sequence[bytes], view: bytes, holes: Sequence[Span]) -> tuple[bytes, ...]:
    """The fillers, each also at the depths that the lines around a hole suggest.

    Only a hole that begins a line has to bring its indent: as deep as the next line or the one before, a step deeper
    than that one, a step less deep than the next, as deep as any block that is open before or ends behind it, or none.
    """
    depths: dict[bytes, None] = {}
    for hole in _at_line_starts(view, holes):
        after, before = ([indent(line) for line in lines] or [b""] for lines in _around(view, hole))
        step = _step(view, hole)
        near = (after[0], before[0], before[0] + step, after[0].removesuffix(step))
        depths |= dict.fromkeys((*near, *after[1:2], *before[1:], *after[2:], b""))
    return tuple(
        depth + filler.replace(b"\n", b"\n" + depth) for filler in fillers for depth in (depths or {b"": None})
    )


def headers(openers: Mapping[bytes, bytes], body: bytes, view: bytes, holes: Sequence[Span]) -> tuple[bytes, ...]:
    """Lines that open the blocks which end behind a hole: the innermost, the two innermost, and so on; `body` is one.

    `openers`: by the word of a line that goes on with a block, what may begin that block; under b"" what begins any
    other, and under b"*" what may stand around them all.
    """
    found: dict[bytes, None] = {}
    for hole in _at_line_starts(view, holes) if openers else ():
        first, *outer = _around(view, hole)[0] or [b""]
        opened = b""
        if (word := _word(first)) in openers:
            opened = indent(first) + openers[word] + b"\n" + indent(first) + _step(view, hole) + body
            found[opened] = None
        for line in outer if outer and not indent(outer[-1]) else [*outer, b"x"]:
            inside = b"\n" + opened if opened else b""
            opened = indent(line) + openers.get(_word(line), openers[b""]) + inside
            found |= dict.fromkeys((opened, indent(line) + openers[b"*"] + inside))
    return tuple(found)


def footers(closers: Mapping[bytes, bytes], body: bytes, view: bytes, holes: Sequence[Span]) -> tuple[bytes, ...]:
    """Lines that end the blocks which are open before a hole: a body, and for each that must not end with it, what its
    `closers` say, by the word that began it."""
    found: dict[bytes, None] = {}
    for hole in _at_line_starts(view, holes):
        step, lines = _step(view, hole), _around(view, hole)[1]
        for deeper in (step, b""):
            ended = indent(b"".join(lines[:1])) + deeper + body
            for line in lines:
                if closer := closers.get(_word(line)):
                    ended += b"\n" + indent(line) + closer + b"\n" + indent(line) + step + body
                    found[ended] = None
    return tuple(found)


def _at_line_starts(view: bytes, holes: Sequence[Span]) -> Iterator[Span]:
    return (hole for hole in holes if hole.start == line_start(view, hole.start))


def _around(view: bytes, hole: Span) -> tuple[list[bytes], list[bytes]]:
    """The lines behind and before a hole, nearest first, that are less deep than all of these that are nearer."""
    return list(outer_lines(view, line_end(view, hole.end) + 1)), list(inner_lines(view, hole.start))


def _step(view: bytes, hole: Span) -> bytes:
    return b"\t" if b"\t" in b"".join(indent(line) for lines in _around(view, hole) for line in lines) else STEP


def _word(line: bytes) -> bytes:
    return b"".join(re.findall(rb"\w+", line)[:1])
