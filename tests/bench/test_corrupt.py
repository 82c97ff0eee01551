"""Noise: one wrong lexeme breaks the text, and nothing else is touched."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcode.bench.corrupt import NOISES, Noise, breaking, corrupt, fitting, written
from dcode.bench.lexicon import is_gap, split
from dcode.syntax.check import file_faults
from tests.bench.damage import FUNCTION, PYTHON, lexicon


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(NOISES), st.integers(0, 1000))
def test_one_lexeme_is_wrong_and_breaks_the_text(noise: Noise, seed: int) -> None:
    found = corrupt(lexicon(), FUNCTION, noise, random.Random(seed))
    assert found is not None
    start, end = found.span.start, found.span.end
    assert found.view[:start] + found.was + found.view[end:] == FUNCTION
    assert found.view[start:end] in lexicon().words and found.view[start:end] != found.was
    assert not is_gap(PYTHON, found.was)
    assert file_faults(PYTHON, found.view)


def test_equal_seeds_break_alike() -> None:
    one, again, other = (corrupt(lexicon(), FUNCTION, "plausible", random.Random(seed)) for seed in (1, 1, 2))
    assert one == again != other


def test_every_one_of_several_breaks_the_text_alone() -> None:
    pieces = split(PYTHON, FUNCTION)
    wrong = breaking(lexicon(), pieces, range(20, len(pieces)), 4, "frequency", random.Random(0))
    assert wrong is not None and len(wrong) == 4 and min(wrong) >= 20
    for place, word in wrong.items():
        assert file_faults(PYTHON, b"".join(written(pieces, {place: word})))
    assert split(PYTHON, b"".join(written(pieces, wrong))) == written(pieces, wrong)


def test_what_cannot_be_broken_is_given_up() -> None:
    assert corrupt(lexicon(), b"\n", "uniform", random.Random(0)) is None
    assert breaking(lexicon(), [b"x"], range(1), 2, "uniform", random.Random(0)) is None


@pytest.mark.parametrize("word", [b"for", b" "])
def test_a_lexeme_is_fit_for_a_lexeme_and_a_gap_for_a_gap(word: bytes) -> None:
    pieces = split(PYTHON, FUNCTION)
    numbers, weights = fitting(lexicon(), pieces, pieces.index(word))
    words = [lexicon().words[number] for number in numbers]
    assert words and word not in words and len(words) == len(weights)
    assert {is_gap(PYTHON, one) for one in words} == {is_gap(PYTHON, word)}
