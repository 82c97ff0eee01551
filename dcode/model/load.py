"""From a model's name or folder to a network that predicts. It knows no user files and no sampling."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dcode.errors import ModelError
from dcode.model import kernels, packed, registry, shards
from dcode.model.backbone import Backbone
from dcode.model.checkpoint import DEFAULT, TRAINED, Checkpoint, checkpoint, find, framings
from dcode.model.config import Config
from dcode.model.families import FAMILIES, kind_of, reading, shape
from dcode.model.framing import Framing
from dcode.model.int8 import halve, halved
from dcode.model.lane import Lane
from dcode.model.tokenizer import Tokenizer
from dcode.model.weights import digest, fill, quantize_rows, unpack

OWN = "network"
"""The key by which the config.json of a model that `dcode train export` wrote is known."""

MOST_NESTED = 32
"""Tables and lists within each other in a config.json; published ones have three or four."""

FILES: Sequence[str] = ("config.json", "model.safetensors", "tokenizer.json")
SHARDS = "shards"
"""The key by which that of a packed store is known."""

OPEN_TOKENIZER = "dcode.model.open_tokenizer"
GGUF = "dcode.model.gguf"
CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Model:
    """A network, its tokenizer and what is known of it; `digest` is the sha256 of its weights."""

    net: Backbone
    tokenizer: Tokenizer
    checkpoint: Checkpoint
    digest: str

    @property
    def window(self) -> int:
        """How many tokens it sees at once."""
        return self.net.config.window

    @property
    def vocab(self) -> int:
        """How many ids it gives a score to; at least as many as the tokenizer has."""
        return self.net.config.vocab

    @property
    def block(self) -> int:
        """How many positions a block has that sees nothing behind it; 0 if every position sees all."""
        config = self.net.config
        return {"block-causal": config.block, "causal": 1}.get(config.attention, 0)

    @torch.inference_mode()
    def predict(
        self,
        ids_BL: Tensor,
        want_BL: Tensor,
        lane: Lane | None = None,
    ) -> Tensor:
        """Float32 logits [N, V] of the wanted positions, row-major; a `lane` keeps what the next call need not compute.

        Tensors come from the CPU and go back there, whatever the device of the network.
        """
        if lane is not None:
            return self.net.extend(ids_BL, want_BL, lane).float().cpu()
        device = self.net.norm.weight.device
        logits_NV: Tensor = self.net(ids_BL.to(device), want_BL.to(device))
        return logits_NV.float().cpu()

    @property
    def is_causal(self) -> bool:
        """Whether it writes from the left and keeps what it has computed."""
        return self.net.config.attention == "causal"

    @cached_property
    def framing(self) -> Framing | None:
        """How it was taught to fill holes and to answer: its row's, else the first that its vocabulary fits."""
        known = framings()
        if self.checkpoint.framing:
            return known[self.checkpoint.framing]
        return next((one for one in known.values() if one.fits(self.tokenizer.specials)), None)

    def lane(self) -> Lane:
        """An empty lane of one row."""
        return Lane(self.net.config)

    @torch.inference_mode()
    def branch(self, ids_R: Tensor, places_R: Tensor, sees_RN: Tensor, want_R: Tensor, lane: Lane) -> Tensor:
        """Float32 logits [N, V] behind the wanted rows of what is read beside a lane (see `Backbone.branch`)."""
        hidden_RD = self.net.branch(ids_R, places_R, sees_RN, lane)
        return self.net.logits(hidden_RD[want_R.to(hidden_RD.device)]).float().cpu()


