"""From logits to choices: draws follow the probabilities, filters keep what they say, orders rank as named."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from dcode.diffusion.plan import Order, Plan
from dcode.diffusion.score import choose, keep_likely, score


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def log_p(*rows: list[float]) -> Tensor:
    return torch.tensor(rows).log()


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_draws_are_as_frequent_as_the_tempered_probabilities(temperature: float) -> None:
    p = torch.tensor([0.6, 0.3, 0.1])
    ids_N = choose(p.log().expand(20_000, 3), Plan(temperature=temperature), generator())
    wanted = p ** (1 / temperature)
    shares = ids_N.bincount(minlength=3) / len(ids_N)
    assert shares.tolist() == pytest.approx((wanted / wanted.sum()).tolist(), abs=0.015)


def test_temperature_0_draws_nothing() -> None:
    drawing = generator()
    before = drawing.get_state()
    assert choose(log_p([0.2, 0.5, 0.3]), Plan(), drawing).tolist() == [1]
    assert torch.equal(drawing.get_state(), before)


def test_top_k_and_top_p_keep_the_likeliest() -> None:
    scores_NV = log_p([0.1, 0.4, 0.3, 0.2])
    assert keep_likely(scores_NV, Plan(top_k=2)).isfinite().tolist() == [[False, True, True, False]]
    assert keep_likely(scores_NV, Plan(top_p=0.7)).isfinite().tolist() == [[False, True, True, False]]
    assert keep_likely(scores_NV, Plan(top_p=0.71)).isfinite().tolist() == [[False, True, True, True]]
    assert keep_likely(scores_NV, Plan(top_k=3, top_p=0.5)).isfinite().tolist() == [[False, True, True, False]]


@given(
    logits=st.lists(st.floats(-5, 5), min_size=2, max_size=9),
    top_p=st.floats(0.01, 1),
    top_k=st.integers(0, 9),
    seed=st.integers(0, 9),
)
def test_what_is_drawn_was_kept_and_the_likeliest_always_is(
    logits: list[float], top_p: float, top_k: int, seed: int
) -> None:
    plan, log_p_NV = Plan(temperature=1.0, top_p=top_p, top_k=top_k), torch.log_softmax(torch.tensor([logits]), -1)
    kept_NV = keep_likely(log_p_NV, plan).isfinite()
    assert kept_NV[0, log_p_NV.argmax()]
    assert kept_NV[0, choose(log_p_NV, plan, generator(seed))]


@pytest.mark.parametrize(
    ("order", "ranked"),
    [("confidence", [0, 1, 2]), ("margin", [1, 0, 2]), ("entropy", [1, 0, 2]), ("left", [0, 1, 2])],
)
def test_orders_rank_the_slots_as_they_are_called(order: Order, ranked: list[int]) -> None:
    """The first slot is surest of its best, the second has the widest margin and, its rest spread less, is clearest."""
    rows = log_p([0.50, 0.45, 0.05, 1e-9, 1e-9], [0.49, 0.13, 0.13, 0.13, 0.12], [0.4, 0.38, 0.1, 0.1, 0.02])
    if order == "entropy":
        rows = log_p([0.6, 0.1, 0.1, 0.1, 0.1], [0.55, 0.45, 1e-9, 1e-9, 1e-9], [0.2, 0.2, 0.2, 0.2, 0.2])
    scored = score(rows, Plan(order=order), generator())
    assert scored.key_N.argsort(descending=True, stable=True).tolist() == ranked


def test_a_random_order_is_the_seed_s() -> None:
    rows = log_p(*[[0.9, 0.1]] * 20)
    one, same, other = (score(rows, Plan(order="random"), generator(seed)).key_N for seed in (1, 1, 2))
    assert torch.equal(one, same) and not torch.equal(one, other)


def test_impossible_ids_have_no_entropy_and_probabilities_are_those_at_temperature_1() -> None:
    logits_NV = torch.tensor([[2.0, 2.0, -torch.inf]])
    scored = score(logits_NV, Plan(temperature=3.0), generator())
    assert scored.entropy_N.item() == pytest.approx(torch.log(torch.tensor(2.0)).item())
    assert scored.probability_N.item() == pytest.approx(0.5)
