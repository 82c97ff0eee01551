"""The only sampling loop: predict, score, commit, check, remask, until every row is done.

Shapes: B rows, L positions, N open slots, V vocabulary.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import torch
from torch import Tensor

from dcode.diffusion.canvas import Canvas
from dcode.diffusion.plan import Plan
from dcode.diffusion.repair import Repair, forwards_allowed, judge, judge_prefix, warmed
from dcode.diffusion.schedule import take
from dcode.diffusion.score import Scored, score
from dcode.text.checker import Checker


class Predict(Protocol):
    """The network as the sampler sees it."""

    def __call__(
        self,
        ids_BL: Tensor,
        want_BL: Tensor,
        *,
        valid_BL: Tensor | None = None,
        changed_BL: Tensor | None = None,
        cache: Any = None,
    ) -> tuple[Tensor, Any]:
        """Logits [N, V] of the wanted positions in row-major order, and the cache for the next call.

        `valid_BL`: rows and positions that exist (None: all); `changed_BL`: positions whose id differs from the last
        call's (None: unknown), for a path that keeps keys and values; `cache` None asks for the exact path.
        """
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """One row after one forward pass. `confidence_L` is 0 where nothing was committed yet; `limit` bounds `index`."""

    row: int
    index: int
    limit: int
    canvas: Canvas
    committed: tuple[int, ...]
    dropped: tuple[int, ...]
    confidence_L: Tensor
    repair: Repair


@dataclass(frozen=True, slots=True)
class _Row:
    """What a row carries from step to step."""

    number: int
    canvas: Canvas
    generator: torch.Generator
    confidence_L: Tensor
    plain: int
    forwards: int = 0
    run_start: int = 0
    run_slots: int = 0
    run_steps: int = 0
    repair: Repair = field(default_factory=Repair)


def denoise(
    canvases: Sequence[Canvas], predict: Predict, plan: Plan, checkers: Sequence[Checker | None]
) -> Iterator[Step]:
    """Fill the open slots of rows of one length; yields a Step per row and forward pass until each row has stopped.

    Rows do not influence each other: each has its own generator, seeded by its number. A row without a checker stops
    as "unchecked" when it is full. The last Step of a row holds its result, the furthest canvas if faults remain.
    """
    assert len({len(canvas) for canvas in canvases}) <= 1, "rows of a batch have one length"
    rows = [_start(number, canvas, plan) for number, canvas in enumerate(canvases)]
    cache: Any = None
    while live := [row for row in rows if row.repair.stopped is None]:
        ids_BL = torch.stack([row.canvas.ids_L for row in live])
        want_BL = torch.stack([row.canvas.open_L for row in live])
        logits_NV, cache = predict(ids_BL, want_BL, cache=cache)
        for row, logits in zip(live, torch.split(logits_NV, want_BL.sum(1).tolist()), strict=True):
            after, step = _advance(row, logits, plan, checkers[row.number])
            rows[row.number] = after
            yield step


def _start(number: int, canvas: Canvas, plan: Plan) -> _Row:
    slots = int(canvas.open_L.sum())
    assert slots, "nothing to fill"
    plain = min(plan.steps, slots) if plan.steps else slots
    generator = torch.Generator().manual_seed(plan.seed + number)
    blank = torch.zeros(len(canvas))
    return _Row(number, canvas, generator, blank, plain, run_slots=slots, run_steps=plain)


def _advance(row: _Row, logits_NV: Tensor, plan: Plan, checker: Checker | None) -> tuple[_Row, Step]:
    """One forward's worth of work for one row."""
    forwards = row.forwards + 1
    positions_N = row.canvas.open_L.nonzero()[:, 0]
    scored = choose_slots(row.canvas, positions_N, logits_NV, warmed(plan, row.repair), row.generator)
    allowed_N = in_block(row.canvas, positions_N, plan.block)
    step = forwards - row.run_start
    picked = take(scored, allowed_N, plan, step, max(row.run_steps, step), row.run_slots)
    taken = positions_N[picked]
    canvas = row.canvas.commit(taken, scored.ids_N[picked])
    confidence_L = row.confidence_L.index_copy(0, taken, scored.probability_N[picked])
    row = replace(row, canvas=canvas, forwards=forwards, confidence_L=confidence_L)
    row, dropped = _check(row, plan, checker)
    limit = forwards_allowed(row.plain) if checker else row.plain
    return row, Step(
        row.number, forwards, limit, row.canvas, tuple(taken.tolist()), dropped, row.confidence_L, row.repair
    )


