"""PartialCanvas: the prefix test never cries wolf, and both kinds of canvas are what they say."""

import random

from dcode.bench.lexicon import is_gap, split
from dcode.bench.library import Function, functions, halves, standard_library
from dcode.bench.partialcanvas import ORDERS, RATIOS, TESTS, PartialCanvas, figures, masked_first, rendered, table
from tests.bench.damage import FUNCTION, PYTHON, lexicon


def test_masks_are_scattered_over_lexemes_or_are_the_end() -> None:
    pieces = split(PYTHON, FUNCTION)
    scattered, end = (masked_first(PYTHON, pieces, order, random.Random(0)) for order in ORDERS)
    assert end == list(range(len(pieces)))[::-1]
    assert sorted(scattered) == [n for n, piece in enumerate(pieces) if not is_gap(PYTHON, piece)] != scattered


def test_masks_are_rendered() -> None:
    assert rendered([b"x", b" ", b"="], {0, 2}, b"_") == b"_ _"
    assert rendered([b"x", b" ", b"="], {0}, b"") == b" ="


def test_no_false_alarm_of_the_prefix_and_many_of_a_parse() -> None:
    _, files = halves(standard_library(), 0)
    bench = PartialCanvas(lexicon(), 0)
    rows = [row for function in functions(PYTHON, files, 10, 0) for row in bench(function)]
    right = [row for row in rows if not row.broken]
    assert len(right) == 10 * len(ORDERS) * len(RATIOS) * len(TESTS)
    assert not any(row.alarm for row in right if row.way == "line-cut prefix")
    assert sum(row.alarm for row in right if row.way != "line-cut prefix") > len(right) / 3
    reached = [row.alarm for row in rows if row.reach and row.way == "line-cut prefix"]
    assert sum(reached) > len(reached) / 2
    assert all(row.broken for row in rows if row.reach)
    assert len(table(rows)) == 1 + len(figures(rows)) == 1 + len(ORDERS) * len(RATIOS) * len(TESTS)


def test_equal_seeds_give_equal_rows() -> None:
    function = Function("f", FUNCTION, FUNCTION.index(b"\n") + 1)
    assert PartialCanvas(lexicon(), 1)(function) == PartialCanvas(lexicon(), 1)(function)
