"""What to do with a filled canvas that a checker rejects: the certified changes the model likes best, else a ladder.

Where single changes are known to help, their slots are masked, and one forward says which are likeliest: of the first
fault and, as far as they can be foreseen, of those behind it. Where none is, slots open around the fault, ever wider
and a little warmer. Only progress is kept. It knows the Checker protocol, not languages; all its budgets are counts.
"""

from dataclasses import dataclass, replace
from itertools import islice
from math import inf

import torch

from dcode.diffusion.canvas import OPEN, TAKEN, Canvas
from dcode.diffusion.change import Change, changes, moved
from dcode.diffusion.plan import Plan
from dcode.text.checker import Checker
from dcode.text.fault import Fault
from dcode.text.frame import Phase
from dcode.text.result import Stopped

CHANGES = 256
"""How many certified changes are ranked, nearest to the fault first."""

AHEAD = 3
"""How many more faults are looked for behind the first one, to be mended by the same forward."""

HOPELESS = 24
"""With more faults than this, single changes are not looked for: they would cost a parse each and mend little."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a checker says of a full canvas: its faults, those to look for the damage at, the first one first, and how
    far it gets: whether all its lines can be continued, and to which slot."""

    faults: tuple[Fault, ...]
    blamed: tuple[Fault, ...]
    reach: tuple[bool, float]


NOWHERE = Standing((), (), (False, -1.0))
"""Before anything was full."""


@dataclass(frozen=True, slots=True)
class Repair:
    """How a row stands: the furthest full canvas and its faults, the ladder's level, what was spent, why it ended.

    While `changes` are being ranked, the open slots are theirs and those of changes foreseen behind them; everything
    else is as in `best`. `tried`: they were. Of a `statement` only the first new token counts, the rest is filled anew;
    `banned` are such tokens that led nowhere. `opened` are the slots of the ladder's last level.
    """

    best: Canvas | None = None
    standing: Standing = NOWHERE
    level: int = 0
    rounds: int = 0
    failures: int = 0
    tested: int = 0
    changes: tuple[Change, ...] = ()
    tried: bool = False
    statement: bool = False
    banned: frozenset[tuple[int, int]] = frozenset()
    opened: frozenset[int] = frozenset()
    stopped: Stopped | None = None

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Those of the furthest canvas."""
        return self.standing.faults

    @property
    def phase(self) -> Phase:
        """What the next forward is for."""
        if self.changes:
            return "begin" if self.statement else "rank"
        return "fill" if self.best is None else "repair"


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
    now = standing(canvas, checker)
    if not now.faults:
        return canvas, replace(repair, best=canvas, standing=now, stopped="clean")
    if now.reach > repair.standing.reach:
        repair = replace(repair, best=canvas, standing=now, level=0, tried=False)
        repair = replace(repair, opened=frozenset(), banned=frozenset())
    else:
        level = repair.level + bool(repair.opened or repair.banned)
        repair = replace(repair, level=level, failures=repair.failures + 1)
    assert repair.best is not None
    if repair.rounds >= plan.rounds:
        return repair.best, replace(repair, stopped="rounds")
    if forwards_left <= 0:
        return repair.best, replace(repair, stopped="forwards")
    best, repair = repair.best, replace(repair, rounds=repair.rounds + 1, tested=0)
    ranked = None if repair.tried or len(repair.faults) > HOPELESS else _mask_changes(best, checker, repair)
    repair = replace(repair, tried=True)
    # A statement takes two forwards: one for its first token, one for the rest.
    begun = _mask_statement(best, checker, repair) if not ranked and forwards_left > 1 else None
    return ranked or begun or _open(best, checker, repair, generator)


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


def standing(canvas: Canvas, checker: Checker) -> Standing:
    """How far a full canvas gets: to the first fault that nothing after it mends; where there is none, to the first."""
    draft = canvas.draft()
    faults = tuple(checker.faults(draft))
    if not faults:
        return Standing((), (), (True, inf))
    hopeless = checker.prefix_fault(draft, len(draft.data))
    first = hopeless or next((fault for fault in faults if fault.kind == "encoding"), None)
    if first is None:
        return Standing(faults, faults, (True, _slots_before(canvas, min(fault.span.start for fault in faults))))
    others = (fault for fault in faults if fault.checker != first.checker)
    return Standing(faults, (first, *others), (False, _slots_before(canvas, first.span.start)))


def _slots_before(canvas: Canvas, first: int) -> float:
    """How many slots stand before this byte; one behind the holes counts as all slots and its distance in bytes."""
    offsets = canvas.offsets()
    slots = sorted(offsets)
    for index, position in enumerate(slots):
        if first < offsets[position].end:
            return float(index)
    return float(len(slots)) + max(0, first - offsets[slots[-1]].end)


def _mask_changes(canvas: Canvas, checker: Checker, repair: Repair) -> tuple[Canvas, Repair] | None:
    """Open the slots at which certified changes begin, of the next faults too; None where there are none."""
    found = certified(canvas, repair.standing, checker)
    if not found:
        return None
    slots = {change.slot for change in found} | _ahead(canvas, found[0], checker)
    return canvas.remask(torch.tensor(sorted(slots))), replace(repair, changes=found, tried=True)


def certified(canvas: Canvas, now: Standing, checker: Checker) -> tuple[Change, ...]:
    """The certified changes of a full canvas that fit its slots."""
    return tuple(islice(changes(canvas, checker.certified(canvas.draft(), now.blamed)), CHANGES))


def _ahead(canvas: Canvas, change: Change, checker: Checker) -> set[int]:
    """Where the next faults may be mended, if this change mends the first one: one forward is to serve them all."""
    slots: set[int] = set()
    origin_L = torch.arange(len(canvas))
    reach = NOWHERE.reach
    for _ in range(AHEAD):
        canvas, origin_L = moved(canvas, change, origin_L)
        now = standing(canvas, checker)
        found = certified(canvas, now, checker) if now.faults and now.reach > reach else ()
        if not found:
            break
        slots |= {int(origin_L[one.slot]) for one in found} - {-1}
        change, reach = found[0], now.reach
    return slots


def _mask_statement(canvas: Canvas, checker: Checker, repair: Repair) -> tuple[Canvas, Repair] | None:
    """Open the lines of a fault that another kind of statement would mend: at once where it lies behind the holes,
    for nothing in them is wrong by itself; else when the ladder's first levels have failed."""
    behind = repair.standing.reach[1] >= sum(map(len, canvas.ranges))
    place = checker.statements(canvas.draft(), repair.standing.blamed[0]) if behind or repair.level > 1 else None
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
    while (spans := checker.candidates(draft, repair.standing.blamed[0], level)) is not None:
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
