"""Which lexemes may be the wrong one behind a fault, and what may be put in their place.

About two dozen places, nearest to the detection first. An empty span is a place for an insertion. It judges nothing:
`dcode.syntax.certify` keeps those that a parser agrees with.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise

from dcode.syntax.grammar import Grammar
from dcode.syntax.layout import STEP
from dcode.syntax.lexer import is_word, lexemes, unmatched
from dcode.syntax.lines import indent, line_end, line_start, lines_around
from dcode.syntax.strict import is_placed
from dcode.text.fault import Fault
from dcode.text.span import Span

LEXEMES = (16, 32, 96)
"""How many lexemes before a detection are doubted, at each level."""

ENCLOSED = (48, 96, 192)
"""How many lexemes behind a bracket that nothing closes are doubted, at each level."""

LINE_LEXEMES = 128
"""How many lexemes of a line, on each side of a detection, are doubted at most."""

LINE_BYTES = 4096
"""How much of a line before a place says which quotes are open there."""

GAPS = 6
"""Before how many of them, and how many behind the detection, something may be missing."""

SCOPE_LINES = 40
"""How far up a bracket or quote may have been left open."""

DETECTIONS = 2
"""How many places where checkers noticed something are looked at."""

INDENT_LINES = 8
"""How far around a line other lines say how deep it may be."""


def suspects(
    grammar: Grammar, view: bytes, faults: Sequence[Fault], level: int = 0, within: Sequence[Span] | None = None
) -> tuple[Span, ...]:
    """Places to doubt because of these faults, nearest first; more at each level from 0.

    Only places inside `within` (None: anywhere). Both lines around each detection, the last lexemes before it, open
    brackets and quotes, the ends of lines and gaps between lexemes, and indents where they matter.
    """
    points = detections(view, faults)
    if not points:
        return ()
    found: dict[Span, int] = {}
    for at in points:
        for span in _around(grammar, view, at, level):
            distance = max(at - span.end, span.start - at, 0)
            found[span] = min(distance, found.get(span, distance))
    if within is not None:
        found = {
            span: d for span, d in found.items() if any(w.start <= span.start and span.end <= w.end for w in within)
        }
    return tuple(sorted(found, key=lambda span: (found[span], -span.start, span.end)))


def detections(view: bytes, faults: Sequence[Fault]) -> tuple[int, ...]:
    """Where the checkers noticed, the most precise place first: a compiler's position, then a parser's.

    A broken node may be most of the file; the first that contains no other says more. There is none where a
    compiler alone refuses the text and cannot say where: what is too deep for it need not be wrong.
    """
    points: dict[int, None] = {}
    for fault in sorted(faults, key=lambda fault: (fault.kind != "compile", fault.span)):
        inner = any(fault.span.start <= one.span.start and one.span.end < fault.span.end for one in faults)
        if not inner and len(points) < DETECTIONS and (is_placed(fault) or len(fault.span) < len(view)):
            points[fault.span.start] = None
    if faults and len(points) < DETECTIONS and not any(fault.kind == "compile" for fault in faults):
        # A parser that gave up notices where it did so; a node that it could not end, at its end.
        points |= dict.fromkeys((faults[0].span.start, faults[0].span.end))
    return tuple(points)


def fillers(grammar: Grammar, view: bytes, span: Span, extra: Sequence[bytes] = ()) -> tuple[bytes, ...]:
    """What may stand at a suspect: nothing, `extra`, the grammar's lexemes; never what stands there.

    Quotes only where one stood or is still open in the line; depths of the lines around for an indent. A filler is
    kept apart from the words beside it.
    """
    old = view[span.start : span.end]
    depths = _indents(view, span) if grammar.block == "indent" and _is_indent(view, span) else []
    choice: list[bytes] = []
    if not depths or not old:
        start = max(line_start(view, span.start), span.start - LINE_BYTES)
        line = lexemes(grammar, view, Span(start, span.start))
        open_quotes = [view[one.start : one.end] for one in line]
        quotes = [quote for quote in grammar.quotes if quote in (old, *open_quotes)]
        quotes += grammar.quotes if any(quote in old for quote in grammar.quotes) else ()
        choice = [_apart(view, span, one) for one in (b"", *extra, *grammar.lexemes, *quotes)]
    if old and depths and old not in depths[1:]:
        # What began this line may be gone, and only its blank left.
        choice = [old[:-1] + one + old[-1:] for one in grammar.lexemes]
    return tuple(one for one in dict.fromkeys((*depths, *choice)) if one != old)


def _around(grammar: Grammar, view: bytes, at: int, level: int) -> Iterator[Span]:
    """All places to doubt because of one detection."""
    own = lines_around(view, Span(at, at))
    above = Span(_line_above(view, own.start), own.start)
    scope = Span(lines_around(view, Span(at, at), SCOPE_LINES).start, lines_around(view, own, 1 + 2 * level).end)
    every = lexemes(grammar, view, scope)
    here = bisect_right(every, Span(at, len(view)))
    least = min(bisect_left(every, Span(above.start, above.start)), max(0, here - LEXEMES[min(level, 2)]))
    most = max(here + 1, bisect_left(every, Span(own.end, own.end)))
    yield from every[max(least, here - LINE_LEXEMES) : min(most, here + LINE_LEXEMES)]
    yield from unmatched(grammar, view, every, at)
    yield from _enclosed(grammar, view, at, ENCLOSED[min(level, 2)])
    for span in every[max(0, here - GAPS) : here + GAPS]:
        yield Span(span.start, span.start)
        yield Span(span.end, span.end)
    ends = {line_end(view, start) for start in (above.start, own.start)}
    ends |= {line_end(view, span.start) for span in unmatched(grammar, view, every, at)}
    for end in ends:
        code = [span for span in every if line_start(view, end) <= span.start < end]
        yield Span(code[-1].end, code[-1].end) if code else Span(end, end)
        yield from (Span(one.start, one.start) for one in code[:1])
        yield from (Span(one.start, after.start) for one, after in pairwise(code[:2]))
    if grammar.block == "indent":
        yield from (_indent_of(view, start) for start in (above.start, own.start))


def _enclosed(grammar: Grammar, view: bytes, at: int, most: int) -> Iterator[Span]:
    """What stands behind a detection that is a bracket without a partner: one of these should have closed it. Up to
    what begins the next line that is no deeper and closes nothing."""
    every = lexemes(grammar, view, Span(at, lines_around(view, Span(at, at), SCOPE_LINES).end))
    if not every or every[0] not in unmatched(grammar, view, every, len(view)):
        return
    depth = len(_indent_of(view, line_start(view, at)))
    closes = {closing for _, closing in grammar.brackets}
    for span in every[1 : 1 + most]:
        yield span
        before = _indent_of(view, line_start(view, span.start))
        if at < before.end == span.start and len(before) <= depth and view[span.start : span.end] not in closes:
            return


def _line_above(view: bytes, start: int) -> int:
    """The start of the last line before this line start that is not blank."""
    text = view[:start].rstrip()
    return line_start(view, len(text))


def _indent_of(view: bytes, start: int) -> Span:
    return Span(start, start + len(indent(view[start : line_end(view, start)])))


def _is_indent(view: bytes, span: Span) -> bool:
    return _indent_of(view, line_start(view, span.start)) == span


def _indents(view: bytes, span: Span) -> list[bytes]:
    """The depths of the lines around, nearest first, and a step more than the one above."""
    start = line_start(view, span.start)
    near = lines_around(view, Span(start, start), INDENT_LINES)
    lines = [(abs(near.start + at - start), line) for at, line in _lines(view[near.start : near.end])]
    depths = [indent(line) for _, line in sorted(lines) if line.strip()]
    above = _indent_of(view, _line_above(view, start))
    step = b"\t" if b"\t" in b"".join(depths) else STEP
    return [*depths, view[above.start : above.end] + step, b""]


def _lines(text: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    for line in text.split(b"\n"):
        yield at, line
        at += len(line) + 1


def _apart(view: bytes, span: Span, filler: bytes) -> bytes:
    """The filler with a blank where it would grow together with a word beside it, or make two words one."""
    before, after = view[max(0, span.start - 1) : span.start], view[span.end : span.end + 1]
    if not filler:
        return b" " if is_word(before) and is_word(after) else b""
    front = b" " if is_word(before) and is_word(filler[:1]) else b""
    back = b" " if is_word(after) and is_word(filler[-1:]) else b""
    return front + filler + back