def _check(row: _Row, plan: Plan, checker: Checker | None) -> tuple[_Row, tuple[int, ...]]:
    """Let the checker look at what may be judged; returns the row and the slots that it opened again."""
    full = not bool(row.canvas.open_L.any())
    if checker is None:
        return (replace(row, repair=replace(row.repair, best=row.canvas, stopped="unchecked")) if full else row), ()
    if full:
        # The first full canvas ends the plain run: what it took is what the repair budget is measured by.
        row = replace(row, plain=row.forwards) if row.repair.best is None else row
        left = forwards_allowed(row.plain) - row.forwards
        canvas, repair = judge(row.canvas, checker, row.repair, plan, left)
        opened = bool(canvas.open_L.any())
    else:
        canvas, repair, opened = judge_prefix(row.canvas, checker, row.repair, plan)
    if not opened:
        return replace(row, canvas=canvas, repair=repair), ()
    slots = int(canvas.open_L.sum())
    left = forwards_allowed(row.plain) - row.forwards
    steps = max(1, min(plan.refill_steps, left) if full else row.run_steps - (row.forwards - row.run_start))
    dropped = tuple((canvas.open_L & ~row.canvas.open_L).nonzero()[:, 0].tolist())
    row = replace(row, canvas=canvas, repair=repair, run_start=row.forwards, run_slots=slots, run_steps=steps)
    return row, dropped


def choose_slots(
    canvas: Canvas, positions_N: Tensor, logits_NV: Tensor, plan: Plan, generator: torch.Generator
) -> Scored:
    """Score open slots; a void that would stand before text is put off unless the model is sure of it.

    Voids mark the end of a hole: one that commits early, with text still to come behind it, would cut that text off.
    """
    vocabulary = canvas.vocabulary
    logits_NV = logits_NV.index_fill(1, torch.tensor(vocabulary.suppressed, dtype=torch.long), -torch.inf)
    scored = score(logits_NV, plan, generator)
    if vocabulary.void_id is None:
        return scored
    scored = second_choice(
        scored, early_voids(canvas, positions_N, scored, plan.void_tail), logits_NV, [vocabulary.void_id]
    )
    return second_choice(scored, blank_holes(canvas, positions_N, scored), logits_NV, vocabulary.blank)


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
    blank_L = torch.isin(wanted_L, torch.tensor(canvas.vocabulary.blank, dtype=torch.long))
    first = torch.zeros(len(positions_N), dtype=torch.bool)
    for hole in canvas.ranges:
        own_N = (positions_N >= hole.start) & (positions_N < hole.stop)
        if bool(blank_L[hole.start : hole.stop].all()) and bool(own_N.any()):
            first[own_N.nonzero()[0, 0]] = True
    return first


def in_block(canvas: Canvas, positions_N: Tensor, block: int) -> Tensor:
    """Which open slots may be taken: all, or those of each hole's first block that has one."""
    if not block:
        return torch.ones(len(positions_N), dtype=torch.bool)
    allowed_L = torch.zeros(len(canvas), dtype=torch.bool)
    for hole in canvas.ranges:
        for start in range(hole.start, hole.stop, block):
            part = slice(start, min(start + block, hole.stop))
            if bool(canvas.open_L[part].any()):
                allowed_L[part] = True
                break
    return allowed_L[positions_N]
