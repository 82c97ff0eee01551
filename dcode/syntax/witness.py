"""A filler for every hole with which the file is known to parse: the ground that a guarantee stands on.

It knows fillers and a judge, no grammar. What bounds the search is a count of trials, not a clock: the answer
is always the same.
"""

from collections.abc import Callable, Iterator, Sequence

Fills = tuple[bytes, ...]
Blame = Callable[[Fills], int]
"""How many faults the file has because of these fills; 0 makes them a witness."""

TRIALS = 64
"""The most often the judge is asked."""

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


def _moves(originals: Fills, fillers: Sequence[bytes]) -> Iterator[tuple[Sequence[int], bytes]]:
    """Which holes to fill with what, next."""
    holes = range(len(originals))
    common, rest = (fillers[:COMMON], fillers[COMMON:]) if len(holes) > 1 else (fillers, ())
    yield from ((holes, filler) for filler in common)
    for hole in holes:
        yield from (((hole,), filler) for filler in (originals[hole], *common))
    for hole in holes:
        yield from (((hole,), filler) for filler in rest)
