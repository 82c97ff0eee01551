"""What one forward pass says about a repair: which certified change is likeliest, which joint fill passes.

Nothing here costs a forward; the checker is asked a bounded number of times. Shapes: N open slots, V vocabulary.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from dcode.diffusion.canvas import Canvas
from dcode.diffusion.change import Change
from dcode.diffusion.repair import Repair, progress
from dcode.text.checker import Checker

FAVOURITES = 16
"""How many of the model's likeliest tokens are considered at a slot."""

TRIED = 32
"""How many of them are tried in all."""

DRAWS = 16
"""How many joint fills are drawn from the marginals of one forward."""

DRAWN = 0.7
"""The least temperature at which they are drawn: greedy, all of them would be one."""


def likeliest(repair: Repair, positions_N: Tensor, logits_NV: Tensor, checker: Checker) -> tuple[Change, float]:
    """Of the changes being ranked, the one that the model prefers most to what stands there; also its probability.

    Before that, the model's own favourites at their slots, if one mends the text and is preferred still more.
    """
    canvas = repair.best
    assert canvas is not None and repair.changes, "there is something to rank"
    never = torch.tensor(canvas.vocabulary.suppressed, dtype=torch.long)
    log_p_NV = torch.log_softmax(logits_NV.float().index_fill(1, never, -torch.inf), dim=-1)
    row = {position: n for n, position in enumerate(positions_N.tolist())}

    def gain(change: Change) -> float:
        return float(log_p_NV[row[change.slot], change.new] - log_p_NV[row[change.slot], change.old])

    best = max(repair.changes, key=gain)
    favourite = None if repair.statement else _favourite(canvas, checker, row, log_p_NV, gain(best))
    chosen = favourite or best
    return chosen, float(log_p_NV[row[chosen.slot], chosen.new].exp())


def first_that_passes(canvas: Canvas, checker: Checker, draw: Callable[[], Canvas]) -> Canvas:
    """This full canvas if it passes, else the first of so many draws that does, else the one that gets furthest."""
    furthest, most = canvas, -1.0
    seen: set[tuple[bytes, ...]] = set()
    for number in range(DRAWS):
        drawn = draw() if number else canvas
        if drawn.fills() in seen:
            continue
        seen.add(drawn.fills())
        faults = checker.faults(drawn.draft())
        if not faults:
            return drawn
        if (reach := progress(drawn, faults)) > most:
            furthest, most = drawn, reach
    return furthest


def _favourite(canvas: Canvas, checker: Checker, row: dict[int, int], log_p_NV: Tensor, least: float) -> Change | None:
    """The token that mends the text at one of these slots and gains more than `least`, the most first."""
    options = []
    for slot, n in row.items():
        top = log_p_NV[n].topk(min(FAVOURITES, log_p_NV.shape[1]))
        now = float(log_p_NV[n, canvas.ids_L[slot]])
        options += [(p - now, slot, new) for p, new in zip(top.values.tolist(), top.indices.tolist(), strict=True)]
    draft, offsets, pieces = canvas.draft(), canvas.offsets(), canvas.vocabulary.pieces
    for gain, slot, new in sorted(options, reverse=True)[:TRIED]:
        if gain <= least:
            break
        if canvas.text(slot) and pieces[new] and checker.parses(draft, offsets[slot], pieces[new]):
            return _one_token(canvas, slot, new)
    return None


def _one_token(canvas: Canvas, slot: int, new: int) -> Change:
    hole = next(number for number, places in enumerate(canvas.ranges) if slot in places)
    places = canvas.ranges[hole]
    ids = tuple(new if position == slot else int(canvas.ids_L[position]) for position in places)
    keeps = tuple(-1 if position == slot else position for position in places)
    return Change(hole, ids, keeps, slot, int(canvas.ids_L[slot]), new)
