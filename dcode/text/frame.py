"""What a view, a log or a trace may see of one denoising step: plain values, no tensors, no model."""

from dataclasses import dataclass
from typing import Literal

SlotState = Literal["masked", "fresh", "taken", "dropped"]

Phase = Literal["fill", "rank", "begin", "repair"]
"""fill: until every slot is taken once · rank: the likeliest of several changes is made · begin: a statement gets its
first token · repair: slots that the checker opened are filled anew."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One position of a hole: its text ("" while masked or void), state, and confidence in 0..1."""

    text: str
    state: SlotState
    confidence: float


@dataclass(frozen=True, slots=True)
class Frame:
    """One forward pass as seen from outside: the slots of every hole, and how far the work is.

    `around` is the text before, between and after the holes, a few lines of each (empty: not told). `index` counts
    forwards from 1; `limit` is the most there can be; `seconds` since the first. `attempt` is the number of the
    candidate, from 0; `phase` is what the forward was for.
    """

    index: int
    limit: int
    holes: tuple[tuple[Slot, ...], ...]
    masked: int
    faults: int
    seconds: float
    around: tuple[str, ...] = ()
    attempt: int = 0
    phase: Phase = "fill"
