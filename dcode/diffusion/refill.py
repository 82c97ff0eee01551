"""What one forward pass says about a repair: which certified change is likeliest, which joint fill passes.

Nothing here costs a forward; the checker is asked a bounded number of times. Shapes: N open slots, V vocabulary.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dcode.diffusion.canvas import Canvas
from dcode.diffusion.change import Change, changed
from dcode.diffusion.repair import NOWHERE, Repair, Standing, certified, standing
from dcode.text.checker import Checker

FAVOURITES = 16
"""How many of the model's likeliest tokens are considered at a slot."""

TRIED = 32
"""How many of them are tried in all; also, how many of the ranked changes."""

DRAWS = 16
"""How many joint fills are drawn from the marginals of one forward."""

DRAWN = 0.7
"""The least temperature at which they are drawn: greedy, all of them would be one."""


@dataclass(frozen=True)
class Marginals:
    """What one forward says at some slots: log probabilities [N, V] and the row of each slot.

    The slots of a canvas that was changed since are told by where they were before: `origin_L`, -1 for what is new.
    """

    log_p_NV: Tensor
    row: dict[int, int]

    @staticmethod
    def of(canvas: Canvas, positions_N: Tensor, logits_NV: Tensor) -> "Marginals":
        """Without what is never chosen."""
        never = torch.tensor(canvas.vocabulary.suppressed, dtype=torch.long)
        log_p_NV = torch.log_softmax(logits_NV.float().index_fill(1, never, -torch.inf), dim=-1)
        return Marginals(log_p_NV, {position: n for n, position in enumerate(positions_N.tolist())})

    def ranked(self, changes: Sequence[Change], origin_L: Tensor) -> list[Change]:
        """Those at slots of which something is known, the one that the model prefers most first."""
        known = [change for change in changes if int(origin_L[change.slot]) in self.row]
        return sorted(known, key=lambda change: -self.gain(change, origin_L))

    def gain(self, change: Change, origin_L: Tensor) -> float:
        """How much likelier the new token is than the old one."""
        log_p_V = self.log_p_NV[self.row[int(origin_L[change.slot])]]
        return float(log_p_V[change.new] - log_p_V[change.old])

    def probability(self, change: Change, origin_L: Tensor) -> float:
        """That of the new token."""
        return float(self.log_p_NV[self.row[int(origin_L[change.slot])], change.new].exp())


def likeliest(repair: Repair, said: Marginals) -> tuple[Change, float]:
    """Of the changes being ranked, the one that the model prefers most to what stands there; also its probability."""
    assert repair.best is not None and repair.changes, "there is something to rank"
    here_L = torch.arange(len(repair.best))
    chosen = said.ranked(repair.changes, here_L)[0]
    return chosen, said.probability(chosen, here_L)


def mended(repair: Repair, said: Marginals, sure_L: Tensor, checker: Checker) -> tuple[Canvas, Tensor, Tensor]:
    """The best canvas, mended by the likeliest changes that get further, one fault after another as long as something
    is known of the slots; also how sure the model is of it, and where each position was before, -1 for what is new.

    Before the changes that are ranked, the model's own favourite, if it mends the text and is preferred still more.
    """
    canvas, now = repair.best, repair.standing
    assert canvas is not None and repair.changes, "there is something to rank"
    origin_L = torch.arange(len(canvas))
    ranked = said.ranked(repair.changes, origin_L)
    if own := _favourite(canvas, checker, said, said.gain(ranked[0], origin_L)):
        ranked = [own, *ranked]
    while found := _further(canvas, ranked, now, checker):
        change, now = found
        probability = said.probability(change, origin_L)
        canvas, before_L = changed(canvas, change)
        sure_L = torch.where(before_L < 0, probability, sure_L[before_L.clamp_min(0)])
        origin_L = torch.where(before_L < 0, -1, origin_L[before_L.clamp_min(0)])
        ranked = said.ranked(certified(canvas, now, checker) if now.faults else (), origin_L)
    return canvas, sure_L, origin_L


def _further(
    canvas: Canvas, ranked: Sequence[Change], now: Standing, checker: Checker
) -> tuple[Change, Standing] | None:
    """The first of the likeliest changes with which a canvas gets further than it is now, and how far."""
    after = ((change, standing(changed(canvas, change)[0], checker)) for change in ranked[:TRIED])
    return next(((change, then) for change, then in after if then.reach > now.reach), None)


def first_that_passes(canvas: Canvas, checker: Checker, draw: Callable[[], Canvas]) -> Canvas:
    """This full canvas if it passes, else the first of so many draws that does, else the one that gets furthest."""
    furthest, most = canvas, NOWHERE.reach
    seen: set[tuple[bytes, ...]] = set()
    for number in range(DRAWS):
        drawn = draw() if number else canvas
        if drawn.fills() in seen:
            continue
        seen.add(drawn.fills())
        now = standing(drawn, checker)
        if not now.faults:
            return drawn
        if now.reach > most:
            furthest, most = drawn, now.reach
    return furthest


def _favourite(canvas: Canvas, checker: Checker, said: Marginals, least: float) -> Change | None:
    """The token that mends the text at one of these slots and gains more than `least`, the most first."""
    options = []
    for slot, n in said.row.items():
        top = said.log_p_NV[n].topk(min(FAVOURITES, said.log_p_NV.shape[1]))
        now = float(said.log_p_NV[n, canvas.ids_L[slot]])
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
