"""The search for fills that are known to parse is short, ordered and stops at the first."""

from hypothesis import given
from hypothesis import strategies as st

from dcode.syntax.witness import TRIALS, Fills, indented, search
from dcode.text.span import Span


def test_what_was_there_comes_first() -> None:
    asked: list[Fills] = []
    assert search((b"a", b"b"), [b"x"], lambda fills: asked.append(fills) or 0) == (b"a", b"b")
    assert asked == [(b"a", b"b")]


def test_one_filler_everywhere_comes_second() -> None:
    assert search((b"?", b"?"), [b"x", b"y"], lambda fills: sum(fill != b"y" for fill in fills)) == (b"y", b"y")


def test_holes_may_need_different_fillers() -> None:
    wanted = (b"x", b"?", b"y")
    found = search(
        (b"?", b"?", b"?"), [b"x", b"y"], lambda fills: sum(a != b for a, b in zip(fills, wanted, strict=True))
    )
    assert found == wanted


def test_without_a_witness_there_is_none() -> None:
    assert search((b"?",), [b"x"], lambda fills: 1) is None


@given(st.integers(1, 5), st.integers(0, 90), st.integers(0, 9))
def test_the_judge_is_asked_a_bounded_number_of_times_and_never_twice(holes: int, fillers: int, least: int) -> None:
    asked: list[Fills] = []

    def blame(fills: Fills) -> int:
        asked.append(fills)
        return 1 + least + len(asked) % 7

    assert search((b"?",) * holes, [b"%d" % n for n in range(fillers)], blame) is None
    assert len(asked) == len(set(asked)) <= TRIALS


def test_a_hole_at_a_line_start_gets_the_depths_around_it() -> None:
    view = b"def f(a):\n    b = a\n\n        return b\n"
    at = view.index(b"\n\n") + 1
    found = indented([b"x", b"if:\n y"], view, [Span(at, at)])
    assert found[:4] == (b"        x", b"    x", b"x", b"        if:\n         y")
    assert indented([b"x"], view, [Span(at - 2, at - 1)]) == (b"x",)
