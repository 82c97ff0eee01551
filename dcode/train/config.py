"""What a training run is told: presets of the network, the mix of tasks, the optimizers' numbers."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from dcode.diffusion.noise import Schedule
from dcode.errors import UsageError
from dcode.model.config import Config

PRESETS: dict[str, dict[str, int]] = {
    "tiny": {"width": 64, "layers": 2, "heads": 2, "feed_forward": 128},
    "pico": {"width": 256, "layers": 4, "heads": 4, "feed_forward": 704},
    "nano": {"width": 384, "layers": 8, "heads": 6, "feed_forward": 1024},
    "mini": {"width": 512, "layers": 12, "heads": 8, "feed_forward": 1408},
}


NEAR = 2
"""Neighbours on each side that a position of our own networks sees directly."""


def network(preset: str, vocab: int, window: int, *, causal: bool = False) -> Config:
    """The network of a preset, or its causal peer, which has no neighbours; UsageError for an unknown preset."""
    if preset not in PRESETS:
        raise UsageError(f"unknown preset {preset!r}", hint=f"one of {', '.join(PRESETS)}")
    sizes = PRESETS[preset]
    return Config(
        vocab=vocab,
        width=sizes["width"],
        layers=sizes["layers"],
        heads=sizes["heads"],
        kv_heads=sizes["heads"],
        head_width=sizes["width"] // sizes["heads"],
        feed_forward=sizes["feed_forward"],
        window=window,
        qk_norm=True,
        near=0 if causal else NEAR,
        shift=causal,
        attention="causal" if causal else "full",
    )


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of a run: until `until` (share of the run), rows of `length` tokens, shares of the tasks."""

    until: float
    length: int
    plain: float
    holes: float
    requests: float
    lessons: float = 0.0


STAGES = (
    Stage(0.35, 256, plain=0.50, holes=0.30, requests=0.20),
    Stage(0.80, 256, plain=0.10, holes=0.40, requests=0.15, lessons=0.35),
    Stage(0.93, 512, plain=0.05, holes=0.45, requests=0.15, lessons=0.35),
    Stage(1.00, 1024, plain=0.05, holes=0.50, requests=0.10, lessons=0.35),
)


PLACES = ("corpus", "tokenizer", "out", "start_from")
"""The settings that are paths."""


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """A whole run. It ends at `tokens` seen or `minutes` spent, whichever comes first; both survive a resume.

    The first `frozen` layers, and with them the embeddings, stay as they were: an update then costs less, and what the
    network knew is moved less. `causal`: the peer that a sceptic asks for, which learns to write from the left.
    """

    corpus: Path
    tokenizer: Path
    out: Path
    preset: str = "nano"
    tokens: int = 20_000_000
    minutes: float = float("inf")
    batch_tokens: int = 8192
    window: int = 1024
    schedule: Schedule = "linear"
    stages: tuple[Stage, ...] = STAGES
    void_anywhere: float = 0.1
    corrupt_rows: float = 0.0
    corrupt_rate: float = 0.12
    misread_rows: float = 0.0
    matrix_rate: float = 0.02
    vector_rate: float = 3e-3
    weight_decay: float = 0.05
    warm_up: float = 0.01
    decay: float = 0.25
    seed: int = 0
    save_every_s: float = 300.0
    threads: int = 2
    device: str = "cpu"
    workers: int = 0
    compile: bool = True
    precision: Literal["bf16", "f32"] = "bf16"
    start_from: Path | None = None
    frozen: int = 0
    causal: bool = False

    @staticmethod
    def of(values: Mapping[str, Any]) -> "TrainConfig":
        """What `to_json` gave, or part of it with the places as paths; unknown keys are ignored.

        Raises KeyError, TypeError or ValueError for what describes no run.
        """
        known = {item.name: values[item.name] for item in fields(TrainConfig) if values.get(item.name) is not None}
        known |= {name: Path(known[name]) for name in PLACES if name in known}
        if "stages" in known:
            known["stages"] = tuple(Stage(**stage) for stage in known["stages"])
        for item in fields(TrainConfig):
            wanted = float | int if isinstance(item.default, float) else type(item.default)
            if item.name in known and item.name not in PLACES and not isinstance(known[item.name], wanted):
                raise TypeError(f"{item.name} is {known[item.name]!r}")
        return TrainConfig(**known)

    def to_json(self) -> dict[str, Any]:
        """Plain values for the record beside the weights; no limit of minutes is None."""
        values = asdict(self) | {"minutes": self.minutes if math.isfinite(self.minutes) else None}
        return {key: str(value) if isinstance(value, Path) else value for key, value in values.items()}


def rate_at(progress: float, config: TrainConfig) -> float:
    """The learning rate's factor: warm-up, stable, linear decay to a twentieth (WSD, arXiv 2404.06395)."""
    if progress < config.warm_up:
        return max(progress / config.warm_up, 0.02)
    left = 1 - progress
    return 1.0 if left >= config.decay else max(left / config.decay, 0.05)


def stage_at(progress: float, config: TrainConfig) -> Stage:
    """The stage that a share of the run falls into."""
    return next((stage for stage in config.stages if progress < stage.until), config.stages[-1])
