"""Every setting of the sampler, as data. The algorithms that read them are in the other files of this room."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from dcode.diffusion.noise import Schedule
from dcode.errors import UsageError

Order = Literal["confidence", "margin", "entropy", "random", "left"]
Commit = Literal["threshold", "schedule", "fixed", "factor", "entropy-bound"]

PRESETS: dict[str, dict[str, Any]] = {
    "fast": {"commit": "factor", "factor": 1.0},
    "balanced": {},
    "best": {"commit": "fixed", "per_step": 1},
}
"""What `--preset` sets where a model's row has no preset of that name: many slots a step, the default, one."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to denoise; equal plans, canvases and models give equal bytes.

    `steps` bounds the forwards of the plain run (0: as many as there are slots); `order` says which slots are surest,
    `commit` how many of them a step takes; `block` > 0 opens each hole in blocks of so many slots, left to right.
    `apart`: a slot less sure than this is not taken in one step with a surer one beside it. `rounds` bounds the
    parser's remaskings; `refill_steps` the forwards of one; `void_tail`: a void before text commits only over this
    probability. `revise`: a taken slot changes its token where another is at least this likely, given all the rest.
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
    factor: float = 1.0
    block: int = 0
    apart: float = 0.0
    void_tail: float = 0.9
    rounds: int = 8
    refill_steps: int = 4
    revise: float = 0.0
    seed: int = 0

    @staticmethod
    def preset(
        name: str,
        defaults: Mapping[str, Any] | None = None,
        presets: Mapping[str, Mapping[str, Any]] | None = None,
        **chosen: Any,
    ) -> "Plan":
        """A named preset over a model's `defaults`, then its own preset of that name, then what was `chosen`.

        Defaults that are no settings of a Plan are for others and left out. UsageError for an unknown name.
        """
        if name not in PRESETS:
            raise UsageError(f"unknown preset {name!r}", hint=f"one of {', '.join(PRESETS)}")
        known = {item.name for item in fields(Plan)}
        usual = {key: value for key, value in (defaults or {}).items() if key in known}
        return Plan(**{**usual, **PRESETS[name], **(presets or {}).get(name, {}), **chosen})

    def __post_init__(self) -> None:
        bounds = (
            ("steps", self.steps >= 0, "0 or more"),
            ("temperature", self.temperature >= 0, "0 or more"),
            ("top-p", 0 < self.top_p <= 1, "over 0, at most 1"),
            ("top-k", self.top_k >= 0, "0 or more"),
            ("threshold", 0 < self.threshold <= 1, "over 0, at most 1"),
            ("factor", self.factor > 0, "over 0"),
            ("entropy-bound", self.entropy_bound >= 0, "0 or more"),
            ("order", self.order in get_args(Order), f"one of {', '.join(get_args(Order))}"),
            ("commit", self.commit in get_args(Commit), f"one of {', '.join(get_args(Commit))}"),
            ("schedule", self.schedule in get_args(Schedule), f"one of {', '.join(get_args(Schedule))}"),
            ("apart", 0 <= self.apart <= 1, "0 to 1"),
            ("revise", 0 <= self.revise <= 1, "0 to 1"),
            ("per-step", self.per_step >= 1, "1 or more"),
            ("block", self.block >= 0, "0 or more"),
            ("seed", 0 <= self.seed < 2**63, "0 or more"),
        )
        for name, holds, wanted in bounds:
            if not holds:
                value = getattr(self, name.replace("-", "_"))
                raise UsageError(f"{name} {value} is out of range", hint=wanted)
