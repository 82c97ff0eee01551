"""How many candidates are drawn for an answer, at what cost, and how one of them is chosen. Plain values, no torch."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from dcode.errors import ModelError


@dataclass(frozen=True, slots=True)
class Policy:
    """A checkpoint's row may set each value; equal policies, plans and models give equal bytes.

    `candidates`: for a hole, drawn in one batch, the likeliest and others at `temperature` within `top_p`; `programs`:
    the same for a request. `cuts`: so many ends of a hole's candidates are weighed at most. A cut counts log p of the
    next `ahead` tokens of the file behind it, and `fill_weight` of log p of its own text, both without the text behind
    the hole in view. `length_slack`: a region that a person named gets an answer of as many lines, within this share,
    where one parses. `unnamed`: nats that a name which nothing brings costs a candidate.
    """

    candidates: int = 6
    programs: int = 1
    temperature: float = 0.8
    top_p: float = 0.95
    cuts: int = 16
    ahead: int = 24
    fill_weight: float = 0.3
    length_slack: float = 0.25
    unnamed: float = 4.0

    @staticmethod
    def of(values: Mapping[str, Any]) -> "Policy":
        """From a table; ModelError for a key that is none."""
        known = {field.name for field in fields(Policy)}
        if unknown := set(values) - known:
            raise ModelError(f"a policy has no {sorted(unknown)[0]!r}", hint=f"known: {', '.join(sorted(known))}")
        return Policy(**values)
