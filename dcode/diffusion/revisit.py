"""Second thoughts about taken slots: opening the least sure again, and changing a token in place.

Both are off unless the Plan asks for them. Shapes: N slots.
"""

import torch
from torch import Tensor

from dcode.diffusion.score import Scored


def doubtful(confidence_N: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Indices of a share of the slots, drawn without repeats; the less sure a slot was, the likelier (ReMDM-conf)."""
    count = int(share * len(confidence_N))
    if not count:
        return torch.empty(0, dtype=torch.long)
    weights_N = torch.softmax(-confidence_N.double(), dim=0)
    return torch.multinomial(weights_N, count, generator=generator).sort().values


def better(scored: Scored, ids_N: Tensor, sure: float) -> Tensor:
    """True where the model prefers another token to the one that stands there, and is at least so sure of it."""
    return torch.ne(scored.ids_N, ids_N) & (scored.probability_N >= sure)
