"""Candidates stay in the holes, grow with the level, and end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcode.syntax.lines import lines_around, with_next_line
from dcode.syntax.localise import EXTRA_LINES, candidates
from dcode.text.checker import Draft
from dcode.text.fault import Fault
from dcode.text.span import Span

TEXT = b"".join(b"line%02d\n" % number for number in range(30))


def line(first: int, last: int | None = None) -> Span:
    """Lines of TEXT from 0, both included."""
    return Span(first * 7, (first if last is None else last) * 7 + 7)


def fault(start: int, end: int | None = None) -> Fault:
    return Fault(Span(start, start if end is None else end), "error", "", "c")


@pytest.mark.parametrize(
    ("level", "span"),
    [(0, line(10)), (1, line(7, 13)), (2, line(4, 25)), (3, None), (99, None)],
)
def test_the_ladder_of_one_fault(level: int, span: Span | None) -> None:
    draft = Draft(TEXT, (line(4, 25),))
    assert candidates(draft, fault(72, 73), level) == (None if span is None else (span,))


def test_a_fault_of_several_lines_is_all_of_them() -> None:
    assert candidates(Draft(TEXT, (line(4, 25),)), fault(72, 90), 0) == (line(10, 12),)


@pytest.mark.parametrize(("at", "span"), [(0, line(4)), (27, line(4)), (150, line(8)), (210, line(8))])
def test_a_fault_outside_is_blamed_on_the_nearest_line_of_the_hole(at: int, span: Span) -> None:
    assert candidates(Draft(TEXT, (line(4, 8),)), fault(at), 0) == (span,)


@pytest.mark.parametrize(("at", "span"), [(80, line(4, 8)), (130, line(20, 21))])
def test_of_two_holes_the_nearer_one_is_blamed(at: int, span: Span) -> None:
    found = candidates(Draft(TEXT, (line(4, 8), line(20, 21))), fault(at), 0)
    assert found is not None and len(found) == 1
    assert span.start <= found[0].start and found[0].end <= span.end


def test_a_hole_in_a_line_is_never_left() -> None:
    draft = Draft(b"f(a, b, c)\n", (Span(2, 3), Span(8, 9)))
    assert candidates(draft, fault(5), 0) == (Span(2, 3), Span(8, 9))


def test_an_empty_hole_is_still_a_place() -> None:
    assert candidates(Draft(b"f()\n", (Span(2, 2),)), fault(0), 0) == (Span(2, 2),)


def test_without_holes_there_are_no_candidates() -> None:
    assert candidates(Draft(b"f()\n", ()), fault(0), 0) is None


@st.composite
def drafts(draw: st.DrawFn) -> tuple[Draft, Fault]:
    data = draw(st.text(alphabet="a \n", max_size=80)).encode()
    cuts = sorted(
        draw(st.lists(st.integers(0, len(data)), min_size=2, max_size=6, unique=True)) if len(data) > 1 else [0, 0]
    )
    holes = tuple(Span(*pair) for pair in zip(cuts[::2], cuts[1::2], strict=False))
    ends = sorted((draw(st.integers(0, len(data))), draw(st.integers(0, len(data)))))
    return Draft(data, holes), fault(*ends)


@given(drafts())
def test_candidates_lie_in_holes_in_order_and_only_grow(case: tuple[Draft, Fault]) -> None:
    draft, found = case
    before: set[int] = set()
    for level in range(len(EXTRA_LINES) + 1):
        spans = candidates(draft, found, level)
        assert spans, "a fault with a hole always has a candidate"
        assert list(spans) == sorted(spans)
        assert all(any(hole.start <= span.start and span.end <= hole.end for hole in draft.holes) for span in spans)
        covered = {offset for span in spans for offset in range(span.start, span.end)}
        assert before <= covered
        before = covered
    assert before == {offset for hole in draft.holes for offset in range(hole.start, hole.end)}
    assert candidates(draft, found, len(EXTRA_LINES) + 1) is None


@pytest.mark.parametrize(
    ("span", "more", "lines"),
    [
        (Span(0, 0), 0, Span(0, 1)),
        (Span(1, 1), 0, Span(0, 1)),
        (Span(0, 2), 0, Span(0, 1)),
        (Span(0, 3), 0, Span(0, 4)),
        (Span(2, 2), 0, Span(2, 4)),
        (Span(5, 5), 0, Span(5, 5)),
        (Span(5, 5), 1, Span(2, 7)),
        (Span(7, 8), 9, Span(0, 8)),
        (Span(8, 8), 0, Span(8, 8)),
    ],
)
def test_lines_around_a_span(span: Span, more: int, lines: Span) -> None:
    assert lines_around(b"a\nbb\n\nc\n", span, more) == lines


def test_the_next_line_that_is_not_blank() -> None:
    assert with_next_line(b"a\nbb\n  \n\n c\nd\n", Span(3, 4)) == Span(2, 11)
    assert with_next_line(b"a\nb\n \n", Span(2, 3)) == Span(2, 6)
    assert with_next_line(b"", Span(0, 0)) == Span(0, 0)
