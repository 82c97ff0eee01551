"""From a training state to the folder that `dcode.load` reads: config, int8 weights, tokenizer. All or nothing.

Beside them go the run's configuration, its held-out figures and the corpus's manifest, for the card.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dcode.errors import InputError, ModelError
from dcode.model.backbone import Backbone
from dcode.model.config import Config
from dcode.model.weights import digest, fill, pack, unpack
from dcode.train import state
from dcode.train.config import PLACES, TrainConfig, network


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean of a run's weights, which count `share`, and those of another model's folder.

    What a short run learned then stays while most of what it disturbed is undone (arXiv 2109.01903).
    """

    other: Path
    share: float

    def of(self, net: Mapping[str, Tensor], vocabulary: str) -> dict[str, Tensor]:
        """The weights, for a run with this sha256 of its tokenizer.

        Raises InputError where the other model is not whole, ModelError where it is another network or vocabulary.
        """
        weights, tokens = self.other / "model.safetensors", self.other / "tokenizer.json"
        for file in (weights, tokens):
            if not file.is_file():
                raise InputError(f"{file} is missing")
        other = unpack(weights.read_bytes())
        if digest(tokens) != vocabulary:
            raise ModelError(f"{self.other} was trained with another tokenizer than the run")
        if {name: weight.shape for name, weight in net.items()} != {name: w.shape for name, w in other.items()}:
            raise ModelError(f"{self.other} is of another network than the run")
        return {name: torch.lerp(other[name], weight.float(), self.share) for name, weight in net.items()}


def export(config: TrainConfig, out: Path, mean: Mean | None = None) -> dict[str, Any]:
    """Write the state of `config.out`, or its mean with another model, to `out` and return its config.json.

    A card that lies there stays. Raises InputError if there is no state or no room, ModelError if the state is damaged.
    """
    found = state.restore(config.out)
    if found is None:
        raise InputError(f"{config.out} holds no training state", hint="dcode train run makes one")
    progress, parts = found
    vocab = parts["net"]["embed.weight"].shape[0]
    shape = network(config.preset, vocab, config.window, causal=config.causal)
    weights = pack(mean.of(parts["net"], parts["vocabulary"]) if mean else parts["net"])
    _prove(shape, weights)
    card: dict[str, Any] = {
        "format": "dcode/1",
        "preset": config.preset,
        "network": shape.to_json(),
        "sha256": hashlib.sha256(weights).hexdigest(),
        "trained": {"steps": progress.step, "tokens": progress.tokens, "hours": round(progress.seconds / 3600, 2)},
    }
    if mean:
        card["mean"] = {"share": mean.share, "with_sha256": digest(mean.other / "model.safetensors")}
    else:
        card["held_out_nats"] = state.last_held(config.out)
    try:
        files = {"model.safetensors": weights, "tokenizer.json": config.tokenizer.read_bytes()}
        files["training.json"] = _json(_lineage(config, card["trained"]))
        manifest = config.corpus / "manifest.json"
        if manifest.is_file():
            files["corpus.json"] = manifest.read_bytes()
        _place(out, {**files, "config.json": _json(card)})
    except OSError as error:
        raise InputError(f"{out} could not be written: {error.strerror}") from None
    return card


def _lineage(config: TrainConfig, trained: dict[str, Any]) -> dict[str, Any]:
    """How the run was set and how far it came, and under "before" the same of the weights it began with."""
    settings = {key: value for key, value in config.to_json().items() if key not in PLACES} | {"trained": trained}
    earlier = config.start_from / "training.json" if config.start_from else None
    if earlier and earlier.is_file():
        try:
            settings["before"] = json.loads(earlier.read_text(encoding="utf-8"))
        except ValueError:
            raise InputError(f"{earlier} does not describe a run", hint="restore it, or delete it") from None
    return settings


def _json(values: dict[str, Any]) -> bytes:
    return (json.dumps(values, indent=2) + "\n").encode()


def _prove(shape: Config, weights: bytes) -> None:
    """What was packed must load again, completely."""
    fill(Backbone(shape), unpack(weights))


def _place(out: Path, files: dict[str, bytes]) -> None:
    """Write all files beside `out` first; config.json, which vouches for the weights, moves in last."""
    out.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    try:
        for name, data in files.items():
            with (beside / name).open("wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
        for name in files:
            (beside / name).replace(out / name)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
