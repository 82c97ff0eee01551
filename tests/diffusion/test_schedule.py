"""How many slots a step takes, rule by rule."""

import torch

from dcode.diffusion.plan import Plan
from dcode.diffusion.schedule import take
from dcode.diffusion.score import Scored


def scored(*sure: float) -> Scored:
    p = torch.tensor(sure)
    return Scored(torch.arange(len(sure)), p, 1 - p, p)


def picked(plan: Plan, one: Scored, step: int = 1, steps: int = 100, allowed: list[bool] | None = None) -> list[int]:
    mask = torch.tensor(allowed or [True] * len(one.ids_N))
    return take(one, mask, plan, step, steps, len(one.ids_N)).tolist()


def test_threshold_takes_all_that_are_sure_and_at_least_one() -> None:
    assert picked(Plan(threshold=0.9), scored(0.5, 0.95, 0.99)) == [2, 1]
    assert picked(Plan(threshold=0.9), scored(0.5, 0.6, 0.1)) == [1]


def test_fixed_takes_so_many() -> None:
    assert picked(Plan(commit="fixed", per_step=2), scored(0.5, 0.6, 0.1)) == [1, 0]


def test_schedule_takes_its_share() -> None:
    assert len(picked(Plan(commit="schedule"), scored(*[0.5] * 10), step=1, steps=5)) == 2


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
