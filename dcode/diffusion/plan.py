"""Every setting of the sampler, as data. The algorithms that read them are in the other files of this room."""

from dataclasses import dataclass
from typing import Literal

from dcode.diffusion.noise import Schedule
from dcode.errors import UsageError

Order = Literal["confidence", "margin", "entropy", "random", "left"]
Commit = Literal["threshold", "schedule", "fixed", "entropy-bound"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How to denoise; equal plans, canvases and models give equal bytes.

    `steps` bounds the forwards of the plain run (0: as many as there are slots); `order` says which slots are surest,
    `commit` how many of them a step takes; `block` > 0 opens each hole in blocks of so many slots, left to right.
    `rounds` bounds the parser's remaskings; `refill_steps` the forwards of one; `void_tail`: a void before text
    commits only over this probability.
    """

    steps: int = 0
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    order: Order = "confidence"
    commit: Commit = "threshold"
    schedule: Schedule = "linear"
    threshold: float = 0.9
    entropy_bound: float = 0.1
    per_step: int = 1
    block: int = 0
    void_tail: float = 0.9
    rounds: int = 8
    refill_steps: int = 4
    seed: int = 0

    def __post_init__(self) -> None:
        bounds = (
            ("steps", self.steps >= 0, "0 or more"),
            ("temperature", self.temperature >= 0, "0 or more"),
            ("top-p", 0 < self.top_p <= 1, "over 0, at most 1"),
            ("top-k", self.top_k >= 0, "0 or more"),
            ("threshold", 0 < self.threshold <= 1, "over 0, at most 1"),
            ("per-step", self.per_step >= 1, "1 or more"),
            ("block", self.block >= 0, "0 or more"),
            ("seed", 0 <= self.seed < 2**63, "0 or more"),
        )
        for name, holds, wanted in bounds:
            if not holds:
                value = getattr(self, name.replace("-", "_"))
                raise UsageError(f"{name} {value} is out of range", hint=wanted)
