"""The only sampling loop: predict, score, commit, check, remask, until every row is done.

Shapes: B rows, L positions, N open slots, V vocabulary.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import torch
from torch import Tensor

from dcode.diffusion.canvas import Canvas
from dcode.diffusion.choice import choose_slots, in_block
from dcode.diffusion.plan import Plan
from dcode.diffusion.refill import DRAWN, Marginals, first_that_passes, likeliest, mended
from dcode.diffusion.repair import Repair, forwards_allowed, judge, judge_prefix, warmed
from dcode.diffusion.select import Scored, apart, score, take
from dcode.text.checker import Checker
from dcode.text.frame import Phase

SLOTS_A_STEP = 16
"""How many slots one forward of a refill may fill."""


class Rows(Protocol):
    """What a network keeps of the rows it has computed."""

    def keep(self, numbers: Sequence[int]) -> None:
        """Let go of all rows but these."""
        ...


class Predict(Protocol):
    """The network as the sampler sees it."""

    def __call__(
        self,
        ids_BL: Tensor,
        want_BL: Tensor,
        lane: Any = None,
    ) -> Tensor:
        """Logits [N, V] of the wanted positions in row-major order; `lane` is what the network keeps between calls."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """One row after one forward pass. `confidence_L` is 0 where nothing was committed yet; `limit` bounds `index`.

    `best_confidence_L` is that of the furthest full canvas, `repair.best`, which may have another length.
    """

    row: int
    index: int
    limit: int
    canvas: Canvas
    committed: tuple[int, ...]
    dropped: tuple[int, ...]
    confidence_L: Tensor
    best_confidence_L: Tensor
    repair: Repair
    phase: Phase


@dataclass(frozen=True, slots=True)
class _Row:
    """What a row carries from step to step."""

    number: int
    canvas: Canvas
    generator: torch.Generator
    confidence_L: Tensor
    best_confidence_L: Tensor
    plain: int
    forwards: int = 0
    run_start: int = 0
    run_slots: int = 0
    run_steps: int = 0
    repair: Repair = field(default_factory=Repair)


def denoise(
    canvases: Sequence[Canvas],
    predict: Predict,
    plan: Plan | Sequence[Plan],
    checkers: Sequence[Checker | None],
    lane: Rows | None = None,
) -> Iterator[Step]:
    """Fill the open slots of rows; yields a Step per row and forward pass until each row has stopped.

    Rows of one length share a forward; rows are never padded. They do not influence each other: each has its own
    generator, seeded by its number, and its own plan where several are given. With a `lane` they are written from the
    left, in step. A row without a checker stops as "unchecked" when it is full. The last Step of a row holds its
    result, the furthest canvas if faults remain.
    """
    plans = [plan] * len(canvases) if isinstance(plan, Plan) else plan
    rows = [_start(number, canvas, plans[number]) for number, canvas in enumerate(canvases)]
    while live := [row for row in rows if row.repair.stopped is None]:
        for length in sorted({len(row.canvas) for row in live}):
            alike = [row for row in live if len(row.canvas) == length]
            ids_BL = torch.stack([row.canvas.ids_L for row in alike])
            want_BL = torch.stack([_wanted(row, plans[row.number]) for row in alike])
            if lane is not None:
                lane.keep([row.number for row in alike])
            logits_NV = predict(ids_BL, want_BL, lane=lane)
            for row, logits in zip(alike, torch.split(logits_NV, want_BL.sum(1).tolist()), strict=True):
                after, step = _advance(row, logits, plans[row.number], checkers[row.number])
                rows[row.number] = after
                yield step


def _wanted(row: _Row, plan: Plan) -> Tensor:
    """The slots whose logits a step needs: the open ones, and the taken ones where tokens may be revised.

    Where each token is written behind the one before it, only the first open slot's say anything.
    """
    canvas = row.canvas
    if plan.order == "left" and plan.block == 1 and not row.repair.changes:
        return canvas.open_L & torch.eq(canvas.open_L.cumsum(0), 1)
    return canvas.open_L | canvas.taken_L if plan.revise else canvas.open_L


def _start(number: int, canvas: Canvas, plan: Plan) -> _Row:
    slots = int(canvas.open_L.sum())
    assert slots, "nothing to fill"
    plain = min(plan.steps, slots) if plan.steps else slots
    generator = torch.Generator().manual_seed(plan.seed + number)
    blank = torch.zeros(len(canvas))
    return _Row(number, canvas, generator, blank, blank, plain, run_slots=slots, run_steps=plain)


def _advance(row: _Row, logits_NV: Tensor, plan: Plan, checker: Checker | None) -> tuple[_Row, Step]:
    """One forward's worth of work for one row."""
    forwards, phase = row.forwards + 1, row.repair.phase
    if checker is not None and row.repair.changes:
        open_N = row.canvas.open_L[_wanted(row, plan)]
        mend = _begun if row.repair.statement else _mended
        return _judged(*mend(replace(row, forwards=forwards), logits_NV[open_N], plan, checker), plan, checker, phase)
    if plan.revise:
        row, logits_NV = _revised(row, logits_NV, plan)
    positions_N = (_wanted(row, plan) & row.canvas.open_L).nonzero()[:, 0]
    step = forwards - row.run_start
    steps, more = max(step, row.run_steps), _more_steps(row, plan)
    # What grows in the last step of a run would not be filled, unless new slots bring steps of their own.
    canvas = row.canvas if more or step < steps else row.canvas.closed()
    scored = choose_slots(canvas, positions_N, logits_NV, warmed(plan, row.repair), row.generator)
    allowed_N = in_block(row.canvas, positions_N, plan.block)
    picked = take(scored, allowed_N, plan, step, steps, row.run_slots)
    if plan.apart and step < steps:
        picked = apart(scored, positions_N, picked, _holds_text(row.canvas, scored), plan.apart)
    before = row.canvas
    row, taken = _taken(replace(row, forwards=forwards), positions_N[picked], picked, scored, more)
    if checker is not None and len(row.canvas) == len(before) and not bool(row.canvas.open_L.any()):
        row = _redrawn(row, before, positions_N, logits_NV, plan, checker)
    return _judged(row, taken, plan, checker, phase)


