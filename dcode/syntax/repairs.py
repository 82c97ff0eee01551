"""R1 in one call: from the faults of a text to the single changes that mend it.

It puts the parts together (suspects, shell, fillers, certify) and knows no model and no baseline.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from dcode.syntax.certify import TRIALS, advancing, certify
from dcode.syntax.grammar import Grammar
from dcode.syntax.lines import line_end, line_start
from dcode.syntax.shell import Shell, shells
from dcode.syntax.suspects import detections, fillers, suspects
from dcode.text.checker import Certified
from dcode.text.fault import Fault
from dcode.text.span import Span

SHELLS = 3
"""How many parts, ever wider, are searched until one has a mending change."""

CHEAPER = 4
"""So many times as many trials are allowed where they only ask for the first fault that is left."""

PARSED_BYTES = 4_000_000
"""How much text one search may parse: it lowers the number of trials where the shell is large."""


def repairs(
    grammar: Grammar,
    view: bytes,
    faults: Sequence[Fault],
    level: int = 0,
    within: Sequence[Span] | None = None,
    extra: Mapping[Span, Sequence[bytes]] | None = None,
    trials: int = TRIALS,
) -> tuple[Certified, ...]:
    """Every single change, near these faults, with which the part of the file around them parses; nearest first.

    `within`: the only places that may change; `extra`: fillers to try first at a suspect. What it returns holds for
    a shell (see `dcode.syntax.shell`): check the whole file before you rely on it.
    """
    for search in searches(grammar, view, faults, level, within, extra or {}, trials):
        passes = partial(search.around.parses, since=search.around.hopeless())
        if found := certify(passes, search.places, search.fillers, search.trials):
            return found
    return ()


def advances(
    grammar: Grammar,
    view: bytes,
    faults: Sequence[Fault],
    level: int = 0,
    within: Sequence[Span] | None = None,
    trials: int = TRIALS,
) -> tuple[Certified, ...]:
    """Where no single change is enough: those that leave less of the part behind its first fault, the least first."""
    search = next(searches(grammar, view, faults, level, within, {}, trials), None)
    if search is None:
        return ()
    around, nothing = search.around, Span(search.around.part.start, search.around.part.start)
    text, since = around.text(nothing, b""), around.hopeless()
    here = around.rest(nothing, b"", since)
    # What leads out of the line says more than what leads to another place in it.
    out = len(text) - line_end(text, len(text) - here)
    further = partial(around.rest, since=since)
    return advancing(further, search.places, search.fillers, here, out, affordable(around, trials * CHEAPER))


@dataclass(frozen=True)
class Search:
    """One part to search, and what with."""

    around: Shell
    places: tuple[Span, ...]
    fillers: Callable[[Span], Sequence[bytes]]
    trials: int


def searches(
    grammar: Grammar,
    view: bytes,
    faults: Sequence[Fault],
    level: int,
    within: Sequence[Span] | None,
    extra: Mapping[Span, Sequence[bytes]],
    trials: int,
) -> Iterator[Search]:
    """The parts of the text around these faults that are broken, ever wider, each with the places to change in it."""
    places = suspects(grammar, view, faults, level, within)
    if not places:
        return

    def choice(span: Span) -> Sequence[bytes]:
        return fillers(grammar, view, span, extra.get(span, ()))

    # A part that passes as it is does not hold the fault.
    broken = (one for one in shells(grammar, view, doubted(view, faults)) if one.whole or not one.sound)
    for around in islice(broken, SHELLS):
        part = around.part
        inside = tuple(one for one in places if part.start <= one.start and one.end <= part.end)
        yield Search(around, inside, choice, affordable(around, trials))


def doubted(view: bytes, faults: Sequence[Fault]) -> Span:
    """The line of the first detection and the one above."""
    at = detections(view, faults)[0]
    return Span(line_start(view, max(line_start(view, at) - 1, 0)), line_end(view, at))


def affordable(around: Shell, trials: int) -> int:
    """How many of the trials a part of this length allows."""
    return min(trials, PARSED_BYTES // (len(around.part) + 1))
