"""How many of the ranked slots one step takes. Pure functions over what `score` returns."""

import math

import torch
from torch import Tensor

from dcode.diffusion.noise import open_after
from dcode.diffusion.plan import Plan
from dcode.diffusion.score import Scored


def take(scored: Scored, allowed_N: Tensor, plan: Plan, step: int, steps: int, slots: int) -> Tensor:
    """Indices of the slots to take now, surest first; at least one.

    `allowed_N`: slots of the current block; `step` of `steps` (from 1) of a run that began with `slots` open slots.
    """
    # Slots outside the block rank last, left to right: they are taken only if the steps would not suffice otherwise.
    ranked_N = scored.key_N.masked_fill(~allowed_N, -float("inf")).argsort(descending=True, stable=True)
    inside, left = int(allowed_N.sum()), len(allowed_N)
    wanted = _by_rule(scored, ranked_N[:inside], plan, step, steps, slots, left)
    # A schedule keeps its own time: only where blocks hold it up is there a pace to keep.
    paced = plan.commit != "schedule" or plan.block > 0
    least = math.ceil(left / max(1, steps - step + 1)) if paced or step >= steps else 1
    return ranked_N[: max(1, least, min(wanted, inside))]


def apart(scored: Scored, positions_N: Tensor, picked: Tensor, text_N: Tensor, sure: float) -> Tensor:
    """Of the picked slots those that are `sure`, hold no text (`text_N`), or are surer than what is picked beside them.

    Two slots side by side are often guesses of one and the same token: taken together it would stand there twice.
    """
    chance = {int(positions_N[n]): float(scored.probability_N[n]) for n in picked.tolist() if text_N[n]}

    def stays(n: int) -> bool:
        here = int(positions_N[n])
        own = chance.get(here, 1.0)
        return own >= sure or (own > chance.get(here - 1, 0.0) and own >= chance.get(here + 1, 0.0))

    return picked[[stays(n) for n in picked.tolist()]]


def _by_rule(scored: Scored, ranked_N: Tensor, plan: Plan, step: int, steps: int, slots: int, left: int) -> int:
    if plan.commit == "fixed":
        return plan.per_step
    if plan.commit == "schedule":
        return left - open_after(plan.schedule, min(step, steps), steps, slots)
    if plan.commit == "factor":
        # Fast-dLLM (arXiv 2505.22618): the n surest, as long as (n + 1)(1 - p of the n-th) stays below the factor.
        surest_N = scored.probability_N[ranked_N]
        room_N = (torch.arange(len(surest_N)) + 2) * (1 - surest_N)
        return int((room_N < plan.factor).cumprod(0).sum())
    if plan.commit == "entropy-bound":
        # EB-Sampler (arXiv 2505.24857): the joint error of taking several is bounded by the sum less the largest.
        entropy_N = scored.entropy_N[ranked_N]
        error_N = entropy_N.cumsum(0) - entropy_N.cummax(0).values
        return int((error_N <= plan.entropy_bound).sum())
    return int((scored.probability_N[ranked_N] >= plan.threshold).cumprod(0).sum())