def _judged(row: _Row, taken: tuple[int, ...], plan: Plan, checker: Checker | None, phase: Phase) -> tuple[_Row, Step]:
    """The row after the checker's look at it, and what may be seen of the step."""
    row, dropped = _check(row, plan, checker)
    limit = forwards_allowed(row.plain) if checker else row.plain
    sure, best = row.confidence_L, row.best_confidence_L
    return row, Step(row.number, row.forwards, limit, row.canvas, taken, dropped, sure, best, row.repair, phase)


def _holds_text(canvas: Canvas, scored: Scored) -> Tensor:
    return torch.tensor([bool(canvas.vocabulary.pieces[number]) for number in scored.ids_N.tolist()], dtype=torch.bool)


def _mended(row: _Row, logits_NV: Tensor, plan: Plan, checker: Checker) -> tuple[_Row, tuple[int, ...]]:
    """Make the likeliest of the changes that are ranked; also the positions that were open or are new."""
    positions_N = row.canvas.open_L.nonzero()[:, 0]
    said = Marginals.of(row.canvas, positions_N, logits_NV)
    canvas, confidence_L, origin_L = mended(row.repair, said, row.confidence_L, checker)
    opened = set(positions_N.tolist())
    taken = tuple(at for at, before in enumerate(origin_L.tolist()) if before < 0 or before in opened)
    return replace(row, canvas=canvas, confidence_L=confidence_L), taken


def _begun(row: _Row, logits_NV: Tensor, plan: Plan, checker: Checker) -> tuple[_Row, tuple[int, ...]]:
    """Begin the statement with the likeliest first token that may begin one; the rest of it is filled anew."""
    positions_N = row.canvas.open_L.nonzero()[:, 0]
    change, probability = likeliest(row.repair, Marginals.of(row.canvas, positions_N, logits_NV))
    taken_N = positions_N[positions_N <= change.slot]
    hole = row.canvas.ranges[change.hole]
    ids_N = torch.tensor([change.ids[position - hole.start] for position in taken_N.tolist()])
    banned = row.repair.banned | {(change.slot, change.new)}
    row = replace(
        row,
        canvas=row.canvas.commit(taken_N, ids_N),
        confidence_L=row.confidence_L.index_fill(0, taken_N, probability),
        repair=replace(row.repair, changes=(), statement=False, banned=banned),
        run_start=row.forwards,
        run_slots=len(positions_N),
        run_steps=_refill_steps(row, plan, len(positions_N)),
    )
    return row, tuple(taken_N.tolist())


def _redrawn(row: _Row, before: Canvas, positions_N: Tensor, logits_NV: Tensor, plan: Plan, checker: Checker) -> _Row:
    """A full row, or another fill of what its last step took, drawn from the same marginals, that gets further."""
    warm = warmed(plan, row.repair)
    warm = replace(warm, temperature=max(warm.temperature, DRAWN))

    def draw() -> Canvas:
        scored = choose_slots(before.closed(), positions_N, logits_NV, warm, row.generator)
        return before.commit(positions_N, scored.ids_N)

    canvas = first_that_passes(row.canvas, checker, draw)
    p_N = torch.softmax(logits_NV.float(), dim=-1).gather(1, canvas.ids_L[positions_N][:, None])[:, 0]
    return replace(row, canvas=canvas, confidence_L=row.confidence_L.index_copy(0, positions_N, p_N))


def _more_steps(row: _Row, plan: Plan) -> int:
    """How much longer a run may get if its slots grow: within the plan's steps; a repair has its own bound."""
    if row.repair.best is not None:
        return 0
    return max(0, plan.steps - row.run_start - row.run_steps) if plan.steps else sum(row.canvas.room)


