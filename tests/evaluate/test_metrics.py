"""Estimators against brute force, intervals against their definition, and what counts as the same text."""

from itertools import combinations
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcode.evaluate.metrics import Rate, bootstrap, exact_match, parses, pass_at_k, wilson


@given(st.integers(1, 8), st.data())
def test_pass_at_k_is_the_share_of_draws_with_a_right_sample(n: int, data: st.DataObject) -> None:
    c, k = data.draw(st.integers(0, n)), data.draw(st.integers(1, n))
    lucky = sum(any(index < c for index in draw) for draw in combinations(range(n), k))
    assert pass_at_k(n, c, k) == pytest.approx(lucky / comb(n, k))


def test_pass_at_k_of_many_samples_stays_a_number() -> None:
    assert pass_at_k(5000, 1, 1) == pytest.approx(1 / 5000)


@given(st.integers(1, 500), st.data())
def test_wilson_solves_its_equation(n: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, n))
    low, high = wilson(hits, n)
    assert 0 <= low <= hits / n <= high <= 1
    for bound in (low, high):  # |share - p| = z sqrt(p (1 - p) / n), unless cut off at 0 or 1
        if 1e-9 < bound < 1 - 1e-9:
            assert abs(hits / n - bound) == pytest.approx(1.959964 * (bound * (1 - bound) / n) ** 0.5, rel=1e-4)


def test_rates_of_nothing_say_nothing() -> None:
    assert Rate(0, 0).value == 0
    assert Rate(0, 0).interval == (0, 1)


def test_bootstrap_holds_the_mean_and_its_seed() -> None:
    values = [float(x % 7) for x in range(60)]
    low, high = bootstrap(values)
    assert low < sum(values) / 60 < high
    assert high - low == pytest.approx(2 * 1.96 * 2 / 60**0.5, rel=0.2)
    assert bootstrap(values) == (low, high) != bootstrap(values, seed=1)
    assert bootstrap([3.0, 3.0]) == (3.0, 3.0)


@pytest.mark.parametrize(
    ("text", "canonical", "same"),
    [
        ("    x = 1\n", "    x = 1\n", True),
        ("    x = 1", "    x = 1  \n\n", True),
        ("x = 1", "    x = 1", False),
        ("    x  = 1", "    x = 1", False),
    ],
)
def test_exact_match_ignores_the_end_alone(text: str, canonical: str, same: bool) -> None:
    assert exact_match(text, canonical) is same


@pytest.mark.parametrize(
    ("program", "whole"),
    [
        ("x = 1\n", True),
        ("'\\d'\n", True),  # a SyntaxWarning is not an error
        ("return 1\n", False),
        ("def f(:\n", False),
        ("x = 1\0", False),
        ("x = '\ud800'", False),
        ("(" * 5000, False),
    ],
)
def test_parses(program: str, whole: bool) -> None:
    assert parses(program) is whole
