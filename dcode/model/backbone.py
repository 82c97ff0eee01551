"""One transformer for every family: embeddings, layers, norm, head. It does not know tokens, files or sampling.

Shapes: B rows, L positions, D width, V vocabulary, N wanted positions (row-major over `want_BL`).
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from dcode.model.config import Config
from dcode.model.lane import Lane
from dcode.model.layers import Layer, RMSNorm, neighbours, rotary

ROWS_AT_ONCE = 512
"""Rows of one pass over a long context: the scores of more would not fit a processor's cache."""


class Backbone(nn.Module):
    """A bidirectional (or block-causal, or causal) transformer that predicts the wanted positions."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        # Given its weight, an embedding does not draw one: on the meta device that alone would cost a second.
        self.embed = nn.Embedding(config.vocab, config.width, _weight=torch.empty(config.vocab, config.width))
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.norm = RMSNorm(config.width, config.eps)
        self.head = None if config.tied else nn.Linear(config.width, config.vocab, bias=False)
        self._rope: tuple[Tensor, Tensor] | None = None

    def forward(self, ids_BL: Tensor, want_BL: Tensor, segment_BL: Tensor | None = None) -> Tensor:
        """Logits [N, V] aligned to the wanted positions; positions see only their own segment if one is given.

        With `config.shift` the logits of position p come from row p-1; position 0 must then not be wanted.
        """
        return self.logits(self.aligned(ids_BL, segment_BL)[want_BL])

    def aligned(self, ids_BL: Tensor, segment_BL: Tensor | None = None) -> Tensor:
        """The hidden states [B, L, D] that each position is predicted from."""
        hidden_BLD = self.hidden(ids_BL, segment_BL)
        return hidden_BLD.roll(1, dims=1) if self.config.shift else hidden_BLD

    def hidden(self, ids_BL: Tensor, segment_BL: Tensor | None = None) -> Tensor:
        """Normed last hidden states [B, L, D]."""
        length = ids_BL.shape[1]
        x_BLD = self.embed(ids_BL)
        rope = rotary(length, self.config.head_width, self.config.rope_theta, ids_BL.device)
        mask = self._mask(length, segment_BL, ids_BL.device)
        near = self.config.near
        seen = neighbours(length, near, segment_BL, ids_BL.device) if near else ()
        for layer in self.layers:
            x_BLD = layer(x_BLD, rope, mask, seen)
        out: Tensor = self.norm(x_BLD)
        return out

    def extend(self, ids_BL: Tensor, want_BL: Tensor, lane: Lane) -> Tensor:
        """Logits [N, V] aligned to the wanted positions of a causal network; what the lane lacks is computed.

        Nothing behind the last wanted position is looked at.
        """
        shift = int(self.config.shift)
        rows_BL = want_BL.roll(-shift, dims=1)
        needed = rows_BL.any(0).nonzero()[:, 0]
        start, stop = min(int(needed[0]), lane.known(ids_BL)), int(needed[-1]) + 1
        hidden = []
        for at in range(start, stop, ROWS_AT_ONCE):
            until = min(at + ROWS_AT_ONCE, stop)
            places_L = torch.arange(at, until)
            mask = None
            if until > at + 1:
                mask = (torch.arange(until) <= places_L[:, None])[None, None]
            hidden.append(self._rows(ids_BL[:, at:until], places_L, mask, partial(lane.put, at)))
            lane.remember(ids_BL[:, :until])
        return self.logits(torch.cat(hidden, dim=1)[rows_BL[:, start:stop].to(hidden[0].device)])

    def branch(self, ids_R: Tensor, places_R: Tensor, sees_RN: Tensor, lane: Lane) -> Tensor:
        """Normed last hidden states [R, D] of rows beside a lane of one row, which stays as it is.

        Row r stands at position `places_R[r]` and sees `sees_RN[r]` of the lane's positions and the R rows behind them.
        """
        return self._rows(ids_R[None], places_R, sees_RN[None, None], lane.beside)[0]

    def _rows(
        self, ids_BR: Tensor, places_R: Tensor, mask: Tensor | None, past: Callable[[int, Tensor, Tensor], Any]
    ) -> Tensor:
        device = self.norm.weight.device
        x_BRD = self.embed(ids_BR.to(device))
        cos_LE, sin_LE = self._rotary(int(places_R.max()) + 1, device)
        rope = cos_LE[places_R.to(device)], sin_LE[places_R.to(device)]
        mask = mask if mask is None else mask.to(device)
        for number, layer in enumerate(self.layers):
            x_BRD = layer(x_BRD, rope, mask, (), partial(past, number))
        out: Tensor = self.norm(x_BRD)
        return out

    def _rotary(self, length: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Cosines and sines of at least so many positions, made once for all steps."""
        if self._rope is None or len(self._rope[0]) < length or self._rope[0].device != device:
            self._rope = rotary(2 * length, self.config.head_width, self.config.rope_theta, device)
        return self._rope

    def logits(self, hidden_ND: Tensor) -> Tensor:
        """Scores [N, V] of every token for hidden states [N, D]."""
        if self.head is None:
            return nn.functional.linear(hidden_ND, self.embed.weight)
        scores_NV: Tensor = self.head(hidden_ND)
        return scores_NV

    def _mask(self, length: int, segment_BL: Tensor | None, device: torch.device) -> Tensor | None:
        """True where attention may look, broadcast over heads; None = everywhere."""
        mask: Tensor | None = None
        if self.config.attention != "full":
            step = self.config.block if self.config.attention == "block-causal" else 1
            block_L = torch.arange(length, device=device) // step
            mask = (block_L[:, None] >= block_L[None, :])[None, None]
        if segment_BL is not None:
            same = segment_BL[:, None, :, None] == segment_BL[:, None, None, :]
            mask = same if mask is None else mask & same
        return mask


def initialise(net: Backbone, generator: torch.Generator) -> None:
    """Scaled normal weights; the layers' outputs start small so that depth does not add variance (GPT-2's rule)."""
    for name, weight in net.named_parameters():
        if weight.ndim != 2:
            continue
        std = 1 / math.sqrt(weight.shape[1]) if "embed" not in name else 0.02
        if name.endswith(("out.weight", "down.weight")):
            std /= math.sqrt(2 * net.config.layers)
        nn.init.normal_(weight, std=std, generator=generator)


def parameters(net: nn.Module) -> int:
    """How many numbers the network has learned."""
    return sum(weight.numel() for weight in net.parameters())
