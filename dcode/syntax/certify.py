"""R1: of the places that may be wrong, keep those where some change makes the text parse, with those changes.

Deterministic, and bounded by a count of parses. It knows no model: what it keeps is ranked by who asks.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, zip_longest
from operator import itemgetter

from dcode.text.checker import Certified
from dcode.text.span import Span

TRIALS = 4000
"""Parses that a search may take, if nobody says otherwise."""


def certify(
    passes: Callable[[Span, bytes], bool],
    spans: Iterable[Span],
    fillers: Callable[[Span], Sequence[bytes]],
    trials: int = TRIALS,
) -> tuple[Certified, ...]:
    """The places where a filler passes, and those fillers; `trials` bounds how often `passes` is asked.

    Places take turns, filler by filler, so that a small budget still looks everywhere.
    """
    return _grouped(change for change in _trials(spans, fillers, trials) if passes(*change))


def advancing(
    rest: Callable[[Span, bytes], int],
    spans: Iterable[Span],
    fillers: Callable[[Span], Sequence[bytes]],
    least: int,
    enough: int = 0,
    trials: int = TRIALS,
) -> tuple[Certified, ...]:
    """Where no change mends all: those that get further, the furthest first. `rest`: the bytes behind the first fault
    that is left. Changes that leave fewer than `enough` count; where there are none, those that leave fewer than
    `least`."""
    left = sorted(((rest(*change), change) for change in _trials(spans, fillers, trials)), key=itemgetter(0))
    most = enough if left and left[0][0] < enough else least
    return _grouped(change for count, change in left if count < most)


def _trials(
    spans: Iterable[Span], fillers: Callable[[Span], Sequence[bytes]], trials: int
) -> Iterator[tuple[Span, bytes]]:
    places = tuple(spans)
    rounds = zip_longest(*(fillers(span) for span in places))
    turns = ((span, filler) for round_ in rounds for span, filler in zip(places, round_, strict=True))
    return islice(((span, filler) for span, filler in turns if filler is not None), trials)


def _grouped(changes: Iterable[tuple[Span, bytes]]) -> tuple[Certified, ...]:
    found: dict[Span, list[bytes]] = {}
    for span, filler in changes:
        found.setdefault(span, []).append(filler)
    return tuple(Certified(span, tuple(fillers)) for span, fillers in found.items())
