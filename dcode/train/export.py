"""From a training state to the folder that `dcode.load` reads: config, int8 weights, tokenizer. All or nothing.

Beside them go the run's configuration, its held-out figures and the corpus's manifest, for the card.
"""

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from dcode.errors import InputError
from dcode.model.backbone import Backbone
from dcode.model.config import Config
from dcode.model.weights import fill, pack, unpack
from dcode.train import state
from dcode.train.config import PLACES, TrainConfig, network


def export(config: TrainConfig, out: Path) -> dict[str, Any]:
    """Write the state of `config.out` to `out` and return its config.json; a card that lies there stays.

    Raises InputError if there is no state or no room, ModelError if the state is damaged.
    """
    found = state.restore(config.out)
    if found is None:
        raise InputError(f"{config.out} holds no training state", hint="dcode train run makes one")
    progress, parts = found
    vocab = parts["net"]["embed.weight"].shape[0]
    shape = network(config.preset, vocab, config.window)
    weights = pack(parts["net"])
    _prove(shape, weights)
    card = {
        "format": "dcode/1",
        "preset": config.preset,
        "network": shape.to_json(),
        "sha256": hashlib.sha256(weights).hexdigest(),
        "trained": {"steps": progress.step, "tokens": progress.tokens, "hours": round(progress.seconds / 3600, 2)},
        "held_out_nats": state.last_held(config.out),
    }
    try:
        files = {"model.safetensors": weights, "tokenizer.json": config.tokenizer.read_bytes()}
        files["training.json"] = _json({k: v for k, v in config.to_json().items() if k not in PLACES})
        manifest = config.corpus / "manifest.json"
        if manifest.is_file():
            files["corpus.json"] = manifest.read_bytes()
        _place(out, {**files, "config.json": _json(card)})
    except OSError as error:
        raise InputError(f"{out} could not be written: {error.strerror}") from None
    return card


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
