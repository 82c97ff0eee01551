"""Products of a network whose numbers stay int8 on a CPU: rows with one scale each, and activations scaled row by row.

A row of a batch gives the same bits alone and in any company. Shapes: R rows of activations, K in, N out.
"""

import warnings
from collections import deque
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import torch
from torch import Tensor, nn

from dcode.model.backbone import Backbone
from dcode.model.config import Config

STEPS = 127
"""Steps between the least and the largest activation: the sums of AVX2's instructions hold no more."""


PRODUCTS = {
    "attention.qkv": ("attention.q", "attention.k", "attention.v"),
    "attention.out": ("attention.out",),
    "feed_forward.gate_up": ("feed_forward.gate", "feed_forward.up"),
    "feed_forward.down": ("feed_forward.down",),
}
"""The products of a layer, and the matrices that each is made of."""

WIDE = ("feed_forward.down", "head")
"""Products whose activations get 14 bits."""

EVERY = (*PRODUCTS, "head")
"""All of them: for weights whose scales nobody folded."""


class RowLinear(nn.Module):
    """`x @ (rows * scale).T + bias` in float32, activations in 7 bits; `wide`: in 14, for twice the work.

    Every row of activations is divided by its own largest number, and one more row (1, -1, 0 …) rides along, so that
    the kernel, which scales a whole tensor, finds the same range in every batch.
    """

    def __init__(self, rows: Tensor, scale: Tensor, bias: Tensor | None, *, wide: bool = False) -> None:
        super().__init__()
        self.wide, self.bias, self.out_features = wide, bias, len(rows)
        held = torch._make_per_channel_quantized_tensor(
            rows, scale.float(), torch.zeros(len(rows), dtype=torch.int64), 0
        )
        self._packed = torch.ops.quantized.linear_prepack(held, None)

    def forward(self, x: Tensor) -> Tensor:
        flat_RK = x.reshape(-1, x.shape[-1]).float()
        rows, width = flat_RK.shape
        peak_R1 = flat_RK.abs().amax(1, keepdim=True).clamp_min(1e-30)
        given = flat_RK.new_zeros(rows * (1 + self.wide) + 1, width)
        given[-1, 0], given[-1, 1] = 1, -1
        torch.div(flat_RK, peak_R1, out=given[:rows])
        if self.wide:
            coarse_RK = (given[:rows] * (STEPS / 2)).round_().clamp_(-(STEPS // 2), STEPS // 2).mul_(2 / STEPS)
            torch.mul(given[:rows] - coarse_RK, STEPS / 2, out=given[rows:-1])
            given[:rows] = coarse_RK
        out = torch.ops.quantized.linear_dynamic(given, self._packed, True)
        product_RN: Tensor = out[:rows]
        if self.wide:
            product_RN = product_RN + out[rows:-1] * (2 / STEPS)
        product_RN = product_RN * peak_R1
        if self.bias is not None:
            product_RN = product_RN + self.bias
        return product_RN.view(*x.shape[:-1], self.out_features)


class RowEmbedding(nn.Module):
    """Rows of int8 with a scale each, looked up in float32."""

    def __init__(self, rows: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.rows, self.scale = rows, scale

    def forward(self, ids: Tensor) -> Tensor:
        return self.rows[ids].float() * self.scale[ids][..., None]


def put_rows(
    net: Backbone,
    rows: dict[str, tuple[Tensor, Tensor]],
    biases: dict[str, Tensor],
    *,
    wide: Collection[str] = WIDE,
) -> None:
    """Give the layers of a network on the meta device int8 rows: what reads the same activations is one product.

    The `wide` products get 14 bits of activation. The embedding serves as the head where there are no rows for one.
    """

    def put_product(number: int, name: str) -> None:
        own = [f"layers.{number}.{part}" for part in PRODUCTS[name]]
        for part in own:
            _put(net, part, nn.Identity())
        _put(net, f"layers.{number}.{name}", _joined(own, rows, biases, wide=name in wide))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch names another package for what is to come after these operators
        _put(net, "embed", RowEmbedding(*rows["embed"]))
        _put(net, "head", RowLinear(*rows.get("head", rows["embed"]), None, wide="head" in wide))
        # To pack is one thread's work, and half of what loading takes.
        with ThreadPoolExecutor(torch.get_num_threads()) as pool:
            deque(pool.map(put_product, *zip(*product(range(net.config.layers), PRODUCTS), strict=True)), maxlen=0)


def _put(net: nn.Module, name: str, module: nn.Module) -> None:
    place, _, last = name.rpartition(".")
    setattr(net.get_submodule(place), last, module)


def matrices(config: Config) -> set[str]:
    """The names of all matrices of a network's layers."""
    parts = [part for several in PRODUCTS.values() for part in several]
    return {f"layers.{number}.{part}" for number in range(config.layers) for part in parts}


def _joined(
    names: list[str], rows: dict[str, tuple[Tensor, Tensor]], biases: dict[str, Tensor], *, wide: bool = False
) -> RowLinear:
    both = [rows[name] for name in names]
    bias = torch.cat([biases[name] for name in names]) if names[0] in biases else None
    return RowLinear(torch.cat([one for one, _ in both]), torch.cat([scale for _, scale in both]), bias, wide=wide)
