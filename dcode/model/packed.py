"""The embedded store: groups of packed integers that unpack exactly to int8 rows. Every group knows its step and zero.

Row n of a matrix is `scale[n] * (code - zero) * step`, code by code: `step` and `zero` are small whole numbers of a
group of 64 columns, so that what is unpacked is what runs, without another rounding. Shapes: N rows, K columns,
G groups.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from dcode.errors import ModelError
from dcode.model.weights import digest

GROUP = 64
"""Columns that share a step and a zero."""

FIFTH, GRID = ".fifth", ".grid"
"""Of codes of five bits the fifth, eight columns a byte; and a group's zero and, above its bits, the step."""

SHARD_BYTES = 95_000_000
"""No file of the store is larger."""


def pack(codes_NK: Tensor, zero_NG: Tensor, step_NG: Tensor, bits: int) -> dict[str, Tensor]:
    """Codes of four or five bits as bytes: of every group the first half in the low nibbles, the second in the high.

    A step is below 2**(8 - bits): more would lead beyond int8.
    """
    rows, columns = codes_NK.shape
    codes_NGC = codes_NK.to(torch.uint8).view(rows, columns // GROUP, GROUP)
    low, high = (codes_NGC & 15).chunk(2, dim=-1)
    parts = {"": (low | high << 4).reshape(rows, columns // 2), GRID: zero_NG | step_NG << bits}
    if bits == 5:
        places = torch.arange(8, dtype=torch.uint8)
        fifth = (codes_NGC >> 4).view(rows, columns // 8, 8) << places
        parts[FIFTH] = fifth.sum(-1, dtype=torch.uint8)
    return parts


def unpack(parts: Mapping[str, Tensor]) -> Tensor:
    """The int8 rows that codes stand for."""
    bits = 5 if FIFTH in parts else 4
    zero_NG, step_NG = parts[GRID] & (2**bits - 1), parts[GRID] >> bits
    rows, halves = parts[""].shape
    packed_NGH = parts[""].view(rows, -1, GROUP // 2)
    codes_NGC = torch.cat((packed_NGH & 15, packed_NGH >> 4), dim=-1)
    if FIFTH in parts:
        places = torch.arange(8, dtype=torch.uint8)
        fifth = (parts[FIFTH][..., None] >> places) & 1
        codes_NGC |= fifth.view(codes_NGC.shape) << 4
    signed_NGC = codes_NGC.view(torch.int8)
    signed_NGC -= zero_NG.view(torch.int8)[..., None]
    signed_NGC *= step_NG.view(torch.int8)[..., None]
    return signed_NGC.view(rows, 2 * halves)


def save(tensors: Mapping[str, Tensor], folder: Path) -> dict[str, str]:
    """Write shards, in the tensors' order; their names and hashes."""
    shards: list[dict[str, Tensor]] = [{}]
    room = SHARD_BYTES - (1 << 20)
    for name, tensor in tensors.items():
        if tensor.nbytes > room:
            shards.append({})
            room = SHARD_BYTES - (1 << 20)
        shards[-1][name] = tensor.contiguous()
        room -= tensor.nbytes
    found = {}
    for number, shard in enumerate(shards, 1):
        path = folder / f"model-{number}-of-{len(shards)}.safetensors"
        save_file(shard, path)
        found[path.name] = digest(path)
    return found


def read(folder: Path, hashes: Mapping[str, str]) -> dict[str, Tensor]:
    """Every tensor of the shards; ModelError for one that is missing, damaged or not what its hash says."""
    found: dict[str, Tensor] = {}
    for name, stated in hashes.items():
        path = folder / name
        try:
            actual = digest(path)
            found |= load_file(path)
        except (OSError, SafetensorError, ValueError) as error:
            raise ModelError(f"{path} cannot be read: {error}", hint="reinstall, or convert it again") from None
        if actual != stated:
            raise ModelError(f"{path} is not what config.json says it is", hint="reinstall, or convert it again")
    return found


def rows(tensors: Mapping[str, Tensor]) -> dict[str, tuple[Tensor, Tensor]]:
    """The int8 rows and scales of every matrix in the store, by our names; ModelError where parts do not fit."""

    def matrix(name: str) -> tuple[Tensor, Tensor]:
        try:
            scale, rows = tensors[f"{name}.scale"], tensors[name]
            if name + GRID in tensors:
                rows = unpack({kind: tensors[name + kind] for kind in ("", FIFTH, GRID) if name + kind in tensors})
            if rows.dtype != torch.int8 or len(scale) != len(rows):
                raise RuntimeError("rows and scales differ")
        except (KeyError, RuntimeError) as error:
            raise ModelError(f"the store's {name} does not fit together: {error}") from None
        return rows, scale

    names = [key.removesuffix(".scale") for key in tensors if key.endswith(".scale")]
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        return dict(zip(names, pool.map(matrix, names), strict=True))
