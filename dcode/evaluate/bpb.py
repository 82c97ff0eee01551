"""Masked cross-entropy on held-out text: nats a masked token, bits a masked byte, at fixed mask rates.

The same seed masks the same tokens, whatever the model, if tokenizers agree. It knows no files.
"""

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from dcode.diffusion.noise import mask_tokens
from dcode.model.load import Model

RATES = (0.15, 0.5, 0.9)
ROWS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Score:
    """What was masked at one rate: tokens, their bytes, and the nats that their right ids cost together."""

    rate: float
    tokens: int = 0
    size_bytes: int = 0
    nats: float = 0.0

    @property
    def nats_per_token(self) -> float:
        """Cross-entropy."""
        return self.nats / self.tokens if self.tokens else math.nan

    @property
    def bits_per_byte(self) -> float:
        """The same by the bytes that the tokens stand for, so that tokenizers can be compared."""
        return self.nats / math.log(2) / self.size_bytes if self.size_bytes else math.nan

    def __add__(self, other: "Score") -> "Score":
        """Both together."""
        return Score(self.rate, self.tokens + other.tokens, self.size_bytes + other.size_bytes, self.nats + other.nats)


def measure(
    texts: Mapping[str, Sequence[str]],
    model: Model,
    *,
    rows: int = 32,
    length: int = 256,
    seed: int = 0,
    on_package: Callable[[str], object] = lambda package: None,
) -> dict[str, tuple[Score, ...]]:
    """For every package a Score at each of `RATES`, over up to `rows` windows of `length` tokens."""
    found = {}
    for package, group in texts.items():
        ids_RL = windows(group, model, rows, length, random.Random(f"{seed}:{package}"))
        found[package] = tuple(_score(ids_RL, model, rate, f"{seed}:{package}:{rate}") for rate in RATES)
        on_package(package)
    return found


def total(scores: Mapping[str, Sequence[Score]]) -> tuple[Score, ...]:
    """The Scores of all packages together, at each rate."""
    columns = zip(*scores.values(), strict=True)
    return tuple(sum(column[1:], start=column[0]) for column in columns)


def windows(texts: Sequence[str], model: Model, rows: int, length: int, rng: random.Random) -> Tensor:
    """Ids [R, L] of windows drawn without replacement; a text shorter than a window gives none."""
    length = min(length, model.window)
    cut = list(_cut(texts, model, length))
    chosen = rng.sample(cut, min(rows, len(cut)))
    return torch.tensor(chosen, dtype=torch.long).reshape(-1, length)


def _cut(texts: Sequence[str], model: Model, length: int) -> Iterator[list[int]]:
    for text in texts:
        ids = model.tokenizer.encode(text.encode())
        yield from (ids[at : at + length] for at in range(0, len(ids) - length + 1, length))


def _score(ids_RL: Tensor, model: Model, rate: float, seed: str) -> Score:
    generator = torch.Generator().manual_seed(random.Random(seed).getrandbits(62))
    every_RL = torch.ones_like(ids_RL, dtype=torch.bool)
    noised_RL, want_RL = mask_tokens(
        ids_RL, every_RL, torch.full(ids_RL.shape, rate), model.tokenizer.mask_id, generator
    )
    score = Score(rate)
    for at in range(0, len(ids_RL), ROWS_AT_ONCE):
        want_BL = want_RL[at : at + ROWS_AT_ONCE]
        answer_N = ids_RL[at : at + ROWS_AT_ONCE][want_BL]
        logits_NV = model.predict(noised_RL[at : at + ROWS_AT_ONCE], want_BL)
        nats = float(F.cross_entropy(logits_NV, answer_N, reduction="sum"))
        size = sum(len(model.tokenizer.pieces[number]) for number in answer_N.tolist())
        score += Score(rate, len(answer_N), size, nats)
    return score
