"""What a hole lacks is what makes the brackets and strings around it whole, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcode.syntax.balance import any_balanced, balanced, lacking
from dcode.syntax.grammar import grammar, languages
from dcode.syntax.lexer import lexemes, unmatched
from dcode.text.span import Span

PYTHON = grammar("python")
WHOLE = st.recursive(
    st.sampled_from(["", "a", ", "]),
    lambda inner: st.tuples(st.sampled_from(["()", "[]", "{}"]), inner, inner).map(
        lambda t: t[0][0] + t[1] + t[0][1] + t[2]
    ),
    max_leaves=12,
)
"""Texts in which every bracket has a partner."""


@pytest.mark.parametrize(
    ("before", "behind", "close", "opened"),
    [
        (b"f(g[1", b"", b"])", b""),
        (b"f(g[1", b"2])", b"", b""),
        (b"f(g[1", b"2)", b"]", b""),
        (b"f(", b"1])", b"", b"["),
        (b"", b"1))", b"", b"x(x("),
        (b"f(", b"1]", b")", b"["),
        (b'f("(")', b"", b"", b""),
        (b"f(1)  # (", b"", b"", b""),
        (b'f("""a (', b"", b'""")', b""),
        (b'f("""a (', b'b """)', b"", b""),
        (b"x", b'a ( """)', b"", b'x("""'),
        (b"x = '''", b'a"""', b"'''", b'"""'),
    ],
)
def test_what_is_lacking(before: bytes, behind: bytes, close: bytes, opened: bytes) -> None:
    assert lacking(PYTHON, before, behind) == (close, opened)


@given(WHOLE, WHOLE, st.data())
def test_a_text_with_what_it_lacked_is_whole(first: str, last: str, data: st.DataObject) -> None:
    before = first[: data.draw(st.integers(0, len(first)))].encode()
    behind = last[data.draw(st.integers(0, len(last))) :].encode()
    close, opened = lacking(PYTHON, before, behind)
    whole = before + close + b" " + opened + behind
    assert not unmatched(PYTHON, whole, lexemes(PYTHON, whole, Span(0, len(whole))), len(whole))


def test_a_filler_that_has_nothing_to_bring_is_left_out() -> None:
    assert balanced(PYTHON, b"x = 1\n\ny = 2\n", [Span(6, 6)]) == ()
    assert b")" in balanced(PYTHON, b"f(1\n\ny = 2\n", [Span(4, 4)])


def test_where_quotes_may_be_read_in_two_ways_both_are_tried() -> None:
    behind = b'a\n""")\nx = """\n'
    assert lacking(PYTHON, b"", behind) == (b"", b"")
    assert b'x("""' in balanced(PYTHON, behind, [Span(0, 0)])


@pytest.mark.parametrize("name", languages())
def test_no_mark_is_left_in_a_filler(name: str) -> None:
    known = grammar(name)
    assert not any(b"<close>" in filler or b"<open>" in filler for filler in (*any_balanced(known), *known.witnesses))
