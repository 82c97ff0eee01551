"""Reading and writing a network's numbers. It proves completeness: nothing unused, nothing missing, no odd shape.

On disk a matrix may be int8 rows with one float32 scale a row ("NAME" and "NAME.scale"); it is expanded on loading.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from dcode.errors import ModelError

SCALE = ".scale"


def pack(state: Mapping[str, Tensor]) -> bytes:
    """A safetensors file with int8 rows for matrices and float32 for vectors."""
    packed: dict[str, Tensor] = {}
    for name, weight in state.items():
        if weight.ndim == 2:
            packed[name], packed[name + SCALE] = quantize_rows(weight)
        else:
            packed[name] = weight.detach().float().contiguous()
    return save(packed)


def unpack(data: bytes) -> dict[str, Tensor]:
    """The float32 tensors of a safetensors file; ModelError if it is damaged."""
    try:
        raw = load(data)
    except (SafetensorError, KeyError) as error:  # KeyError: a kind of number that torch has not
        raise ModelError(f"the weights are damaged: {error}", hint="reinstall, or export them again") from None
    state: dict[str, Tensor] = {}
    for name, weight in raw.items():
        if name.endswith(SCALE):
            continue
        scale = raw.get(name + SCALE)
        if scale is not None and (scale.ndim != 1 or weight.ndim != 2 or len(scale) != len(weight)):
            raise ModelError(f"the scale of {name} has shape {list(scale.shape)}, its rows {list(weight.shape)}")
        state[name] = weight.float() if scale is None else weight.float() * scale[:, None]
    if orphans := {name for name in raw if name.endswith(SCALE) and name.removesuffix(SCALE) not in raw}:
        raise ModelError(f"the weights have a scale without its rows: {sorted(orphans)[0]}")
    return state


def fill(net: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Put every tensor in its place; ModelError names the first that is unused, missing or misshapen."""
    own = net.state_dict()
    for name in sorted(own.keys() | state.keys()):
        if name not in state:
            raise ModelError(f"the weights lack {name}")
        if name not in own:
            raise ModelError(f"the weights have {name}, which this network has no place for")
        if own[name].shape != state[name].shape:
            raise ModelError(f"{name} has shape {list(state[name].shape)}, not {list(own[name].shape)}")
    net.load_state_dict(dict(state), assign=True)


def quantize_rows(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Symmetric int8 per row: `rows * scale[:, None]` is within half a step of the weight."""
    weight = weight.detach().float()
    scale = weight.abs().amax(dim=1).clamp_min(1e-12) / 127
    rows = (weight / scale[:, None]).round().clamp(-127, 127).to(torch.int8)
    return rows.contiguous(), scale.contiguous()


def digest(path: Path) -> str:
    """Hex sha256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
