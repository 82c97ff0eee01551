"""How many of the ranked slots one step takes. Pure functions over what `score` returns."""

import math

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
    least = math.ceil(left / max(1, steps - step + 1))
    return ranked_N[: max(1, least, min(wanted, inside))]


def _by_rule(scored: Scored, ranked_N: Tensor, plan: Plan, step: int, steps: int, slots: int, left: int) -> int:
    if plan.commit == "fixed":
        return plan.per_step
    if plan.commit == "schedule":
        return left - open_after(plan.schedule, min(step, steps), steps, slots)
    if plan.commit == "entropy-bound":
        # EB-Sampler (arXiv 2505.24857): the joint error of taking several is bounded by the sum less the largest.
        entropy_N = scored.entropy_N[ranked_N]
        error_N = entropy_N.cumsum(0) - entropy_N.cummax(0).values
        return int((error_N <= plan.entropy_bound).sum())
    return int((scored.probability_N[ranked_N] >= plan.threshold).cumprod(0).sum())