def load(
    name: str = DEFAULT, *, device: str = "cpu", threads: int | None = None, precision: str | None = None
) -> Model:
    """Read the model called `name` (a row of checkpoints.toml, a folder, a GGUF file), verify it, put it on the device.

    `precision`: float32, bfloat16, or int8 (rows with a scale, computed in bfloat16); by default float32 for our
    own, int8 for a causal GGUF file on a CPU, and bfloat16 for the others; int8 there, and without one a packed store,
    compute on int8 rows. Raises ModelError for files that are missing, damaged or do not fit, and for a device that
    is not there.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    row = find(name)
    folder, target = row.folder, pick_device(device)
    if folder.is_file():
        return read_gguf(folder, row, target, precision)
    card = _card(folder, row)
    if SHARDS in card:
        return read_packed(folder, row, target, card, precision)
    if OWN in card:
        return read(folder, row, target, card, precision or "float32")
    return read_open(folder, row, target, card, precision or "bfloat16")


def quickest_precision() -> str:
    """bfloat16 where this CPU computes in it (a forward takes a third of the time), else float32."""
    onednn = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return "bfloat16" if onednn and torch.ops.mkldnn._is_mkldnn_bf16_supported() else "float32"


def read(folder: Path, row: Checkpoint, device: torch.device, card: Mapping[str, Any], precision: str) -> Model:
    """The model in a folder that `dcode train export` wrote; its weights must have the hash that config.json states."""
    dtype = shards.as_dtype(precision)
    for name in FILES:
        if not (folder / name).is_file():
            raise _lacks(folder, name, row)
    try:
        config, stated = Config.of(card[OWN]), str(card["sha256"])
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{folder / 'config.json'} cannot be read: {error}") from None
    weights = folder / "model.safetensors"
    found = digest(weights)
    if found != stated:
        hint = f"sha256 {found[:12]}…, not {stated[:12]}…: reinstall, or export it again"
        raise ModelError(f"{weights} is not what config.json says it is", hint=hint)
    tokenizer = Tokenizer.read(folder / "tokenizer.json")
    _check_vocabulary(tokenizer, config)
    state = unpack(weights.read_bytes())
    net = build(config, state, device).to(dtype)
    for name in filter(halved, state if precision == "int8" else ()):
        halve(net, name, state[name].to(device))
    if not row.family:
        # Weights in a folder of the user's were trained as the shipped ones were: so are they sampled.
        shipped = checkpoint(TRAINED)
        row = replace(row, defaults=shipped.defaults, programs=shipped.programs, changes=shipped.changes)
    return Model(net.eval(), tokenizer, row, found)


def read_packed(
    folder: Path, row: Checkpoint, device: torch.device, card: Mapping[str, Any], precision: str | None
) -> Model:
    """A store that `dcode models convert` wrote: int8 rows on a CPU, else, or where a precision is asked for, dense."""
    try:
        config, hashes = Config.of(card[OWN]), {str(name): str(found) for name, found in card[SHARDS].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{folder / 'config.json'} cannot be read: {error}") from None
    end, mask = "<|endoftext|>", "<|fim_pad|>"
    tokenizer = Tokenizer.plain(folder / "tokenizer.json", end, mask)
    _check_vocabulary(tokenizer, config)
    tensors = packed.read(folder, hashes)
    matrices = packed.rows(tensors)
    with torch.device("meta"):
        net = Backbone(config)
    names = {name for name in net.state_dict() if name.removesuffix(".weight") not in matrices}
    if missing := names - tensors.keys() or {"embed", *kernels.matrices(config)} - matrices.keys():
        raise ModelError(f"the weights lack {min(missing)}")
    if device.type == "cpu" and precision is None:
        for name in names:
            shards.put(net, name, tensors[name])
        kernels.put_rows(net, matrices, {n.removesuffix(".bias"): tensors[n] for n in names if n.endswith(".bias")})
    else:
        dtype = shards.as_dtype(precision or "bfloat16")
        for name in names:
            shards.put(net, name, tensors[name].to(device, dtype))
        for name, (rows, scale) in matrices.items():
            shards.put(net, f"{name}.weight", (rows.to(device).float() * scale.to(device)[:, None]).to(dtype))
    return Model(net.eval(), tokenizer, row, sha256("".join(sorted(hashes.values())).encode()).hexdigest())


def read_open(folder: Path, row: Checkpoint, device: torch.device, card: Mapping[str, Any], precision: str) -> Model:
    """A public checkpoint: everything is judged by headers before a number is read, then it streams in.

    What was pulled is compared with its record first: sizes and times, and hashes where those changed.
    """
    dtype = shards.as_dtype(precision)
    record = registry.pulled(row.name) if row.hub else None
    if record is not None:
        record = registry.verify(record, thorough=False)
        registry.keep(record)
    kind = kind_of(card, row)
    family = FAMILIES[kind.family]
    config = shape(card, family, reading(card, kind, row), row)
    tensors = shards.stored(folder)
    if family.names.theirs("head.weight") in tensors:
        # dllm's files say that the head is the embedding, and bring one that was trained apart.
        config = replace(config, tied=False)
    with torch.device("meta"):
        net = Backbone(config)
    chosen = shards.places(net, family.names, tensors)
    tokenizer = import_module(OPEN_TOKENIZER).read(folder, card, row)
    _check_vocabulary(tokenizer, config)
    _stream(net, shards.tensors(tensors, chosen), device, dtype, precision)
    return Model(net.eval(), tokenizer, _searched(row), _identity(tensors, record.files if record else {}))


def read_gguf(path: Path, row: Checkpoint, device: torch.device, precision: str | None) -> Model:
    """A GGUF file: judged by its header, then by what memory holds, then widened tensor by tensor."""
    gguf = import_module(GGUF)
    file = gguf.Gguf(path)
    config = gguf.network(file, row)
    in_rows = device.type == "cpu" and config.attention == "causal"
    if precision is None:
        precision = "bfloat16" if device.type != "cpu" else "int8" if in_rows else quickest_precision()
    dtype = shards.as_dtype(precision)
    with torch.device("meta"):
        net = Backbone(config)
    chosen = shards.places(net, gguf.NAMES, file.tensors, gguf.KINDS)
    _check_memory(net, device, dtype, precision)
    tokenizer = gguf.tokenizer(file, row, masks=config.attention != "causal")
    _check_vocabulary(tokenizer, config)
    record = registry.added().get(row.name)
    if record is not None and record.file == path:
        record = registry.verify(record, thorough=False)
        registry.keep(record)
        found = record.files[path.name].sha256
    else:
        found = digest(path)
    if in_rows and precision == "int8":
        _put_rows(net, file.stream(chosen, config, torch.float32))
    else:
        _stream(net, file.stream(chosen, config, dtype), device, dtype, precision)
    return Model(net.eval(), tokenizer, _searched(row), found)


def _put_rows(net: Backbone, tensors: Iterable[tuple[str, Tensor]]) -> None:
    """Give a network on the meta device int8 rows in place of its matrices, one tensor at a time."""
    rows, biases = dict[str, tuple[Tensor, Tensor]](), dict[str, Tensor]()
    for name, weight in tensors:
        module, _, kind = name.rpartition(".")
        if weight.ndim == 2:
            rows[module] = quantize_rows(weight)
        elif kind == "bias":
            biases[module] = weight.clone()
        else:
            shards.put(net, name, weight.clone())
    kernels.put_rows(net, rows, biases, wide=kernels.EVERY)


def _stream(
    net: Backbone, tensors: Iterable[tuple[str, Tensor]], device: torch.device, dtype: torch.dtype, precision: str
) -> None:
    """Give a network on the meta device its numbers, one tensor at a time."""
    for name, weight in tensors:
        if precision == "int8" and halved(name):
            halve(net, name, weight.to(device))
        else:
            # A tensor that is not copied is a view into its shard; a few norms would keep 15 GB mapped.
            shards.put(net, name, weight.to(device=device, dtype=dtype, copy=precision == "int8"))


def _check_memory(net: Backbone, device: torch.device, dtype: torch.dtype, precision: str) -> None:
    """ModelError, with both numbers, for a network on the meta device that the device cannot hold."""

    def held(name: str, weight: Tensor) -> int:
        return weight.numel() * (1 if precision == "int8" and halved(name) else dtype.itemsize)

    needed, there = sum(held(name, weight) for name, weight in net.state_dict().items()), _free_bytes(device)
    if needed > there:
        what = f"the model needs {needed / 1e9:.2f} GB in {precision}, and {there / 1e9:.2f} GB are free"
        smaller = {"float32": "--precision bfloat16 takes half", "bfloat16": "--precision int8 takes half"}
        raise ModelError(what, hint=smaller.get(precision, "choose a smaller model"))


def _free_bytes(device: torch.device) -> int:
    """What a device can still take, on Linux within the limit of the group of processes this one is in."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        facts = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        free = int(facts["MemAvailable"].split()[0]) * 1024
    except (OSError, ValueError, KeyError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        limit, used = (int((CGROUP / f"memory.{name}").read_text()) for name in ("max", "current"))
        return min(free, limit - used)
    except (OSError, ValueError):  # no such group, or no limit
        return free


def _searched(row: Checkpoint) -> Checkpoint:
    """The row of a model without void slots, whose holes find their length by a search unless the row says how."""
    return replace(row, length="search") if row.length == "void" else row


def build(config: Config, state: dict[str, Tensor], device: torch.device) -> Backbone:
    """A network in evaluation mode with these numbers; it never exists with others."""
    with torch.device("meta"):
        net = Backbone(config)
    fill(net, state)
    return net.to(device).eval()


def pick_device(name: str) -> torch.device:
    """The device called `name`; "auto" takes a GPU if there is one."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).cpu()  # the meta device takes numbers, and gives none back
    except (RuntimeError, AssertionError, ImportError):
        raise ModelError(f"there is no device {name!r} here", hint="use --device cpu") from None
    return device


def _card(folder: Path, row: Checkpoint) -> dict[str, Any]:
    path = folder / "config.json"
    if not path.is_file():
        raise _lacks(folder, path.name, row)
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(card, dict):
            raise ValueError("it is no table")
        if _deeper(card, MOST_NESTED):
            raise RecursionError
    except RecursionError:
        raise ModelError(f"{path} cannot be read: it is nested too deeply") from None
    except (ValueError, OSError) as error:
        raise ModelError(f"{path} cannot be read: {error}") from None
    return card


def _deeper(value: Any, most: int) -> bool:
    """Whether tables and lists lie deeper within each other than `most`; what does may end a program that shows it."""
    level = [value]
    for _ in range(most + 1):
        inner = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        level = list(chain.from_iterable(inner))
    return bool(level)


def _lacks(folder: Path, name: str, row: Checkpoint) -> ModelError:
    shipped = row.hub is None and not Path(row.source).is_absolute()
    hint = "reinstall dcode-diffusion" if shipped else f"a model folder has {', '.join(FILES)}"
    return ModelError(f"{folder} lacks {name}", hint=hint)


def _check_vocabulary(tokenizer: Tokenizer, config: Config) -> None:
    ids = (tokenizer.mask_id, tokenizer.begin_id, tokenizer.end_id)
    if max(*ids, len(tokenizer.pieces) - 1) >= config.vocab:
        raise ModelError(f"the tokenizer has {len(tokenizer.pieces)} tokens, the network {config.vocab}")


def _identity(tensors: Mapping[str, shards.Stored], known: Mapping[str, registry.Known]) -> str:
    """One sha256 that stands for all shards: of their names and hashes, which a pull's record may hold already."""
    names = sorted({one.shard for one in tensors.values()})
    lines = (f"{path.name} {known[path.name].sha256 if path.name in known else digest(path)}\n" for path in names)
    return sha256("".join(lines).encode()).hexdigest()
