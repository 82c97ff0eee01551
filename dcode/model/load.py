"""From a model's name or folder to a network that predicts. It knows no user files and no sampling."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dcode.errors import ModelError
from dcode.model.backbone import Backbone
from dcode.model.checkpoint import DEFAULT, Checkpoint, find
from dcode.model.config import Config
from dcode.model.tokenizer import Tokenizer
from dcode.model.weights import digest, fill, unpack

FILES: Sequence[str] = ("config.json", "model.safetensors", "tokenizer.json")


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

    @torch.inference_mode()
    def predict(
        self,
        ids_BL: Tensor,
        want_BL: Tensor,
        *,
        valid_BL: Tensor | None = None,
        changed_BL: Tensor | None = None,
        cache: Any = None,
    ) -> tuple[Tensor, Any]:
        """Float32 logits [N, V] of the wanted positions, row-major, and the cache to pass next time.

        This is the exact path: it recomputes everything, so `changed_BL` is not needed and the cache stays None.
        `valid_BL` marks rows and positions that exist; None means all of them.
        """
        assert valid_BL is None or bool(valid_BL.all()), "the exact path takes rows of equal length"
        return self.net(ids_BL, want_BL).float(), None


def load(name: str = DEFAULT, *, device: str = "cpu", threads: int | None = None) -> Model:
    """Read the model called `name` (a row of checkpoints.toml, or a folder), verify it and put it on the device.

    Raises ModelError for files that are missing, damaged or do not fit, and for a device that is not there.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    row = find(name)
    return read(row.folder, row, pick_device(device))


def read(folder: Path, row: Checkpoint, device: torch.device) -> Model:
    """The model in a folder that `dcode train export` wrote; its weights must have the hash that config.json states."""
    for name in FILES:
        if not (folder / name).is_file():
            raise ModelError(f"{folder} lacks {name}", hint="reinstall dcode-diffusion, or name another model with -m")
    try:
        card = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        config, stated = Config.of(card["network"]), str(card["sha256"])
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{folder / 'config.json'} cannot be read: {error}") from None
    weights = folder / "model.safetensors"
    found = digest(weights)
    if found != stated:
        hint = f"sha256 {found[:12]}…, not {stated[:12]}…: reinstall, or export it again"
        raise ModelError(f"{weights} is not what config.json says it is", hint=hint)
    tokenizer = Tokenizer.read(folder / "tokenizer.json")
    if len(tokenizer.pieces) > config.vocab:
        raise ModelError(f"the tokenizer has {len(tokenizer.pieces)} tokens, the network {config.vocab}")
    return Model(build(config, unpack(weights.read_bytes()), device), tokenizer, row, found)


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
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError):
        raise ModelError(f"there is no device {name!r} here", hint="use --device cpu") from None
    return device
