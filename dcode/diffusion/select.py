"""From logits to a choice per open slot, how sure it is, and how many slots one step takes.

Pure functions; randomness comes in as a generator.

Shapes: N open slots, V vocabulary.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from dcode.diffusion.noise import open_after
from dcode.diffusion.plan import Order, Plan

RARE = 1e-4
"""The top-p mass is looked for above this probability first: a draw among what is left of 32,768 tokens takes 0.4 ms,
among the first 512 1.3 ms, among all 4.8 ms."""


@dataclass(frozen=True, slots=True)
class Scored:
    """Per open slot: the chosen id, its probability at temperature 1, the entropy in nats, and its rank key."""

    ids_N: Tensor
    probability_N: Tensor
    entropy_N: Tensor
    key_N: Tensor

    def of(self, chosen_N: Tensor) -> "Scored":
        """The slots at these indices alone."""
        kept = (self.ids_N, self.probability_N, self.entropy_N, self.key_N)
        return Scored(*(values_N[chosen_N] for values_N in kept))


def score(logits_NV: Tensor, plan: Plan, generator: torch.Generator) -> Scored:
    """Choose an id for each slot; the higher its `key`, the earlier it should be taken."""
    log_p_NV = torch.log_softmax(logits_NV.float(), dim=-1)
    ids_N = choose(log_p_NV, plan, generator)
    chosen_N = log_p_NV.gather(1, ids_N[:, None])[:, 0].exp()
    entropy_N = -(log_p_NV.exp() * log_p_NV.clamp_min(-1e9)).sum(-1)
    return Scored(ids_N, chosen_N, entropy_N, rank_key(log_p_NV, chosen_N, entropy_N, plan.order, generator))


def choose(log_p_NV: Tensor, plan: Plan, generator: torch.Generator) -> Tensor:
    """The likeliest ids at temperature 0, else a draw after top-k and top-p (arXiv 1904.09751)."""
    if plan.temperature == 0:
        return log_p_NV.argmax(-1)
    warm_NK, ids_NK = keep_likely(log_p_NV / plan.temperature, plan)
    uniform_NK = torch.rand(warm_NK.shape, generator=generator, dtype=torch.float64).clamp_min(1e-300)
    gumbel_NK = -(-uniform_NK.log()).clamp_min(1e-300).log()
    return ids_NK.gather(1, (warm_NK.double() + gumbel_NK).argmax(-1, keepdim=True))[:, 0]


def keep_likely(scores_NV: Tensor, plan: Plan) -> tuple[Tensor, Tensor]:
    """Scores [N, K] and ids [N, K] of what may be drawn, likeliest first; -inf outside top-k and the top-p mass.

    Without either, every id in its order.
    """
    width = scores_NV.shape[1]
    if plan.top_p >= 1 and not plan.top_k:
        return scores_NV, torch.arange(width).expand_as(scores_NV)
    p_NV = scores_NV.softmax(-1)
    likely_NV = p_NV > RARE
    if plan.top_k or bool(((p_NV * likely_NV).sum(-1) < plan.top_p).any()):
        likely_NV = torch.ones_like(likely_NV)
    ids_K = likely_NV.any(0).nonzero()[:, 0]
    best_NK, place_NK = scores_NV[:, ids_K].sort(dim=-1, descending=True, stable=True)
    ids_NK, p_NK = ids_K[place_NK], p_NV[:, ids_K].gather(1, place_NK)
    if plan.top_k:
        best_NK, ids_NK, p_NK = best_NK[:, : plan.top_k], ids_NK[:, : plan.top_k], p_NK[:, : plan.top_k]
        p_NK = p_NK / p_NK.sum(-1, keepdim=True)
    if plan.top_p < 1:
        best_NK = best_NK.masked_fill(p_NK.cumsum(-1) - p_NK >= plan.top_p, -torch.inf)
    return best_NK, ids_NK


def rank_key(log_p_NV: Tensor, chosen_N: Tensor, entropy_N: Tensor, order: Order, generator: torch.Generator) -> Tensor:
    """What decides which slots go first: higher is earlier."""
    count = len(chosen_N)
    if order == "margin":
        best_N2 = log_p_NV.exp().topk(2, dim=-1).values
        return best_N2[:, 0] - best_N2[:, 1]
    if order == "entropy":
        return -entropy_N
    if order == "random":
        return torch.rand(count, generator=generator)
    if order == "left":
        return -torch.arange(count, dtype=torch.float32)
    return chosen_N


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
