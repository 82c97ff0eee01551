"""What to do with a filled canvas that a checker rejects: the certified change the model likes best, else a ladder.

Where a single change is known to help, its slots are masked, and one forward says which change is likeliest. Where
none is, slots open around the fault, ever wider and a little warmer. Only progress is kept. It knows the Checker
protocol, not languages; all its budgets are counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

import torch

from dcode.diffusion.canvas import OPEN, TAKEN, Canvas
from dcode.diffusion.change import Change, changes
from dcode.diffusion.plan import Plan
from dcode.text.checker import Checker
from dcode.text.fault import Fault
from dcode.text.result import Stopped

CHANGES = 256
"""How many certified changes are ranked, nearest to the fault first."""


@dataclass(frozen=True, slots=True)
class Repair:
    """How a row stands: the furthest full canvas and its faults, the ladder's level, what was spent, why it ended.

    While `changes` are being ranked, the open slots are theirs, and everything else is as in `best`; of a `statement`
    only the first new token counts, the rest is filled anew. `banned` are such tokens that led nowhere; `opened` the
    slots of the ladder's last level.
    """

    best: Canvas | None = None
    faults: tuple[Fault, ...] = ()
    reach: float = -1.0
    level: int = 0
    rounds: int = 0
    failures: int = 0
    tested: int = 0
    changes: tuple[Change, ...] = ()
    statement: bool = False
    banned: frozenset[tuple[int, int]] = frozenset()
    opened: frozenset[int] = frozenset()
    stopped: Stopped | None = None


def forwards_allowed(plain: int) -> int:
    """The most forwards a row may take: the plain run and half as many again, at least eight."""
    return plain + max(8, plain // 2)


def warmed(plan: Plan, repair: Repair) -> Plan:
    """Each round that failed makes the next one a tenth warmer, or it would only repeat itself."""
    return replace(plan, temperature=plan.temperature + 0.1 * repair.failures)


def judge(
    canvas: Canvas, checker: Checker, repair: Repair, plan: Plan, forwards_left: int, generator: torch.Generator
) -> tuple[Canvas, Repair]:
    """Check a full canvas; return it (done), or the furthest one with slots opened for another round."""
    repair = replace(repair, changes=(), statement=False)
    faults = tuple(checker.faults(canvas.draft()))
    if not faults:
        return canvas, replace(repair, best=canvas, faults=(), stopped="clean")
    reach = progress(canvas, faults)
    if reach > repair.reach:
        repair = replace(
            repair, best=canvas, faults=faults, reach=reach, level=0, opened=frozenset(), banned=frozenset()
        )
    else:
        repair = replace(repair, level=repair.level + 1, failures=repair.failures + 1)
    assert repair.best is not None
    if repair.rounds >= plan.rounds:
        return repair.best, replace(repair, stopped="rounds")
    if forwards_left <= 0:
        return repair.best, replace(repair, stopped="forwards")
    best, repair = repair.best, replace(repair, rounds=repair.rounds + 1, tested=0)
    return (
        _mask_changes(best, checker, repair)
        or _mask_statement(best, checker, repair)
        or _open(best, checker, repair, generator)
    )


def judge_prefix(canvas: Canvas, checker: Checker, repair: Repair, plan: Plan) -> tuple[Canvas, Repair, bool]:
    """Before the canvas is full: if the lines before the first mask cannot be continued, open them again, now."""
    end, complete = _complete_prefix(canvas)
    if complete <= repair.tested or repair.rounds >= plan.rounds // 2:
        return canvas, repair, False
    repair = replace(repair, tested=complete)
    draft = canvas.draft()
    fault = checker.prefix_fault(draft, end)
    spans = checker.candidates(draft, fault, 0) if fault else None
    positions = canvas.taken_in(spans) if spans else torch.empty(0, dtype=torch.long)
    if not len(positions):
        return canvas, repair, False
    repair = replace(repair, rounds=repair.rounds + 1, failures=repair.failures + 1, tested=0)
    return canvas.remask(positions), repair, True


def progress(canvas: Canvas, faults: Sequence[Fault]) -> float:
    """The slot index of the first new fault; one behind the holes counts as all slots and its distance in bytes."""
    first = min(fault.span.start for fault in faults)
    offsets = canvas.offsets()
    slots = sorted(offsets)
    for index, position in enumerate(slots):
        if first < offsets[position].end:
            return float(index)
    return float(len(slots)) + max(0, first - offsets[slots[-1]].end)


def _mask_changes(canvas: Canvas, checker: Checker, repair: Repair) -> tuple[Canvas, Repair] | None:
    """Open the slots at which certified changes begin, once for every new best; None where there are none."""
    if repair.level:
        return None
    found = tuple(islice(changes(canvas, checker.certified(canvas.draft(), repair.faults)), CHANGES))
    if not found:
        return None
    slots = torch.tensor(sorted({change.slot for change in found}))
    return canvas.remask(slots), replace(repair, changes=found)


def _mask_statement(canvas: Canvas, checker: Checker, repair: Repair) -> tuple[Canvas, Repair] | None:
    """Open the lines of a fault that another kind of statement would mend: at once where it lies behind the holes,
    for nothing in them is wrong by itself; else when the ladder's first levels have failed."""
    behind = repair.reach >= sum(map(len, canvas.ranges))
    place = checker.statements(canvas.draft(), repair.faults[0]) if behind or repair.level > 1 else None
    if place is None:
        return None
    every = changes(canvas, (place,))
    found = tuple(change for change in every if (change.slot, change.new) not in repair.banned)
    if not found:
        return None
    inside = canvas.taken_in((place.span,)).tolist()
    slots = torch.tensor(sorted({*inside, *(change.slot for change in found)}))
    return canvas.remask(slots), replace(repair, changes=found, statement=True)


def _open(canvas: Canvas, checker: Checker, repair: Repair, generator: torch.Generator) -> tuple[Canvas, Repair]:
    """Open what the level says; a level that says the same as the last one is left out. In the end, any half."""
    draft, level = canvas.draft(), repair.level
    while (spans := checker.candidates(draft, repair.faults[0], level)) is not None:
        positions = canvas.taken_in(spans)
        opened = frozenset(positions.tolist())
        if opened and opened != repair.opened:
            return canvas.remask(positions), replace(repair, level=level, opened=opened)
        level += 1
    slots = (canvas.state_L == TAKEN).nonzero()[:, 0]
    half = slots[torch.randperm(len(slots), generator=generator)[: (len(slots) + 1) // 2]].sort().values
    return canvas.remask(half), replace(repair, level=level)


def _complete_prefix(canvas: Canvas) -> tuple[int, int]:
    """Where in the draft the first masked slot stands, and how many lines before it the holes completed."""
    offsets = canvas.offsets()
    first = next((position for position in sorted(offsets) if canvas.state_L[position] == OPEN), None)
    end = offsets[first].start if first is not None else len(canvas.draft().data)
    before = [canvas.text(p) for p in offsets if (first is None or p < first) and canvas.state_L[p] == TAKEN]
    return end, sum(text.count(b"\n") for text in before)
