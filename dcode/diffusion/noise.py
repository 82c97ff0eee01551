"""The forward process: how much of a text is masked at time t, for training and for sampling alike.

Masked diffusion replaces each token independently by the mask with probability `mask_rate(t)`; the reverse
process uncovers them again (MDLM, arXiv 2406.07524; LLaDA, arXiv 2502.09992). Nothing here knows a network.
"""

import math
from typing import Literal

import torch
from torch import Tensor

Schedule = Literal["linear", "cosine", "clipped"]

CLIP = (0.3, 0.8)
"""Rates between which "clipped" trains: very small and very large ones teach little (arXiv 2503.09573)."""


def mask_rate(schedule: Schedule, t: float) -> float:
    """The probability that a token is masked at time `t` in 0..1; rises from clean (0) to all masked (1)."""
    assert 0 <= t <= 1, t
    if schedule == "cosine":
        return math.sin(math.pi / 2 * t)
    if schedule == "clipped":
        low, high = CLIP
        return low + (high - low) * t
    return t


def open_after(schedule: Schedule, step: int, steps: int, slots: float) -> int:
    """How many of `slots` are still masked after `step` of `steps`; sampling runs the rate backwards to 0.

    "clipped" concerns training only: its sampler walks the line, since a sampler must start from all masks.
    """
    assert 0 <= step <= steps and steps > 0
    if step == steps:
        return 0
    path: Schedule = "linear" if schedule == "clipped" else schedule
    return math.ceil(slots * mask_rate(path, 1 - step / steps) - 1e-9)


def mask_tokens(
    ids: Tensor, eligible: Tensor, rate: Tensor, mask_id: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Mask each eligible token with its own rate; returns the noised ids and where the mask fell (same shape)."""
    fell = (torch.rand(ids.shape, generator=generator) < rate) & eligible
    return ids.masked_fill(fell, mask_id), fell
