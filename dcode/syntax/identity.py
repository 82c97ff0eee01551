"""Which faults of two versions of a file are the same. Versions differ inside their holes only.

A fault is known by who found it, its kind, its context and where it starts, counted in the bytes of the file
as it was when the holes were cut. A fault that starts inside a hole is like no other. One more rule: how far a
parser's confusion reaches depends on what follows, so faults that overlap outside the holes are the same too.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from dcode.text.checker import Draft
from dcode.text.fault import Fault, Kind
from dcode.text.span import Span


@dataclass(frozen=True, slots=True)
class Identity:
    """What two faults share if they are the same; `start` is in bytes of the original view."""

    checker: str
    kind: Kind
    context: str
    start: int


@dataclass(frozen=True, slots=True)
class OldFaults:
    """The faults outside the holes of one version, to know them again in another.

    `places` are, by checker, those that do not reach into a hole, in the original view: where each starts, in order,
    and how far it and those before it reach.
    """

    identities: frozenset[Identity]
    places: Mapping[str, tuple[Sequence[int], Sequence[int]]]

    @staticmethod
    def of(faults: Sequence[Fault], holes: Sequence[Span], original: Sequence[Span]) -> "OldFaults":
        """The faults of a version whose `holes` were at `original`; those inside the holes are left out."""
        known = (identity(fault, holes, original) for fault in faults)
        spans: dict[str, list[Span]] = {}
        for fault in faults:
            if (place := _place(fault, holes, original)) is not None:
                spans.setdefault(fault.checker, []).append(place)
        places = {checker: _reach(sorted(group)) for checker, group in spans.items()}
        return OldFaults(frozenset(one for one in known if one is not None), places)

    def have(self, fault: Fault, holes: Sequence[Span], original: Sequence[Span]) -> bool:
        """Whether a fault of another version is one of these."""
        if identity(fault, holes, original) in self.identities:
            return True
        place = _place(fault, holes, original)
        if place is None or fault.checker not in self.places:
            return False
        starts, ends = self.places[fault.checker]
        before = bisect_right(starts, place.end)
        return before > 0 and ends[before - 1] >= place.start


def _reach(spans: Sequence[Span]) -> tuple[Sequence[int], Sequence[int]]:
    return [span.start for span in spans], list(accumulate((span.end for span in spans), max))


def identity(fault: Fault, holes: Sequence[Span], original: Sequence[Span]) -> Identity | None:
    """The identity of a fault of a version whose `holes` were at `original`; None inside a hole."""
    start = original_offset(fault.span.start, holes, original)
    return None if start is None else Identity(fault.checker, fault.kind, fault.context, start)


def touch(one: Span, other: Span) -> bool:
    """Whether two spans overlap or meet."""
    return one.start <= other.end and other.start <= one.end


def original_offset(offset: int, holes: Sequence[Span], original: Sequence[Span]) -> int | None:
    """Where a byte of a version lies in the original; None in a hole. The end of a hole is behind it."""
    shift = 0
    for here, there in zip(holes, original, strict=True):
        if offset < here.start:
            break
        if offset < here.end:
            return None
        shift = there.end - here.end
    return offset + shift


def filled(view: bytes, holes: Sequence[Span], fills: Sequence[bytes]) -> Draft:
    """The view with the bytes of each hole (in order, not overlapping) replaced by its fill."""
    pieces: list[bytes] = []
    spans: list[Span] = []
    done = length = 0
    for hole, fill in zip(holes, fills, strict=True):
        start = length + hole.start - done
        pieces += [view[done : hole.start], fill]
        spans.append(Span(start, start + len(fill)))
        done, length = hole.end, start + len(fill)
    return Draft(b"".join([*pieces, view[done:]]), tuple(spans))


def replaced(draft: Draft, span: Span, replacement: bytes) -> Draft:
    """The draft with `replacement` at `span`, which must lie inside one of its holes."""
    inside = [hole.start <= span.start and span.end <= hole.end for hole in draft.holes]
    assert any(inside), "an edit outside the holes"
    edited, by = inside.index(True), len(replacement) - len(span)
    holes = (
        *draft.holes[:edited],
        Span(draft.holes[edited].start, draft.holes[edited].end + by),
        *(hole.shift(by) for hole in draft.holes[edited + 1 :]),
    )
    return Draft(draft.data[: span.start] + replacement + draft.data[span.end :], holes)


def _place(fault: Fault, holes: Sequence[Span], original: Sequence[Span]) -> Span | None:
    """The span of a fault in the original view; None if it reaches into a hole."""
    start = original_offset(fault.span.start, holes, original)
    within = any(fault.span.start < hole.end and hole.start < fault.span.end for hole in holes)
    return None if start is None or within else Span(start, start + len(fault.span))
