"""A linear layer whose weights stay int8 in memory: rows with one scale each, widened piece by piece for a product."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from dcode.model.weights import quantize_rows

PIECE = 1 << 22
"""Numbers that are wide at a time: what fits a processor's cache; the head of a 7B would be a gigabyte."""


class Int8Linear(nn.Module):
    """`x @ (rows * scale).T + bias`, in the precision of x: half the memory of bfloat16."""

    rows: Tensor
    scale: Tensor

    def __init__(self, rows: Tensor, scale: Tensor, bias: nn.Parameter | None) -> None:
        super().__init__()
        self.register_buffer("rows", rows)
        self.register_buffer("scale", scale)
        self.bias = bias

    @staticmethod
    def of(weight: Tensor, bias: nn.Parameter | None) -> "Int8Linear":
        """The layer for a weight [out, in] of any precision."""
        rows = torch.empty_like(weight, dtype=torch.int8)
        scale = torch.empty(len(weight), device=weight.device)
        for piece in _pieces(weight):
            rows[piece], scale[piece] = quantize_rows(weight[piece])
        return Int8Linear(rows, scale, bias)

    def forward(self, x: Tensor) -> Tensor:
        out = x.new_empty((*x.shape[:-1], len(self.rows)))
        # One buffer for all pieces: as many small ones leave holes in the heap that add up to the whole matrix.
        wide = x.new_empty((min(len(self.rows), _height(self.rows)), self.rows.shape[1]))
        for piece in _pieces(self.rows):
            part = wide[: len(self.rows[piece])].copy_(self.rows[piece])
            out[..., piece] = nn.functional.linear(x, part)
        out *= self.scale.to(x.dtype)
        return out if self.bias is None else out.add_(self.bias)


def halve(net: nn.Module, name: str, weight: Tensor) -> None:
    """Put an int8 layer in the place of the linear layer that has the weight `name`.

    Its bias comes along: it may still be on the meta device, as its shard comes later.
    """
    place = name.removesuffix(".weight")
    bias = net.get_submodule(place).bias
    assert bias is None or isinstance(bias, nn.Parameter)
    net.set_submodule(place, Int8Linear.of(weight, bias))


def halved(name: str) -> bool:
    """Whether a tensor is kept as int8: the matrices of the layers and the head, not embeddings, norms and biases."""
    return name == "head.weight" or (name.startswith("layers.") and name.endswith(".weight") and "norm" not in name)


def _pieces(weight: Tensor) -> Iterator[slice]:
    rows = _height(weight)
    return (slice(start, start + rows) for start in range(0, len(weight), rows))


def _height(weight: Tensor) -> int:
    """Rows of a piece."""
    return max(1, PIECE // weight.shape[1])
