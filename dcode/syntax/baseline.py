"""What is known of a file before anything is filled in: a witness, and the faults that are not a fill's.

It knows judges and fillers, no language.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from dcode.syntax.identity import OldFaults, filled, touch
from dcode.syntax.lines import with_next_line
from dcode.syntax.witness import Fills, search
from dcode.text.fault import Fault
from dcode.text.span import Span

Judge = Callable[[bytes], Sequence[Fault]]
"""Faults of a whole view. A dear judge is asked only about text in which the cheap ones blame nothing."""

_REMEMBERED = 8
"""Verdicts that each judge keeps while the search goes on."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """The witness, if there is one, and the faults outside the holes that are there with it (else: anyway).

    `failed` names the checkers that found any fault at all, in the same text.
    """

    witness: Fills | None
    old: OldFaults
    failed: frozenset[str]


def baseline(view: bytes, holes: Sequence[Span], fillers: Sequence[bytes], by: Sequence[Judge]) -> Baseline:
    """Search a witness among what was there and the fillers, then note what is left; cheapest judge first.

    A witness brings no fault that the file lacked, and leaves none in or next to its own lines, where nobody
    could say whose it is.
    """
    judges = [lru_cache(_REMEMBERED)(judge) for judge in by]
    originals = tuple(view[hole.start : hole.end] for hole in holes)
    before = OldFaults.of(_all(judges, view), holes, holes)

    def blame(fills: Fills) -> int:
        draft = filled(view, holes, fills)
        zones = [with_next_line(draft.data, hole) for hole in draft.holes]
        for dearer, judge in zip(reversed(range(len(judges))), judges, strict=True):
            faults = judge(draft.data)
            new = {fault for fault in faults if not before.have(fault, draft.holes, holes)}
            near = {fault for fault in faults if any(touch(fault.span, zone) for zone in zones)}
            if new | near:
                return len(new | near) + dearer
        return 0

    witness = search(originals, fillers, blame)
    draft = filled(view, holes, originals if witness is None else witness)
    left = _all(judges, draft.data)
    old = OldFaults.of(left, draft.holes, holes)
    return Baseline(witness, old, frozenset(fault.checker for fault in left))


def _all(judges: Sequence[Judge], view: bytes) -> list[Fault]:
    return [fault for judge in judges for fault in judge(view)]
