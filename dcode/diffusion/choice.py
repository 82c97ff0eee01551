"""What the open slots would take now: an id each, and which of them may not be taken yet.

Voids mark the end of a hole, so that one before text waits; no hole stays blank; blocks open one after another.
Shapes: L positions, N open slots, V vocabulary.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from dcode.diffusion.canvas import Canvas
from dcode.diffusion.plan import Plan
from dcode.diffusion.select import Scored, score


def choose_slots(
    canvas: Canvas, positions_N: Tensor, logits_NV: Tensor, plan: Plan, generator: torch.Generator
) -> Scored:
    """Score open slots; a void that would stand before text is put off unless the model is sure of it.

    Voids mark the end of a hole: one that commits early, with text still to come behind it, would cut that text off.
    """
    vocabulary = canvas.vocabulary
    logits_NV = logits_NV.index_fill(1, torch.tensor(vocabulary.suppressed, dtype=torch.long), -torch.inf)
    if canvas.forced:
        logits_NV = _only_forced(canvas, logits_NV)
    scored = score(logits_NV, plan, generator)
    if vocabulary.stops:
        return scored
    if vocabulary.expand_id is not None:
        cramped_N = torch.eq(scored.ids_N, vocabulary.expand_id) & ~_roomy(canvas, positions_N, scored)
        scored = second_choice(scored, cramped_N, logits_NV, [vocabulary.expand_id])
    if vocabulary.void_id is not None:
        early_N = early_voids(canvas, positions_N, scored, plan.void_tail)
        scored = second_choice(scored, early_N, logits_NV, [vocabulary.void_id])
    elif vocabulary.delete_id is None:
        return scored
    return second_choice(scored, blank_holes(canvas, positions_N, scored), logits_NV, vocabulary.blank)


def _only_forced(canvas: Canvas, logits_NV: Tensor) -> Tensor:
    """Where the bytes that a fill begins with do not stand there yet, only tokens that write them, or go beyond."""
    (written,) = canvas.fills()
    if len(written) >= len(canvas.forced):
        return logits_NV
    allowed = torch.tensor(canvas.vocabulary.continuing(canvas.forced[len(written) :]), dtype=torch.long)
    only_NV = torch.full_like(logits_NV, -torch.inf)
    return only_NV.index_copy(1, allowed, logits_NV[:, allowed])


def _roomy(canvas: Canvas, positions_N: Tensor, scored: Scored) -> Tensor:
    """True where a hole may grow: as many of its surest slots that want to as it has room for."""
    roomy_N = torch.zeros(len(positions_N), dtype=torch.bool)
    order = scored.key_N.argsort(descending=True, stable=True).tolist()
    for hole, room in zip(canvas.ranges, canvas.room, strict=True):
        wanting = [n for n in order if positions_N[n] in hole and scored.ids_N[n] == canvas.vocabulary.expand_id]
        roomy_N[wanting[:room]] = True
    return roomy_N


def second_choice(scored: Scored, where_N: Tensor, logits_NV: Tensor, banned: Sequence[int]) -> Scored:
    """The likeliest id that is not banned, at some slots; they rank behind all others."""
    if not bool(where_N.any()):
        return scored
    log_p_NV = torch.log_softmax(logits_NV.float(), dim=-1)
    log_p_NV = log_p_NV.index_fill(1, torch.tensor(banned, dtype=torch.long), -torch.inf)
    second_p_N, second_N = log_p_NV.max(dim=-1)
    second_p_N = second_p_N.exp()
    return Scored(
        torch.where(where_N, second_N, scored.ids_N),
        torch.where(where_N, second_p_N, scored.probability_N),
        scored.entropy_N,
        torch.where(where_N, second_p_N - 1, scored.key_N),
    )


def early_voids(canvas: Canvas, positions_N: Tensor, scored: Scored, sure: float) -> Tensor:
    """True where a void was chosen, some later slot of its hole holds or wants text, and it is not sure enough."""
    void = canvas.vocabulary.void_id
    assert void is not None
    wanted_L = canvas.ids_L.index_copy(0, positions_N, scored.ids_N)
    text_after_L = torch.zeros(len(canvas), dtype=torch.bool)
    for hole in canvas.ranges:
        is_text = torch.ne(wanted_L[hole.start : hole.stop], void).int()
        after = is_text.flip(0).cumsum(0).flip(0) - is_text
        text_after_L[hole.start : hole.stop] = after > 0
    unsure_N = scored.probability_N <= sure
    return torch.eq(scored.ids_N, void) & text_after_L[positions_N] & unsure_N


def blank_holes(canvas: Canvas, positions_N: Tensor, scored: Scored) -> Tensor:
    """True at the first open slot of every hole that would otherwise hold nothing but blanks: no answer at all."""
    wanted_L = canvas.ids_L.index_copy(0, positions_N, scored.ids_N)
    vocabulary = canvas.vocabulary
    nothing = [number for number in vocabulary.blank if number != vocabulary.expand_id]
    blank_L = torch.isin(wanted_L, torch.tensor(nothing, dtype=torch.long))
    first = torch.zeros(len(positions_N), dtype=torch.bool)
    for hole in canvas.ranges:
        own_N = (positions_N >= hole.start) & (positions_N < hole.stop)
        if bool(blank_L[hole.start : hole.stop].all()) and bool(own_N.any()):
            first[own_N.nonzero()[0, 0]] = True
    return first


def in_block(canvas: Canvas, positions_N: Tensor, block: int) -> Tensor:
    """Which open slots may be taken: all, or those of each hole's first block that has one.

    Blocks are counted from position 0, as block-causal networks count them.
    """
    if not block:
        return torch.ones(len(positions_N), dtype=torch.bool)
    allowed_L = torch.zeros(len(canvas), dtype=torch.bool)
    for hole in canvas.ranges:
        for start in range(hole.start - hole.start % block, hole.stop, block):
            part = slice(max(start, hole.start), min(start + block, hole.stop))
            if bool(canvas.open_L[part].any()):
                allowed_L[part] = True
                break
    return allowed_L[positions_N]
