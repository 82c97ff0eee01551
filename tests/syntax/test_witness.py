"""The search for fills that are known to parse is short, ordered and stops at the first."""

import random
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcode.evaluate.holes import cut
from dcode.syntax.check import GrammarChecker, file_faults
from dcode.syntax.grammar import grammar
from dcode.syntax.witness import TRIALS, Fills, search
from dcode.text.checker import Draft
from dcode.text.span import Span

PYTHON = grammar("python")
LIBRARY = Path(sysconfig.get_path("stdlib"))


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


HOLES = {
    "two blocks deeper": ("def f():\n    pass\n", "            x = 1\n        else:\n            x = 2\n"),
    "what an except belongs to": ("def f(x):\n    if x:\n", "    except OSError:\n        pass\n"),
    "two try blocks are open": ("try:\n    try:\n        with f:\n", "y = 1\n"),
    "a body, then a block": ("if x:\n", "            a = 1\n        b = 2\n"),
    "three brackets are open": ("f((g[1\n", "y = 1\n"),
    "two brackets are closed": ("x = 1\n", "    a,\n    b))\n"),
    "a comprehension is closed": ("class A:\n    pass\n\n", "        for x in y]\n"),
    "a string ends, a block begins": ('def f():\n    """Text\n', "        return 1\n"),
    "a string begins": ("x = 1\n", 'of text.\n"""\ny = 2\n'),
    "a string begins in a function": ("x = 1\n", '    of text.\n    """\n    return 2\n'),
    "a string begins in a call": ("x = 1\n", 'if 1:\n  x\n""")\n'),
    "a string goes on": ('x = """if 1:\n', '  return )\n"""\n'),
    "a list goes on": ("x = [\n    1,\n", "    2,\n]\n"),
    "arguments of a definition": ("x = 1\n", "    a: int,\n    b: str = 1,\n) -> int:\n    return a\n"),
    "a condition ends, a block begins": ("if (a and\n        b and\n", "        x = 1\n    else:\n        x = 2\n"),
}


@pytest.mark.parametrize(("before", "behind"), HOLES.values(), ids=HOLES)
def test_a_hole_that_ends_and_begins_much_has_a_witness(before: str, behind: str) -> None:
    around = f"import a\n\n\ndef first():\n    return [a]\n\n\n{before}".encode(), f"{behind}\n\nlast = 1\n".encode()
    at = len(around[0])
    fills = GrammarChecker(PYTHON, b"\n".join(around), [Span(at, at)]).witness()
    assert fills is not None
    assert not file_faults(PYTHON, around[0] + fills[0] + b"\n" + around[1])


def test_a_fault_that_shows_far_from_the_hole_is_the_holes_own() -> None:
    """The compiler minds the indent below a comment; the line next to the hole is the comment."""
    view = b"\n    # a comment\n    x = 1\n    return x\n\n\ny = 2\n"
    checker = GrammarChecker(PYTHON, view, [Span(0, 0)])
    fills = checker.witness()
    assert fills is not None and not file_faults(PYTHON, fills[0] + view)
    assert checker.faults(Draft(b"#" + view, (Span(0, 1),)))


def test_nearly_every_hole_of_lines_in_the_library_has_a_witness() -> None:
    """300 of 300, 300 of 300 and 297 of 300 at seeds 0, 7 and 11: of these 60 (seed 1), all but one or two."""
    paths = sorted(LIBRARY.rglob("*.py"))
    random.Random(1).shuffle(paths)
    texts = ((path.name, path.read_text(encoding="utf-8", errors="replace")) for path in paths)
    found = 0
    for task in cut(texts, 60, 1):
        before = task.prefix.encode()
        view = before + b"\n" + task.suffix.encode()
        fills = GrammarChecker(PYTHON, view, [Span(len(before), len(before))]).witness()
        found += fills is not None and not file_faults(PYTHON, before + fills[0] + view[len(before) :])
    assert found >= 58
