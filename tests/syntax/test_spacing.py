"""Blanks beside a changed lexeme: as the file has them, and no change where the text already is so."""

import pytest

from dcode.syntax.grammar import grammar
from dcode.syntax.spacing import Habits, oddities, place, spaced
from dcode.text.span import Span

PYTHON = grammar("python")
STYLE = b"f(a, b=c)\nx = y + z[1:2]\nf(b, c=d)\ny = z - 1\nz = f(x, y)\nw = x[0:1]\nif a and b:\n    pass\n"


@pytest.mark.parametrize(
    ("line", "filler", "after"),
    [
        (b"g(a| b)", b",", b"g(a, b)"),
        (b"g | 2", b"=", b"g = 2"),
        (b"g |2", b"=", b"g = 2"),
        (b"g[3|4]", b":", b"g[3:4]"),
        (b"def| (x)", b"g", b"def g(x)"),
        (b"if a| b:", b"and", b"if a and b:"),
        (b"g = |", b"y", b"g = y"),
        (b"g(a<del >b)", b"(", b"g(a(b)"),
        (b"g = a <-> b", b"+", b"g = a + b"),
        (b"g(a <is> b)", b",", b"g(a, b)"),
        (b"g(a<,> b)", b"and", b"g(a and b)"),
        (b"int <int>", b"", b"int"),
        (b"<int> int", b"", b"int"),
        (b"g(a<,>b)", b"", b"g(a b)"),
        (b"g(a)<)>", b"", b"g(a)"),
    ],
)
def test_a_change_is_written_as_the_file_writes(line: bytes, filler: bytes, after: bytes) -> None:
    at = line.index(b"|") if b"|" in line else line.index(b"<")
    end = at if b"|" in line else line.index(b">") - 1
    bare = line.replace(b"|", b"") if b"|" in line else line.replace(b"<", b"").replace(b">", b"")
    view = STYLE + bare + b"\n"
    word = Span(len(STYLE) + at, len(STYLE) + len(bare[:end].rstrip()) if end > at else len(STYLE) + at)
    edit = spaced(view, place(view, word), filler, Habits.of(PYTHON, view))
    assert view[: edit.span.start] + edit.new + view[edit.span.end :] == STYLE + after + b"\n"


def test_a_word_missing_at_the_start_of_a_line_takes_no_part_of_the_indent() -> None:
    view = b"def f():\n    x = 1\n     = 2\n    return x\n"
    at = view.index(b"= 2")
    edit = spaced(view, place(view, Span(at, at)), b"y", Habits.of(PYTHON, view))
    assert view[: edit.span.start] + edit.new + view[edit.span.end :] == view.replace(b"     = 2", b"    y = 2")


@pytest.mark.parametrize(
    ("line", "odd"),
    [
        (b"f(a, b)", 0),
        (b"f(a , b)", 1),
        (b"f(a,b)", 1),
        (b"x =", 0),
        (b"x = ", 1),
        (b"x = a  b", 1),
        (b"    x = a  # no", 0),
    ],
)
def test_what_the_file_never_does_is_odd(line: bytes, odd: int) -> None:
    habits = Habits.of(PYTHON, b"".join(b"f(x%d, y)\n" % n for n in range(30)) + b"x = 1\n" * 4)
    assert oddities(PYTHON, line, habits) == odd
