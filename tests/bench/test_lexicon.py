"""Pieces are all of a text; chances are those of the n-grams; likely words fit both sides."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcode.bench.lexicon import KINDS, Lexicon, is_gap, kind, split
from tests.bench.damage import FUNCTION, PYTHON, lexicon


@given(st.binary(max_size=40) | st.text("ab1 \n\t#'\"(:=\\", max_size=40).map(str.encode))
def test_pieces_are_all_of_a_text(view: bytes) -> None:
    assert b"".join(split(PYTHON, view)) == view


def test_lexemes_and_gaps_take_turns() -> None:
    assert split(PYTHON, b"x = f(1)  # one\n\ny") == [
        b"x",
        b" ",
        b"=",
        b" ",
        b"f",
        b"(",
        b"1",
        b")",
        b"  # one\n\n",
        b"y",
    ]


@pytest.mark.parametrize(
    ("piece", "expected"),
    [(b" ", "gap"), (b"# x", "gap"), (b"x1", "name"), (b"1.5", "number"), (b"'a'", "string"), (b"'", "sign")],
)
def test_kinds(piece: bytes, expected: str) -> None:
    assert kind(PYTHON, piece) == expected
    assert is_gap(PYTHON, piece) == (expected == "gap")


def test_rare_words_count_as_their_kind() -> None:
    small = Lexicon.train(PYTHON, [b"a = a\n" * 5], words=3)
    assert small.ids([b"never", b"99", b"'s'"]) == [
        len(small.words) + KINDS.index(k) for k in ("name", "number", "string")
    ]


def test_log_chances_are_the_sum_over_what_follows() -> None:
    ids = lexicon().ids(split(PYTHON, FUNCTION))
    before, (own, *after) = ids[:10], ids[10:]
    options = [(), (own,), (own, own)]
    found = lexicon().log_chances(before, options, after)
    width = lexicon().ngram.width
    for option, total in zip(options, found, strict=True):
        row = [*before, *option, *after[:width]]
        steps = range(len(before), len(row))
        contexts = np.array([row[at - width : at] for at in steps])
        rows = lexicon().ngram.distribution(contexts)
        assert total == pytest.approx(sum(math.log(rows[n][row[at]]) for n, at in enumerate(steps)))


def test_the_other_side_has_a_say() -> None:
    taught = Lexicon.train(PYTHON, [b"(a)\n[b]\n" * 9])
    number = {word: n for n, word in enumerate(taught.words)}
    ids, chances = taught.likely([], [number[b"b"], number[b"]"]])
    assert ids[0] == number[b"["]
    assert chances.sum() == pytest.approx(1)
