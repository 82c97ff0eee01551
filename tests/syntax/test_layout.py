"""Depths and blocks that a hole may need, from the indentation around it."""

from dcode.syntax.grammar import grammar
from dcode.syntax.layout import footers, headers, indented
from dcode.text.span import Span

PYTHON = grammar("python")


def hole(before: bytes, behind: bytes) -> tuple[bytes, list[Span]]:
    return before + b"\n" + behind, [Span(len(before), len(before))]


def test_a_hole_at_a_line_start_gets_the_depths_around_it() -> None:
    view, holes = hole(b"def f(a):\n    b = a\n", b"        return b\n")
    found = indented([b"x", b"if:\n y"], view, holes)
    assert found[:4] == (b"        x", b"    x", b"x", b"        if:\n         y")
    assert indented([b"x"], view, [holes[0].shift(-1)]) == (b"x",)


def test_a_step_is_a_tab_where_the_lines_around_have_tabs() -> None:
    assert b"\t\tx" in indented([b"x"], *hole(b"if a:\n\tb\n", b"c\n"))


def test_the_blocks_that_end_behind_a_hole_are_opened_one_after_the_other() -> None:
    openers = {b"": b"for:", b"*": b"def:", b"else": b"if:", b"except": b"try:"}
    found = headers(
        openers, b"pass", *hole(b"", b"            a\n        else:\n            b\n    except x:\n        c\nd\n")
    )
    inner, both = b"        if:", b"    try:\n        if:"
    assert found == (inner, b"        def:", both, b"    def:\n" + inner, b"for:\n" + both, b"def:\n" + both)


def test_a_line_that_goes_on_with_a_block_needs_one_that_is_whole() -> None:
    found = headers({b"": b"for:", b"*": b"def:", b"else": b"if:"}, b"pass", *hole(b"", b"else:\n    a\n"))
    assert found[0] == b"if:\n    pass"
    assert headers({}, b"pass", *hole(b"", b"else:\n    a\n")) == ()


def test_blocks_that_need_an_end_get_it() -> None:
    found = footers({b"try": b"except:"}, b"pass", *hole(b"try:\n    try:\n        with a:\n", b"b\n"))
    inner = b"            pass\n    except:\n        pass"
    assert found[:2] == (inner, inner + b"\nexcept:\n    pass")
    assert footers({b"try": b"except:"}, b"pass", *hole(b"try:\n    a\nfinally:\n", b"b\n")) == ()
