"""The forward process: rates rise from clean to masked, sampling runs them backwards and always ends."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dcode.diffusion.noise import CLIP, mask_rate, mask_tokens, open_after

schedules = st.sampled_from(["linear", "cosine", "clipped"])


@given(schedule=schedules, a=st.floats(0, 1), b=st.floats(0, 1))
def test_rates_rise_within_bounds(schedule: str, a: float, b: float) -> None:
    low, high = sorted((mask_rate(schedule, min(a, b)), mask_rate(schedule, max(a, b))))  # type: ignore[arg-type]
    assert 0 <= low <= high <= 1
    assert mask_rate(schedule, min(a, b)) == low  # type: ignore[arg-type]


def test_the_ends_of_each_schedule() -> None:
    assert [mask_rate("linear", t) for t in (0, 1)] == [0, 1]
    assert [mask_rate("cosine", t) for t in (0, 1)] == pytest.approx([0, 1])
    assert (mask_rate("clipped", 0), mask_rate("clipped", 1)) == CLIP


@given(schedule=schedules, steps=st.integers(1, 64), slots=st.integers(1, 300))
def test_sampling_opens_all_and_closes_all(schedule: str, steps: int, slots: int) -> None:
    left = [open_after(schedule, step, steps, slots) for step in range(steps + 1)]  # type: ignore[arg-type]
    assert left[0] == slots and left[-1] == 0
    assert left == sorted(left, reverse=True)


def test_masks_fall_only_where_they_may_and_as_often_as_asked() -> None:
    ids = torch.arange(10, 20_010).reshape(2, -1)
    eligible = torch.zeros_like(ids, dtype=torch.bool)
    eligible[:, ::2] = True
    rate = torch.full(ids.shape, 0.3)
    noised, fell = mask_tokens(ids, eligible, rate, 0, torch.Generator().manual_seed(0))
    assert not fell[~eligible].any()
    assert torch.equal(noised == 0, fell)
    assert torch.equal(noised[~fell], ids[~fell])
    assert float(fell[eligible].float().mean()) == pytest.approx(0.3, abs=0.02)
