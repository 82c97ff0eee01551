"""What is known of a file before anything is filled in: a witness, and the faults that are not a fill's.

It knows judges and fillers, no language.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from dcode.syntax.identity import OldFaults, filled, touch
from dcode.syntax.lines import lines_around, unindented, with_next_line
from dcode.syntax.witness import TRIALS, Blame, Fills, search
from dcode.text.checker import Draft
from dcode.text.fault import Fault
from dcode.text.span import Span

Judge = Callable[[bytes], Sequence[Fault]]
"""Faults of a whole view. A dear judge is asked only about text in which the cheap ones blame nothing."""

Fillers = Callable[[bytes, Sequence[Span]], Sequence[bytes]]
"""What may stand in the holes of a view, likeliest first."""

Statements = Callable[[bytes], Sequence[Span]]
"""The statements at the top of a view, in order."""

PARSED_BYTES = 4_000_000
"""How much text a search for a witness may parse: it lowers the number of trials where the text is long."""

ENDS = 4
"""How many fillers that end what stands before a hole are tried with one that begins what stands behind it."""

_REMEMBERED = 8
"""Verdicts that each judge keeps while the search goes on."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """The witness, if there is one, and the faults outside the holes that are there with it (else: anyway).

    `sound` is the part of the view, all holes in it, in which the dearest judge finds nothing with the witness: there,
    each of its faults is a new one. None if there is no such part.
    """

    witness: Fills | None
    old: OldFaults
    sound: Span | None


def baseline(
    view: bytes, holes: Sequence[Span], fillers: Fillers, by: Sequence[Judge], statements: Statements
) -> Baseline:
    """Search a witness among what was there and the fillers, then note what is left; cheapest judge first.

    A witness brings no fault that the file lacked, and leaves none in or next to its own lines, where nobody
    could say whose it is. One that leaves none in the statements around goes before one that does.
    """
    judges = [lru_cache(_REMEMBERED)(judge) for judge in by]
    originals = tuple(view[hole.start : hole.end] for hole in holes)
    before = OldFaults.of(_all(judges, view), holes, holes)

    def blame(fills: Fills, judges: Sequence[Judge] = judges) -> int:
        draft = filled(view, holes, fills)
        zones = [with_next_line(draft.data, hole) for hole in draft.holes]
        for dearer, judge in zip(reversed(range(len(judges))), judges, strict=True):
            faults = judge(draft.data)
            new = {fault for fault in faults if not before.have(fault, draft.holes, holes)}
            near = {fault for fault in faults if any(touch(fault.span, zone) for zone in zones)}
            if new | near:
                return len(new | near) + dearer
        return 0

    witness: Fills | None = originals
    if blame(originals):
        # The lines around are soon tried with many fillers, however long the file is.
        witness = _clean(view, unindented(view, Span(holes[0].start, holes[-1].end)), holes, fillers, by)
        if witness is None or blame(witness):
            witness = search(originals, fillers(view, holes), blame, _trials(view))
    draft = filled(view, holes, originals if witness is None else witness)
    sound = Span(0, len(view)) if witness is not None and not judges[-1](draft.data) else None
    if sound is None and holes:
        part = _around(draft, holes, statements)
        fills = _clean(view, part, holes, fillers, by)
        # The dearest judge tells of one fault a file: once that is gone, it tells of the next.
        if fills is not None and not blame(fills, judges[: max(1, len(judges) - 1)]):
            witness, draft, sound = fills, filled(view, holes, fills), part
    return Baseline(witness, OldFaults.of(_all(judges, draft.data), draft.holes, holes), sound)


def _around(draft: Draft, original: Sequence[Span], statements: Statements) -> Span:
    """The statements at the top of a file that touch a hole, and one on each side; in bytes of the original view."""
    start, end = draft.holes[0].start, draft.holes[-1].end
    every = statements(draft.data)
    touching = [n for n, span in enumerate(every) if touch(span, Span(start, end))]
    if touching:
        start = min(start, every[max(0, touching[0] - 1)].start)
        end = max(end, every[min(len(every) - 1, touching[-1] + 1)].end)
    # Holes and statements are told in the draft, whose end lies as far from the file's end as the original's.
    lines = lines_around(draft.data, Span(start, end))
    return Span(lines.start, original[-1].end + lines.end - draft.holes[-1].end)


def _clean(view: bytes, part: Span, holes: Sequence[Span], fillers: Fillers, by: Sequence[Judge]) -> Fills | None:
    """Fills with which no judge finds anything in this part of the view."""
    text = view[part.start : part.end]
    inside = [hole.shift(-part.start) for hole in holes]

    def blame(fills: Fills) -> int:
        draft = filled(text, inside, fills)
        for dearer, judge in zip(reversed(range(len(by))), by, strict=True):
            if faults := judge(draft.data):
                return len(faults) + dearer
        return 0

    originals = tuple(text[hole.start : hole.end] for hole in inside)
    found = search(originals, fillers(text, inside), blame, _trials(text))
    return found or (_ended_and_begun(text, inside[0], fillers, by, blame) if len(inside) == 1 else None)


def _ended_and_begun(text: bytes, hole: Span, fillers: Fillers, by: Sequence[Judge], blame: Blame) -> Fills | None:
    """For a hole in which one thing ends and another begins: a filler that ends what stands before it, so that it would
    do as a file, and one in a line of its own that begins what stands behind."""
    before, behind = text[: hole.start], text[hole.end :]
    ends = (one + b"\n" for one in fillers(text, [hole])[: _trials(text)] if one.strip())
    whole = (one for one in ends if not any(judge(before + one) for judge in by))
    for end in islice(whole, ENDS):
        place = Span(len(before + end), len(before + end))
        both = [end + one for one in fillers(before + end + behind, [place])]
        if found := search((end,), both, blame, _trials(text, ENDS)):
            return found
    return None


def _trials(text: bytes, searches: int = 1) -> int:
    """How many fillers each of some searches may try in a text of this length."""
    return min(TRIALS, PARSED_BYTES // searches // (len(text) + 1))


def _all(judges: Sequence[Judge], view: bytes) -> list[Fault]:
    return [fault for judge in judges for fault in judge(view)]
