"""From logits to choices: draws follow the probabilities, filters keep, orders rank, rules take so many."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from dcode.diffusion.plan import Order, Plan
from dcode.diffusion.select import Scored, apart, choose, keep_likely, score, take


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


def kept(log_p_NV: Tensor, **settings: Any) -> set[int]:
    scores_NK, ids_NK = keep_likely(log_p_NV, Plan(**settings))
    return set(ids_NK[0][scores_NK[0].isfinite()].tolist())


def test_top_k_and_top_p_keep_the_likeliest() -> None:
    scores_NV = log_p([0.1, 0.4, 0.3, 0.2])
    assert kept(scores_NV) == {0, 1, 2, 3}
    assert kept(scores_NV, top_k=2) == kept(scores_NV, top_p=0.7) == {1, 2}
    assert kept(scores_NV, top_p=0.71) == {1, 2, 3}
    assert kept(scores_NV, top_k=3, top_p=0.5) == {1, 2}
    assert len(kept(torch.zeros(1, 20_000), top_p=0.5)) == 10_000, "each of them rare"


@given(
    logits=st.lists(st.floats(-12, 5, width=32), min_size=2, max_size=30, unique=True),
    top_p=st.floats(0.01, 1),
    top_k=st.integers(0, 9),
    seed=st.integers(0, 9),
)
def test_what_is_drawn_was_kept_and_the_likeliest_always_is(
    logits: list[float], top_p: float, top_k: int, seed: int
) -> None:
    log_p_NV = torch.log_softmax(torch.tensor([logits]), -1)
    allowed = kept(log_p_NV, top_p=top_p, top_k=top_k)
    assert int(log_p_NV.argmax()) in allowed
    assert int(choose(log_p_NV, Plan(temperature=1.0, top_p=top_p, top_k=top_k), generator(seed))) in allowed
    ranked = log_p_NV[0].argsort(descending=True).tolist()
    assert allowed == set(ranked[: len(allowed)]), "none that is kept is less likely than one that is not"


@pytest.mark.parametrize(
    ("order", "ranked"),
    [("confidence", [0, 1, 2]), ("margin", [1, 0, 2]), ("entropy", [1, 0, 2]), ("left", [0, 1, 2])],
)
def test_orders_rank_the_slots_as_they_are_called(order: Order, ranked: list[int]) -> None:
    """The first slot is surest of its best, the second has the widest margin and, its rest spread less, is clearest."""
    rows = log_p([0.50, 0.45, 0.05, 1e-9, 1e-9], [0.49, 0.13, 0.13, 0.13, 0.12], [0.4, 0.38, 0.1, 0.1, 0.02])
    if order == "entropy":
        rows = log_p([0.6, 0.1, 0.1, 0.1, 0.1], [0.55, 0.45, 1e-9, 1e-9, 1e-9], [0.2, 0.2, 0.2, 0.2, 0.2])
    found = score(rows, Plan(order=order), generator())
    assert found.key_N.argsort(descending=True, stable=True).tolist() == ranked


def test_a_random_order_is_the_seed_s() -> None:
    rows = log_p(*[[0.9, 0.1]] * 20)
    one, same, other = (score(rows, Plan(order="random"), generator(seed)).key_N for seed in (1, 1, 2))
    assert torch.equal(one, same) and not torch.equal(one, other)


def test_impossible_ids_have_no_entropy_and_probabilities_are_those_at_temperature_1() -> None:
    logits_NV = torch.tensor([[2.0, 2.0, -torch.inf]])
    found = score(logits_NV, Plan(temperature=3.0), generator())
    assert found.entropy_N.item() == pytest.approx(torch.log(torch.tensor(2.0)).item())
    assert found.probability_N.item() == pytest.approx(0.5)


def scored(*sure: float) -> Scored:
    p = torch.tensor(sure)
    return Scored(torch.arange(len(sure)), p, 1 - p, p)


def picked(
    plan: Plan,
    one: Scored,
    step: int = 1,
    steps: int = 100,
    allowed: list[bool] | None = None,
) -> list[int]:
    mask = torch.tensor(allowed or [True] * len(one.ids_N))
    return take(one, mask, plan, step, steps, len(one.ids_N)).tolist()


def test_threshold_takes_all_that_are_sure_and_at_least_one() -> None:
    assert picked(Plan(threshold=0.9), scored(0.5, 0.95, 0.99)) == [2, 1]
    assert picked(Plan(threshold=0.9), scored(0.5, 0.6, 0.1)) == [1]


def test_fixed_takes_so_many() -> None:
    assert picked(Plan(commit="fixed", per_step=2), scored(0.5, 0.6, 0.1)) == [1, 0]


def test_schedule_takes_its_share() -> None:
    assert len(picked(Plan(commit="schedule"), scored(*[0.5] * 10), step=1, steps=5)) == 2


def test_a_cosine_schedule_begins_slowly() -> None:
    taken = [
        len(picked(Plan(commit="schedule", schedule=schedule), scored(*[0.5] * 32), step=1, steps=8))
        for schedule in ("linear", "cosine")
    ]
    assert taken == [4, 1]


def test_factor_takes_as_many_as_the_last_one_is_sure_for() -> None:
    """The n-th slot joins while (n + 1)(1 - p) < factor: 2 * 0.01, 3 * 0.2 and 4 * 0.3."""
    sure = scored(0.99, 0.8, 0.7)
    assert picked(Plan(commit="factor", factor=1.0), sure) == [0, 1]
    assert picked(Plan(commit="factor", factor=1.3), sure) == [0, 1, 2]
    assert picked(Plan(commit="factor", factor=0.5), sure) == [0]


@given(
    plan=st.builds(Plan, commit=st.sampled_from(["threshold", "schedule", "fixed", "factor", "entropy-bound"])),
    sure=st.lists(st.floats(0.01, 0.99), min_size=1, max_size=12),
    steps=st.integers(1, 12),
)
def test_every_run_ends_within_its_steps_and_takes_each_slot_once(plan: Plan, sure: list[float], steps: int) -> None:
    left, one, total = torch.arange(len(sure)), scored(*sure), len(sure)
    for step in range(1, steps + 1):
        if not len(left):
            break
        allowed_N = torch.ones(len(left), dtype=torch.bool)
        taken = take(one.of(left), allowed_N, plan, step, steps, total).tolist()
        assert taken and len(taken) == len(set(taken))
        left = torch.tensor([number for at, number in enumerate(left.tolist()) if at not in taken], dtype=torch.long)
    assert not len(left)


def test_entropy_bound_takes_while_the_joint_error_is_small() -> None:
    sure = scored(0.99, 0.98, 0.97, 0.5)
    assert picked(Plan(commit="entropy-bound", entropy_bound=0.04), sure) == [0, 1, 2]
    assert picked(Plan(commit="entropy-bound", entropy_bound=0.0), sure) == [0]


def test_the_last_step_takes_everything() -> None:
    assert sorted(picked(Plan(commit="fixed"), scored(0.1, 0.2, 0.3), step=4, steps=4)) == [0, 1, 2]


def test_a_block_is_respected_unless_the_steps_would_not_suffice() -> None:
    one = scored(0.99, 0.99, 0.99, 0.99)
    assert picked(Plan(), one, allowed=[True, True, False, False]) == [0, 1]
    assert picked(Plan(), one, step=2, steps=2, allowed=[True, True, False, False]) == [0, 1, 2, 3]


@given(
    st.lists(st.tuples(st.floats(0.015625, 1.0, width=32), st.booleans(), st.booleans()), min_size=1, max_size=30),
    st.floats(0.125, 1.0, width=32),
)
def test_of_unsure_neighbours_one_step_takes_the_surest(slots: list[tuple[float, bool, bool]], sure: float) -> None:
    one = scored(*(chance for chance, _, _ in slots))
    text_N, chosen_N = (torch.tensor([slot[column] for slot in slots]) for column in (1, 2))
    before = chosen_N.nonzero()[:, 0] if chosen_N.any() else torch.tensor([0])
    after = apart(one, torch.arange(len(slots)) + 7, before, text_N, sure).tolist()
    assert after and set(after) <= set(before.tolist())
    for n in before.tolist():
        if not slots[n][1] or one.probability_N[n] >= sure:
            assert n in after, "what is sure or holds no text stays"
        elif n not in after:
            beside = [m for m in (n - 1, n + 1) if m in before.tolist() and slots[m][1]]
            assert any(one.probability_N[m] >= one.probability_N[n] for m in beside)
    unsure = [n for n in after if slots[n][1] and one.probability_N[n] < sure]
    assert not any(n + 1 in unsure for n in unsure)
