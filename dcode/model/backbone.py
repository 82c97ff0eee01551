"""One transformer for every family: embeddings, layers, norm, head. It does not know tokens, files or sampling.

Shapes: B rows, L positions, D width, V vocabulary, N wanted positions (row-major over `want_BL`).
"""

import math

import torch
from torch import Tensor, nn

from dcode.model.config import Config
from dcode.model.layers import Layer, RMSNorm, neighbours, rotary


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
