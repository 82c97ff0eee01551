"""Where the damage behind a fault may lie: lines around it, wider with each level, never outside the holes.

It knows neither language nor parser, only positions. What is not in a hole cannot be changed, so a fault that
lies outside is blamed on the nearest hole.
"""

from collections.abc import Sequence

from dcode.syntax.lines import lines_around
from dcode.text.checker import Draft
from dcode.text.fault import Fault
from dcode.text.span import Span

EXTRA_LINES = (0, 3)
"""How many lines above and below the fault's own, at each level. One level further: the holes as a whole."""


def candidates(draft: Draft, fault: Fault, level: int) -> Sequence[Span] | None:
    """The parts of the holes to doubt at this level (from 0), in order; each level contains the one before.

    None when there is no such level. A part is empty only where its hole is.
    """
    if level > len(EXTRA_LINES) or not draft.holes:
        return None
    if level == len(EXTRA_LINES):
        return draft.holes
    base = fault.span
    if not _clip(lines_around(draft.data, base), draft.holes):
        base = _nearest(base, draft.holes)
    return _clip(lines_around(draft.data, base, EXTRA_LINES[level]), draft.holes)


def _clip(window: Span, holes: Sequence[Span]) -> tuple[Span, ...]:
    """What of the holes lies within these lines, the newline of the last one included."""
    parts = (
        Span(max(hole.start, window.start), min(hole.end, window.end + 1))
        for hole in holes
        if hole.start <= window.end and window.start <= hole.end
    )
    return tuple(part for part in parts if len(part) or part in holes)


def _nearest(span: Span, holes: Sequence[Span]) -> Span:
    """The byte of a hole that is nearest to the span; of the earlier hole if two are equally near."""

    def distance(hole: Span) -> int:
        return max(span.start - hole.end, hole.start - span.end)

    hole = min(holes, key=distance)
    if hole.start >= span.end:
        return Span(hole.start, min(hole.start + 1, hole.end))
    return Span(max(hole.end - 1, hole.start), hole.end)
