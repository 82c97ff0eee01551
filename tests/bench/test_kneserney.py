"""The n-gram model against a slow and plain one, and the laws of probability."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcode.bench.kneserney import KneserNey

SIZE = 5
STREAMS = st.lists(st.lists(st.integers(0, SIZE - 1), max_size=30), min_size=1, max_size=4)


def plain(streams: list[list[int]], order: int, context: tuple[int, ...], token: int) -> float:
    """Kneser-Ney from the definition, with tuples in dictionaries; `context` is order - 1 ids."""
    grams: dict[int, Counter[tuple[int, ...]]] = {length: Counter() for length in range(1, order + 1)}
    for stream in streams:
        padded = [SIZE] * (order - 1) + stream
        grams[order].update(tuple(padded[at - order + 1 : at + 1]) for at in range(order - 1, len(padded)))
    for length in range(order - 1, 0, -1):
        grams[length].update(gram[1:] for gram in grams[length + 1])
    ones = sum(grams[1].values()) + SIZE
    value = (grams[1][(token,)] + 1) / ones
    for length in range(2, order + 1):
        once, twice = (sum(count == n for count in grams[length].values()) for n in (1, 2))
        discount = once / (once + 2 * twice) if once and twice else 0.5
        head = context[-(length - 1) :]
        following = {gram[-1]: count for gram, count in grams[length].items() if gram[:-1] == head}
        if following:
            total = sum(following.values())
            seen = max(following.get(token, 0) - discount, 0)
            value = seen / total + discount * len(following) / total * value
    return value


@given(STREAMS, st.integers(2, 4), st.data())
def test_probabilities_are_those_of_the_definition(streams: list[list[int]], order: int, data: st.DataObject) -> None:
    model = KneserNey.train(streams, SIZE, order)
    context = model.recent(data.draw(st.lists(st.integers(0, SIZE - 1), max_size=5)))
    (row,) = model.distribution(np.array([context]))
    assert row.tolist() == pytest.approx([plain(streams, order, context, token) for token in range(SIZE)])
    assert row.sum() == pytest.approx(1)
    assert row.min() > 0


def test_rows_do_not_depend_on_their_neighbours() -> None:
    model = KneserNey.train([[0, 1, 2, 3, 0, 1, 2, 4]], SIZE, 3)
    contexts = np.array([[0, 1], [1, 2], [4, 4]])
    both = model.distribution(contexts)
    assert all((model.distribution(contexts[n : n + 1])[0] == both[n]).all() for n in range(3))


def test_the_beginning_of_a_stream_is_a_context() -> None:
    model = KneserNey.train([[3, 1], [3, 2], [3, 0]], SIZE, 3)
    assert model.recent([]) == (SIZE, SIZE)
    assert model.recent([0, 1, 2]) == (1, 2)
    assert model.distribution(np.array([model.recent([])]))[0].argmax() == 3


@given(STREAMS, st.integers(2, 4), st.data())
def test_single_chances_are_those_of_the_distribution(
    streams: list[list[int]], order: int, data: st.DataObject
) -> None:
    model = KneserNey.train(streams, SIZE, order)
    asked = data.draw(
        st.lists(
            st.tuples(st.lists(st.integers(0, SIZE - 1), max_size=5), st.integers(0, SIZE - 1)), min_size=1, max_size=4
        )
    )
    contexts = np.array([model.recent(context) for context, _ in asked])
    ids = np.array([token for _, token in asked])
    rows = model.distribution(contexts)
    assert model.chances(contexts, ids).tolist() == pytest.approx(rows[np.arange(len(ids)), ids].tolist())
