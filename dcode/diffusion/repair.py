"""What to do with a filled canvas that a checker rejects: open the slots it points at, and keep only progress.

A first ladder: the lines of the fault, then wider, then whole holes. A remask that does not help is undone and the
next one is wider and a little warmer. It knows the Checker protocol, not languages.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from dcode.diffusion.canvas import OPEN, TAKEN, Canvas
from dcode.diffusion.plan import Plan
from dcode.text.checker import Checker
from dcode.text.fault import Fault
from dcode.text.result import Stopped


@dataclass(frozen=True, slots=True)
class Repair:
    """How a row stands: the furthest full canvas and its faults, the ladder's level, what was spent, why it ended."""

    best: Canvas | None = None
    faults: tuple[Fault, ...] = ()
    reach: float = -1.0
    level: int = 0
    rounds: int = 0
    failures: int = 0
    tested: int = 0
    stopped: Stopped | None = None


def forwards_allowed(plain: int) -> int:
    """The most forwards a row may take: the plain run and half as many again, at least eight."""
    return plain + max(8, plain // 2)


def warmed(plan: Plan, repair: Repair) -> Plan:
    """Each round that failed makes the next one a tenth warmer, or it would only repeat itself."""
    return replace(plan, temperature=plan.temperature + 0.1 * repair.failures)


def judge(canvas: Canvas, checker: Checker, repair: Repair, plan: Plan, forwards_left: int) -> tuple[Canvas, Repair]:
    """Check a full canvas; return it (done), or the furthest one with slots opened for another round."""
    faults = tuple(checker.faults(canvas.draft()))
    if not faults:
        return canvas, replace(repair, best=canvas, faults=(), stopped="clean")
    reach = progress(canvas, faults)
    if reach > repair.reach:
        repair = replace(repair, best=canvas, faults=faults, reach=reach, level=0)
    else:
        repair = replace(repair, level=repair.level + 1, failures=repair.failures + 1)
    assert repair.best is not None
    if repair.rounds >= plan.rounds:
        return repair.best, replace(repair, stopped="rounds")
    if forwards_left <= 0:
        return repair.best, replace(repair, stopped="forwards")
    return _open(repair.best, checker, repair)


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


def _open(canvas: Canvas, checker: Checker, repair: Repair) -> tuple[Canvas, Repair]:
    draft, level = canvas.draft(), repair.level
    positions: Tensor = torch.empty(0, dtype=torch.long)
    while not len(positions):
        spans = checker.candidates(draft, repair.faults[0], level)
        if spans is None:
            return canvas, replace(repair, level=level, stopped="rounds")
        positions = canvas.taken_in(spans)
        level += not len(positions)
    return canvas.remask(positions), replace(repair, level=level, rounds=repair.rounds + 1, tested=0)


def _complete_prefix(canvas: Canvas) -> tuple[int, int]:
    """Where in the draft the first masked slot stands, and how many lines before it the holes completed."""
    offsets = canvas.offsets()
    first = next((position for position in sorted(offsets) if canvas.state_L[position] == OPEN), None)
    end = offsets[first].start if first is not None else len(canvas.draft().data)
    before = [canvas.text(p) for p in offsets if (first is None or p < first) and canvas.state_L[p] == TAKEN]
    return end, sum(text.count(b"\n") for text in before)
