"""Weights of a public checkpoint: safetensors shards read one tensor at a time into a network that holds none yet.

Everything is judged by the shards' headers before a number is read: names, shapes, sizes, paths. Pickles are never
opened.
"""

import json
import struct
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from dcode.errors import ModelError
from dcode.model.names import Names

INDEX, SINGLE = "model.safetensors.index.json", "model.safetensors"
MOST_HEADER_BYTES = 100_000_000
KINDS = ("F32", "F16", "BF16")
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".ckpt")
HARMLESS = ("rotary_emb.inv_freq",)
"""Buffers that some checkpoints keep and every network can compute."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Where a tensor lies, its shape, and the kind of its numbers as safetensors calls it."""

    shard: Path
    shape: tuple[int, ...]
    kind: str


def stored(folder: Path) -> dict[str, Stored]:
    """Every tensor of a folder's shards; ModelError for a damaged, truncated, missing or foreign one."""
    found: dict[str, Stored] = {}
    named: Mapping[str, str] | None = None
    if (folder / INDEX).is_file():
        named = _index(folder / INDEX)
        shards = [_inside(folder, name) for name in sorted(set(named.values()))]
    elif (folder / SINGLE).is_file():
        shards = [folder / SINGLE]
    else:
        pickles = sorted(path.name for path in folder.iterdir() if path.suffix in PICKLES)
        hint = f"{pickles[0]} is a pickle, which can run code: it is never opened" if pickles else ""
        raise ModelError(f"{folder} has no safetensors weights", hint=hint)
    for shard in shards:
        for name, one in _header(shard).items():
            if name in found:
                raise ModelError(f"{shard.name} has {name}, and so has {found[name].shard.name}")
            found[name] = one
    if named is not None and (odd := set(named) ^ set(found)):
        raise ModelError(f"{INDEX} and the shards disagree about {sorted(odd)[0]}")
    return found


class Placed(Protocol):
    """A tensor on disk: its shape and the kind of its numbers."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def kind(self) -> str: ...


def places(
    net: nn.Module, names: Names, tensors: Mapping[str, Placed], kinds: Collection[str] = KINDS
) -> dict[str, str]:
    """Our name of every stored tensor; ModelError names one that is unused, missing or misshapen."""
    own = net.state_dict()
    chosen: dict[str, str] = {}
    for theirs, one in tensors.items():
        ours = names.ours(theirs)
        if theirs.endswith(HARMLESS):
            continue
        if ours is None or ours not in own:
            raise ModelError(f"the weights have {theirs}, which this network has no place for")
        if own[ours].shape != one.shape:
            raise ModelError(f"{theirs} has shape {list(one.shape)}, not {list(own[ours].shape)}")
        if one.kind not in kinds:
            raise ModelError(f"{theirs} holds {one.kind} numbers", hint=f"dcode reads {', '.join(kinds)}")
        chosen[theirs] = ours
    if missing := sorted(own.keys() - chosen.values()):
        raise ModelError(f"the weights lack {names.theirs(missing[0])}")
    return chosen


def tensors(stored_: Mapping[str, Stored], chosen: Mapping[str, str]) -> Iterator[tuple[str, Tensor]]:
    """Our name and the numbers of every tensor, shard by shard: only one is in memory at a time."""
    for shard in dict.fromkeys(one.shard for one in stored_.values()):
        try:
            with safe_open(str(shard), framework="pt") as file:
                for theirs in file.keys():  # noqa: SIM118 - not a mapping
                    if theirs in chosen:
                        yield chosen[theirs], file.get_tensor(theirs)
        except (SafetensorError, OSError) as error:
            raise ModelError(f"{shard.name} cannot be read: {str(error).splitlines()[0]}") from None


def put(net: nn.Module, name: str, weight: Tensor) -> None:
    """Give a parameter of a network on the meta device its numbers."""
    module_name, _, kind = name.rpartition(".")
    setattr(net.get_submodule(module_name), kind, nn.Parameter(weight, requires_grad=False))


def _index(path: Path) -> dict[str, str]:
    try:
        table = json.loads(path.read_bytes())["weight_map"].items()
        return {name: str(PurePosixPath(shard)) for name, shard in table}
    except (ValueError, KeyError, TypeError, AttributeError, OSError, RecursionError):
        raise ModelError(f"{path} is no index of shards") from None


def _inside(folder: Path, name: str) -> Path:
    if Path(name).name != name or not name.endswith(".safetensors"):
        raise ModelError(f"{INDEX} names the shard {name!r}", hint="a path that leads elsewhere: nothing was read")
    if not (folder / name).is_file():
        raise ModelError(f"{folder} lacks {name}", hint="the pull was not finished")
    return folder / name


def _header(shard: Path) -> dict[str, Stored]:
    """What a shard holds by name; its size must be what its header says."""
    size = shard.stat().st_size
    try:
        with shard.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > min(size - 8, MOST_HEADER_BYTES):
                what = f"{shard.name} is no safetensors file: a header of {length} bytes in a file of {size}"
                raise ModelError(what)
            header = json.loads(stream.read(length))
        header.pop("__metadata__", None)
        end = max((int(one["data_offsets"][1]) for one in header.values()), default=0)
        held = {name: Stored(shard, tuple(map(int, one["shape"])), str(one["dtype"])) for name, one in header.items()}
    except (struct.error, ValueError, LookupError, TypeError, AttributeError, OverflowError, OSError, RecursionError):
        raise ModelError(f"{shard.name} is no safetensors file") from None
    if end != size - 8 - length:
        raise ModelError(f"{shard.name} is truncated: {size} bytes, not {end + 8 + length}")
    return held


def as_dtype(name: str) -> torch.dtype:
    """What a precision computes in, int8 (a way to keep matrices) in bfloat16; ModelError for an unknown one."""
    known = {"bfloat16": torch.bfloat16, "float32": torch.float32, "int8": torch.bfloat16}
    if name not in known:
        raise ModelError(f"unknown precision {name!r}", hint=f"one of {', '.join(known)}")
    return known[name]
