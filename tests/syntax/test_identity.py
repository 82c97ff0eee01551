"""Which faults of two versions are the same, and how fills are put into a file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcode.syntax.identity import Identity, OldFaults, filled, identity, original_offset, replaced
from dcode.text.checker import Draft
from dcode.text.fault import Fault
from dcode.text.span import Span


@pytest.mark.parametrize(
    ("offset", "original"),
    [(0, 0), (3, 3), (4, None), (8, None), (9, 6), (10, 7), (13, 10), (14, 12), (15, 13)],
)
def test_offsets_outside_holes_map_to_the_original(offset: int, original: int | None) -> None:
    here, there = [Span(4, 9), Span(14, 14)], [Span(4, 6), Span(11, 12)]
    assert original_offset(offset, here, there) == original


def test_a_fault_keeps_its_identity_when_bytes_before_it_change() -> None:
    before = Fault(Span(20, 22), "error", "unexpected 'x'", "c", "block")
    after = Fault(Span(23, 29), "error", "unexpected 'y'", "c", "block")
    old, new = [Span(5, 7)], [Span(5, 10)]
    assert identity(before, old, old) == identity(after, new, old) == Identity("c", "error", "block", 20)


@pytest.mark.parametrize(
    "other",
    [
        Fault(Span(20, 22), "error", "", "other", "block"),
        Fault(Span(20, 22), "missing", "", "c", "block"),
        Fault(Span(20, 22), "error", "", "c", "module"),
        Fault(Span(21, 22), "error", "", "c", "block"),
    ],
)
def test_what_differs_in_any_part_is_another_fault(other: Fault) -> None:
    holes = [Span(5, 7)]
    assert identity(Fault(Span(20, 22), "error", "", "c", "block"), holes, holes) != identity(other, holes, holes)


def test_a_fault_in_a_hole_is_like_no_other() -> None:
    assert identity(Fault(Span(6, 9), "error", "", "c"), [Span(5, 7)], [Span(5, 7)]) is None


@pytest.mark.parametrize(
    ("span", "old"),
    [
        (Span(20, 22), True),  # the same place
        (Span(17, 20), True),  # meets it
        (Span(16, 30), True),  # around it
        (Span(23, 24), False),  # behind it
        (Span(7, 22), True),  # from the end of the hole on
        (Span(6, 22), False),  # out of the hole
        (Span(4, 22), False),  # over the hole
    ],
)
def test_faults_that_overlap_outside_the_holes_are_the_same(span: Span, old: bool) -> None:
    known = OldFaults.of([Fault(Span(20, 22), "error", "", "c", "block")], [Span(5, 7)], [Span(5, 7)])
    assert known.have(Fault(span, "missing", "", "c", "module"), [Span(5, 7)], [Span(5, 7)]) == old
    assert not known.have(Fault(span, "missing", "", "other", "module"), [Span(5, 7)], [Span(5, 7)])


def test_an_old_fault_that_reaches_into_a_hole_excuses_no_other() -> None:
    known = OldFaults.of([Fault(Span(0, 22), "error", "", "c", "block")], [Span(5, 7)], [Span(5, 7)])
    assert not known.have(Fault(Span(10, 12), "error", "", "c", "block"), [Span(5, 7)], [Span(5, 7)])


@st.composite
def fillings(draw: st.DrawFn) -> tuple[bytes, list[Span], list[bytes]]:
    view = draw(st.binary(max_size=40))
    cuts = sorted(draw(st.lists(st.integers(0, len(view)), max_size=6)))
    holes = [Span(*pair) for pair in zip(cuts[::2], cuts[1::2], strict=False)]
    return view, holes, [draw(st.binary(max_size=5)) for _ in holes]


@given(fillings())
def test_filling_changes_the_holes_alone(case: tuple[bytes, list[Span], list[bytes]]) -> None:
    view, holes, fills = case
    draft = filled(view, holes, fills)
    assert [draft.data[hole.start : hole.end] for hole in draft.holes] == fills
    back = filled(draft.data, draft.holes, [view[hole.start : hole.end] for hole in holes])
    assert back == Draft(view, tuple(holes))


@given(fillings())
def test_every_byte_outside_maps_to_itself(case: tuple[bytes, list[Span], list[bytes]]) -> None:
    view, holes, fills = case
    draft = filled(view, holes, fills)
    for offset, byte in enumerate(draft.data):
        original = original_offset(offset, draft.holes, holes)
        inside = any(hole.start <= offset < hole.end for hole in draft.holes)
        assert (original is None) == inside
        assert original is None or view[original] == byte


def test_an_edit_inside_a_hole_moves_what_follows() -> None:
    draft = Draft(b"ab[cd]e[f]", (Span(2, 6), Span(7, 10)))
    assert replaced(draft, Span(3, 5), b"xyz") == Draft(b"ab[xyz]e[f]", (Span(2, 7), Span(8, 11)))
    assert replaced(draft, Span(8, 9), b"") == Draft(b"ab[cd]e[]", (Span(2, 6), Span(7, 9)))


def test_an_edit_outside_the_holes_is_our_bug() -> None:
    with pytest.raises(AssertionError):
        replaced(Draft(b"abcd", (Span(1, 2),)), Span(1, 3), b"")