def _revised(row: _Row, logits_NV: Tensor, plan: Plan) -> tuple[_Row, Tensor]:
    """Change tokens that the model would no longer choose; also the logits that are left, of the open slots."""
    places_N = _wanted(row, plan).nonzero()[:, 0]
    open_N = row.canvas.open_L[places_N]
    taken_N = places_N[~open_N]
    suppressed = torch.tensor(row.canvas.vocabulary.suppressed, dtype=torch.long)
    scored = score(logits_NV[~open_N].index_fill(1, suppressed, -torch.inf), plan, row.generator)
    # Text for text: whether a slot is void was settled when it was taken.
    before_N, pieces = row.canvas.ids_L[taken_N], row.canvas.vocabulary.pieces
    both = [bool(pieces[a] and pieces[b]) for a, b in zip(before_N.tolist(), scored.ids_N.tolist(), strict=True)]
    other_N = torch.ne(scored.ids_N, before_N) & (scored.probability_N >= plan.revise)
    changed_N = other_N & torch.tensor(both, dtype=torch.bool)
    places, ids = taken_N[changed_N], scored.ids_N[changed_N]
    canvas = row.canvas.remask(places).commit(places, ids)
    confidence_L = row.confidence_L.index_copy(0, places, scored.probability_N[changed_N])
    return replace(row, canvas=canvas, confidence_L=confidence_L), logits_NV[open_N]


def _taken(row: _Row, taken_N: Tensor, picked: Tensor, scored: Scored, steps: int) -> tuple[_Row, tuple[int, ...]]:
    """Put the picked ids into their slots, or let slots grow and vanish; also the positions that hold text now.

    Every slot that is added brings the run a step of its own, up to so many `steps`.
    """
    ids_N, vocabulary = scored.ids_N[picked], row.canvas.vocabulary
    changes = (vocabulary.expand_id, vocabulary.delete_id)
    text_N = torch.tensor([number not in changes for number in ids_N.tolist()], dtype=torch.bool)
    canvas = row.canvas.commit(taken_N[text_N], ids_N[text_N])
    confidence_L = row.confidence_L.index_copy(0, taken_N[text_N], scored.probability_N[picked][text_N])
    kept = set(taken_N[text_N].tolist())
    if bool(text_N.all()):
        return replace(row, canvas=canvas.ended(), confidence_L=confidence_L), tuple(taken_N.tolist())
    expanded = set(taken_N[torch.eq(ids_N, changes[0] if changes[0] is not None else -1)].tolist())
    canvas, origin_L = canvas.resized(expanded, set(taken_N.tolist()) - kept - expanded)
    confidence_L = torch.where(origin_L < 0, 0.0, confidence_L[origin_L.clamp_min(0)])
    after = tuple(at for at, before in enumerate(origin_L.tolist()) if before in kept)
    more = min(len(expanded), steps)
    row = replace(row, plain=row.plain + more, run_slots=row.run_slots + more, run_steps=row.run_steps + more)
    return replace(row, canvas=canvas, confidence_L=confidence_L), after


def _check(row: _Row, plan: Plan, checker: Checker | None) -> tuple[_Row, tuple[int, ...]]:
    """Let the checker look at what may be judged; returns the row and the slots that it opened again."""
    full = not bool(row.canvas.open_L.any())
    if checker is None:
        done = replace(row.repair, best=row.canvas, stopped="unchecked")
        return (replace(row, repair=done, best_confidence_L=row.confidence_L) if full else row), ()
    if full:
        # The first full canvas ends the plain run: what it took is what the repair budget is measured by.
        row = replace(row, plain=row.forwards) if row.repair.best is None else row
        left = forwards_allowed(row.plain) - row.forwards
        canvas, repair = judge(row.canvas, checker, row.repair, plan, left, row.generator)
        opened = bool(canvas.open_L.any())
        # A canvas that got no further gives way to the best one, whose length may be another.
        best_L = row.confidence_L if repair.best is row.canvas else row.best_confidence_L
        row = replace(row, confidence_L=best_L, best_confidence_L=best_L)
    else:
        canvas, repair, opened = judge_prefix(row.canvas, checker, row.repair, plan)
    if not opened:
        return replace(row, canvas=canvas, repair=repair), ()
    slots = int(canvas.open_L.sum())
    steps = _refill_steps(row, plan, slots) if full else max(1, row.run_steps - (row.forwards - row.run_start))
    dropped_L = canvas.open_L if full else canvas.open_L & ~row.canvas.open_L
    dropped = tuple(dropped_L.nonzero()[:, 0].tolist())
    row = replace(row, canvas=canvas, repair=repair, run_start=row.forwards, run_slots=slots, run_steps=steps)
    return row, dropped


def _refill_steps(row: _Row, plan: Plan, slots: int) -> int:
    """How many forwards a refill takes: more where more slots are open, never more than are left."""
    left = forwards_allowed(row.plain) - row.forwards
    return max(1, min(plan.refill_steps, left, -(-slots // SLOTS_A_STEP)))
