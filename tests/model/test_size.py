"""A 7B in int8 stays under 9 GB: by arithmetic always, and by measuring a checkpoint of Dream-7B's shape if asked."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from dcode.model.backbone import Backbone
from dcode.model.config import Config
from dcode.model.families import FAMILIES, Reading, shape
from dcode.model.int8 import PIECE, halved
from dcode.model.names import HUGGING_FACE
from dcode.model.shards import INDEX
from tests.model.held import STATUS
from tests.model.tiny import ROW, dream, write_tokenizer

DREAM_7B = {
    "model_type": "Dream",
    "vocab_size": 152064,
    "hidden_size": 3584,
    "num_hidden_layers": 28,
    "num_attention_heads": 28,
    "num_key_value_heads": 4,
    "intermediate_size": 18944,
    "max_position_embeddings": 131072,
    "rope_theta": 1e6,
    "rms_norm_eps": 1e-6,
    "tie_word_embeddings": False,
    "mask_token_id": 256,
    "eos_token_id": 257,
}
LIMIT_BYTES = 9 * 10**9


def network(card: dict[str, object]) -> Backbone:
    config: Config = shape(card, FAMILIES["qwen2"], Reading(shift=True, attention="full"), ROW)
    with torch.device("meta"):
        return Backbone(config)


def test_the_numbers_of_a_7b_fit() -> None:
    held = wide = 0
    for name, weight in network(DREAM_7B).state_dict().items():
        held += weight.numel() + 4 * len(weight) if halved(name) else 2 * weight.numel()
        wide = max(wide, 2 * weight.numel())
    assert sum(weight.numel() for weight in network(DREAM_7B).parameters()) == 7_615_616_512
    assert held + 2 * PIECE < LIMIT_BYTES < held + wide, "widened whole, the head alone would break the limit"


def write_checkpoint(folder: Path, card: dict[str, object], shard_bytes: int = 2 << 30) -> int:
    """A random checkpoint in shards as a hub has them; returns its bytes."""
    block = torch.randn(1 << 22, generator=torch.Generator().manual_seed(0)).mul_(0.02).bfloat16()
    index: dict[str, str] = {}
    part: dict[str, torch.Tensor] = {}
    total = 0

    def flush() -> None:
        name = f"model-{len(set(index.values())) + 1:05}.safetensors"
        save_file(part, folder / name)
        index.update(dict.fromkeys(part, name))
        part.clear()

    for name, weight in network(card).state_dict().items():
        size = weight.numel()
        whole = block.repeat(-(-size // len(block)))[:size].view(weight.shape)
        part[HUGGING_FACE.theirs(name)] = torch.ones(size, dtype=torch.bfloat16) if "norm" in name else whole.clone()
        total += 2 * size
        if sum(2 * one.numel() for one in part.values()) >= shard_bytes:
            flush()
    if part:
        flush()
    (folder / INDEX).write_text(json.dumps({"weight_map": index}))
    (folder / "config.json").write_text(json.dumps(card))
    write_tokenizer(folder)
    return total


@pytest.mark.slow
@pytest.mark.parametrize("layers", [28])
def test_a_7b_loads_and_predicts_within_the_limit(
    tmp_path: Path, layers: int, capsys: pytest.CaptureFixture[str]
) -> None:
    if not STATUS.is_file() or shutil.disk_usage(tmp_path).free < 20 << 30:
        pytest.skip("needs Linux and 20 GiB of disk")
    size = write_checkpoint(tmp_path, {**DREAM_7B, "num_hidden_layers": layers})
    held = held_by_a_process(tmp_path)
    with capsys.disabled():
        print(
            f"\n{size / 1e9:.2f} GB in {len(list(tmp_path.glob('*.safetensors')))} shards, {layers} layers: "
            f"loaded in {held['load_s']:.0f} s, a forward over 64 positions in {held['forward_s']:.1f} s, "
            f"{held['most_bytes'] / 1e9:.2f} GB held at most"
        )
    assert held["most_bytes"] < LIMIT_BYTES


@pytest.mark.skipif(not STATUS.is_file(), reason="needs Linux")
def test_what_a_process_holds_is_measured(tmp_path: Path) -> None:
    dream(tmp_path)
    held = held_by_a_process(tmp_path)
    assert 1e7 < held["most_bytes"] < 1e9 and held["load_s"] > 0 and held["forward_s"] > 0


def held_by_a_process(folder: Path) -> dict[str, float]:
    """What tests/model/held.py measures: writing the checkpoint leaves half a gigabyte in this process."""
    command = [sys.executable, str(Path(__file__).with_name("held.py")), str(folder)]
    seen = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(seen.stdout)
    return found
