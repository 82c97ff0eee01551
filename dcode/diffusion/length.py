"""How long a hole is, for models whose slots neither render to nothing nor grow: a search by confidence.

CAL (arXiv 2602.00476): with all slots of a hole masked, the mean top probability of one forward peaks near the right
length, once what length alone does to it is divided out. That curve is fitted once for each model. Shapes: N open
slots, V vocabulary.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dcode.diffusion.canvas import Canvas

STEPS = (16, 8, 4, 2, 1)
LENGTHS = (1, 2, 4, 8, 16, 32, 64, 128)

Forward = Callable[..., Tensor]


@dataclass(frozen=True, slots=True)
class Curve:
    """The mean top probability to expect of a hole of each length, on average over texts; straight in between."""

    lengths: tuple[int, ...]
    means: tuple[float, ...]

    @staticmethod
    def of(values: Mapping[Any, float]) -> "Curve":
        """From lengths and their means, also as JSON has them."""
        pairs = sorted((int(length), float(mean)) for length, mean in values.items())
        return Curve(tuple(length for length, _ in pairs), tuple(mean for _, mean in pairs))

    def to_json(self) -> dict[str, float]:
        """Lengths as texts, and their means."""
        return {str(length): mean for length, mean in zip(self.lengths, self.means, strict=True)}

    def at(self, length: int) -> float:
        """The mean at a length; beyond the ends that of the nearest."""
        above = next((i for i, known in enumerate(self.lengths) if known >= length), len(self.lengths) - 1)
        if above == 0 or self.lengths[above] <= length:
            return self.means[above]
        low, high = self.lengths[above - 1], self.lengths[above]
        part = (length - low) / (high - low)
        return self.means[above - 1] * (1 - part) + self.means[above] * part


FLAT = Curve((1,), (1.0,))
"""For a model that was not fitted: length alone is taken to change nothing."""


@dataclass(frozen=True, slots=True)
class Found:
    """The slots of every hole, the forwards it took, and all that was tried: slots and score, best first."""

    slots: tuple[int, ...]
    forwards: int
    tried: tuple[tuple[tuple[int, ...], float], ...]


def search(
    blank: Callable[[Sequence[int]], Canvas], guess: Sequence[int], predict: Forward, curve: Curve, most: int
) -> Found:
    """Climb from a guess to the slots of every hole that score best, hole by hole, in ever smaller strides.

    `blank` makes the canvas with so many masked slots; no hole gets more than `most`. Every canvas is one forward.
    """
    scores: dict[tuple[int, ...], float] = {}

    def score(slots: tuple[int, ...]) -> float:
        if slots not in scores:
            scores[slots] = _score(blank(slots), predict, curve)
        return scores[slots]

    best = tuple(min(max(1, slots), most) for slots in guess)
    for stride in STEPS:
        for hole in range(len(best)):
            best = _climb(best, hole, stride, most, score)
    # With single slots until nothing is better: one hole's length may have changed what suits another.
    while (better := _round(best, most, score)) != best:
        best = better
    return Found(best, len(scores), tuple(sorted(scores.items(), key=lambda item: -item[1])))


def fit(blanks: Callable[[int], Iterable[Canvas]], predict: Forward, lengths: Sequence[int] = LENGTHS) -> Curve:
    """The curve of a model: its mean confidence over the canvases that `blanks` makes with holes of each length."""
    means = {}
    for length in lengths:
        values = [_score(canvas, predict, FLAT) for canvas in blanks(length)]
        means[length] = sum(values) / len(values)
    return Curve.of(means)


def _round(best: tuple[int, ...], most: int, score: Callable[[tuple[int, ...]], float]) -> tuple[int, ...]:
    for hole in range(len(best)):
        best = _climb(best, hole, 1, most, score)
    return best


def _climb(
    best: tuple[int, ...], hole: int, stride: int, most: int, score: Callable[[tuple[int, ...]], float]
) -> tuple[int, ...]:
    """Change one hole in strides, up or down, as long as that scores better."""
    for direction in (stride, -stride):
        while 1 <= best[hole] + direction <= most:
            other = (*best[:hole], best[hole] + direction, *best[hole + 1 :])
            if score(other) <= score(best):
                break
            best = other
    return best


def _score(canvas: Canvas, predict: Forward, curve: Curve) -> float:
    """The mean over holes of how sure the model is of their slots, against what their lengths let expect."""
    logits_NV = predict(canvas.ids_L[None], canvas.open_L[None])
    if canvas.vocabulary.suppressed:
        logits_NV = logits_NV.index_fill(1, torch.tensor(canvas.vocabulary.suppressed), -torch.inf)
    top_N = torch.softmax(logits_NV.float(), dim=-1).amax(-1)
    sizes = [len(hole) for hole in canvas.ranges]
    parts = torch.split(top_N, sizes)
    return sum(float(part.mean()) / curve.at(size) for part, size in zip(parts, sizes, strict=True)) / len(sizes)
