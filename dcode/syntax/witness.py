"""A filler for every hole with which the file is known to parse: the ground that a guarantee stands on.

It knows fillers and a judge, no grammar. What bounds the search is a count of trials, not a clock: the answer
is always the same.
"""

from collections.abc import Callable, Iterator, Sequence

from dcode.syntax.lines import indent_after, indent_before, indent_outside, line_start
from dcode.text.span import Span

Fills = tuple[bytes, ...]
Blame = Callable[[Fills], int]
"""How many faults the file has because of these fills; 0 makes them a witness."""

TRIALS = 256
"""The most often the judge is asked."""

STEP = b"    "
"""How much deeper a block is than what opens it, where no tab says otherwise."""

COMMON = 12
"""How many fillers are tried in all holes before the rest is tried in any, where there are several holes."""


def search(originals: Fills, fillers: Sequence[bytes], blame: Blame, trials: int = TRIALS) -> Fills | None:
    """The first without blame of: what was there; one filler in all holes; the least blamed, hole by hole."""
    best, least = originals, blame(originals)
    tried = {originals}
    for where, filler in _moves(originals, fillers):
        if least == 0 or len(tried) == trials:
            break
        trial = tuple(filler if hole in where else fill for hole, fill in enumerate(best))
        if trial in tried:
            continue
        tried.add(trial)
        if (count := blame(trial)) < least:
            best, least = trial, count
    return best if least == 0 else None


def indented(fillers: Sequence[bytes], view: bytes, holes: Sequence[Span]) -> tuple[bytes, ...]:
    """The fillers, each also at the depths that the lines around a hole suggest.

    Only a hole that begins a line has to bring its indent: as deep as the next line or the one before, a step deeper
    than that one, a step less deep than the next, as deep as the first that is less deep, or none.
    """
    depths: dict[bytes, None] = {}
    for hole in holes:
        if hole.start == line_start(view, hole.start):
            after, before = indent_after(view, hole.end), indent_before(view, hole.start)
            step = b"\t" if b"\t" in before + after else STEP
            outer = indent_outside(view, hole.end)
            depths |= dict.fromkeys((after, before, before + step, after.removesuffix(step), outer, b""))
    return tuple(
        depth + filler.replace(b"\n", b"\n" + depth) for filler in fillers for depth in (depths or {b"": None})
    )


def _moves(originals: Fills, fillers: Sequence[bytes]) -> Iterator[tuple[Sequence[int], bytes]]:
    """Which holes to fill with what, next."""
    holes = range(len(originals))
    common, rest = (fillers[:COMMON], fillers[COMMON:]) if len(holes) > 1 else (fillers, ())
    yield from ((holes, filler) for filler in common)
    for hole in holes:
        yield from (((hole,), filler) for filler in (originals[hole], *common))
    for hole in holes:
        yield from (((hole,), filler) for filler in rest)
