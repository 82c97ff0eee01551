"""A denoiser without a network: it knows the truth and gets it wrong as often as it is told to.

At first it writes a given text, mistakes and all. Whenever a slot is opened again it answers with the truth with the
given probability, else with a word that fits there. How sure it says it is tells right from wrong, but not well.
It knows slots, no parser.

Shapes: N open slots, V vocabulary.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from dcode.diffusion.canvas import Canvas, Vocabulary

Fits = Callable[[int], tuple[Sequence[int], Sequence[float]]]
"""Of a place in the truth: ids that would fit there, other than its own, and their weights."""

SURE_WHEN_RIGHT, SURE_WHEN_WRONG = (8.0, 2.0), (4.0, 4.0)
"""The two parameters of the beta distribution that its confidence is drawn from: 0.8 on average, and 0.5."""

TRUTH_SECOND = 0.5
"""When it is wrong: the share of what is left of the probability that the truth gets."""

IMPOSSIBLE = 1e-9

NEIGHBOURS, MOVED = 8, 4
"""How many slots on each side tell where in the truth a slot stands, and how far it may have moved."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What it says at a slot, and how sure it says it is."""

    id: int
    sure: float


@dataclass
class Scripted:
    """One row. `begin` and `truth` are ids at all slots, in order; `fits` are its wrong answers.

    Slots may have moved since the beginning: which part of the truth a slot stands for, its neighbours tell.
    """

    canvas: Canvas
    begin: Sequence[int]
    truth: Sequence[int]
    fits: Fits
    accuracy: float
    generator: random.Random
    _answers: dict[int, Answer] = field(default_factory=dict)
    _seen: set[int] = field(default_factory=set)

    def predict(
        self,
        ids_BL: Tensor,
        want_BL: Tensor,
        lane: object = None,
    ) -> Tensor:
        """Log probabilities [N, V]; an answer stands until its slot has been filled."""
        assert len(ids_BL) == 1, "one row"
        positions = [position for hole in self.canvas.ranges for position in hole]
        visible, open_ = ids_BL[0, positions].tolist(), want_BL[0, positions].tolist()
        filled = {slot for slot, wanted in enumerate(open_) if not wanted}
        self._seen |= filled
        self._answers = {slot: answer for slot, answer in self._answers.items() if slot not in filled}
        return torch.stack([self._log_p(slot, visible) for slot, wanted in enumerate(open_) if wanted])

    def _log_p(self, slot: int, visible: Sequence[int]) -> Tensor:
        at = self._place(slot, visible) if slot in self._seen else slot
        truth, (ids, weights) = self._truth(at), self.fits(at)
        answer = self._answers.setdefault(slot, self._answer(slot, truth, ids, weights))
        p_V = torch.full((len(self.canvas.vocabulary.pieces),), IMPOSSIBLE, dtype=torch.float64)
        left = 1 - answer.sure
        if answer.id != truth:
            p_V[truth] += TRUTH_SECOND * left
            left -= TRUTH_SECOND * left
        if ids:
            p_V[list(ids)] += left * torch.tensor(weights, dtype=torch.float64) / sum(weights)
        p_V[answer.id] += answer.sure
        return (p_V / p_V.sum()).log().float()

    def _answer(self, slot: int, truth: int, ids: Sequence[int], weights: Sequence[float]) -> Answer:
        chosen = truth
        if slot not in self._seen:
            chosen = self.begin[slot]
        elif ids and self.generator.random() >= self.accuracy:
            chosen = self.generator.choices(ids, weights)[0]
        return Answer(chosen, self.generator.betavariate(*(SURE_WHEN_RIGHT if chosen == truth else SURE_WHEN_WRONG)))

    def _place(self, slot: int, visible: Sequence[int]) -> int:
        """The place in the truth around which most of the slot's neighbours agree; the nearest of several."""

        def agreement(shift: int) -> int:
            near = range(max(0, slot - NEIGHBOURS), min(len(visible), slot + NEIGHBOURS + 1))
            return sum(visible[n] == self._truth(n + shift) for n in near)

        return slot + max(sorted(range(-MOVED, MOVED + 1), key=abs), key=agreement)

    def _truth(self, at: int) -> int:
        void = self.canvas.vocabulary.void_id
        assert void is not None
        return self.truth[at] if 0 <= at < len(self.truth) else void


def vocabulary(words: Sequence[bytes], own: Sequence[bytes]) -> Vocabulary:
    """Ids for known words and, behind them, for the pieces of one text that are not among them; a mask and a void."""
    known = set(words)
    pieces = (*words, *dict.fromkeys(piece for piece in own if piece not in known), b"", b"")
    return Vocabulary(pieces, len(pieces) - 2, len(pieces) - 1, (len(pieces) - 2,))
