"""What is known of a file before anything is filled in: a witness, and the faults that are not a fill's.

It knows judges and fillers, no language.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from dcode.syntax.identity import OldFaults, filled, touch
from dcode.syntax.lines import lines_around, with_next_line
from dcode.syntax.witness import Blame, Fills, Judge, Language, Part, clean, parts, search, trials
from dcode.text.checker import Draft
from dcode.text.fault import Fault
from dcode.text.span import Span

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


def baseline(view: bytes, holes: Sequence[Span], language: Language) -> Baseline:
    """Search a witness among what was there and the fillers, then note what is left; cheapest judge first.

    A witness brings no fault that the file lacked, and leaves none in or next to its own lines, where nobody
    could say whose it is. One that leaves none in the lines around goes before one that does.
    """
    judges = [lru_cache(_REMEMBERED)(judge) for judge in language.judges]
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
    if holes and _all(judges, view):
        asked = replace(language, judges=judges)
        witness = _in_parts(view, holes, asked, blame)
        fillers = language.fillers(view, holes) if witness is None and trials(view) else ()
        witness = witness or search(originals, fillers, blame, trials(view))
    draft = filled(view, holes, originals if witness is None else witness)
    sound = Span(0, len(view)) if witness is not None and not judges[-1](draft.data) else None
    if sound is None and holes:
        part = _around(draft, holes, language.statements(draft.data))
        fills = clean(view, Part(part), holes, language)
        # The dearest judge tells of one fault a file: once that is gone, it tells of the next.
        if fills is not None and not blame(fills, judges[: max(1, len(judges) - 1)]):
            witness, draft, sound = fills, filled(view, holes, fills), part
    return Baseline(witness, OldFaults.of(_all(judges, draft.data), draft.holes, holes), sound)


def _in_parts(view: bytes, holes: Sequence[Span], language: Language, blame: Blame) -> Fills | None:
    """The first fills with which a part is clean and the file has no fault left; else the first that bring none."""
    found: Fills | None = None
    for part in parts(view, holes, language):
        fills = clean(view, part, holes, language)
        if fills is None or blame(fills):
            continue
        # Faults that are left may be the holes' own, seen far from them.
        if not _all(language.judges, filled(view, holes, fills).data):
            return fills
        found = found or fills
    return found


def _around(draft: Draft, original: Sequence[Span], statements: Sequence[Span]) -> Span:
    """The statements at the top of a file that touch a hole, and one on each side; in bytes of the original view."""
    start, end = draft.holes[0].start, draft.holes[-1].end
    touching = [n for n, span in enumerate(statements) if touch(span, Span(start, end))]
    if touching:
        start = min(start, statements[max(0, touching[0] - 1)].start)
        end = max(end, statements[min(len(statements) - 1, touching[-1] + 1)].end)
    # Holes and statements are told in the draft, whose end lies as far from the file's end as the original's.
    lines = lines_around(draft.data, Span(start, end))
    return Span(lines.start, original[-1].end + lines.end - draft.holes[-1].end)


def _all(judges: Sequence[Judge], view: bytes) -> list[Fault]:
    return [fault for judge in judges for fault in judge(view)]
