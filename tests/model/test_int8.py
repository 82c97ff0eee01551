"""Int8 layers: the same numbers piece by piece as at once, wherever the bias lies, and half the memory."""

import hashlib
import json
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import nn

from dcode.model import int8
from dcode.model.backbone import Backbone, initialise
from dcode.model.config import Config
from dcode.model.int8 import Int8Linear, halved
from dcode.model.load import load
from dcode.model.shards import INDEX
from dcode.model.weights import pack, quantize_rows
from tests.model.tiny import dream
from tests.oracle import tokenizer


@given(rows=st.integers(1, 30), columns=st.integers(1, 20), piece=st.integers(1, 200), bias=st.booleans())
def test_pieces_change_nothing(rows: int, columns: int, piece: int, bias: bool) -> None:
    draw = torch.Generator().manual_seed(rows * 31 + columns)
    weight, x = torch.randn(rows, columns, generator=draw), torch.randn(3, columns, generator=draw)
    added = nn.Parameter(torch.randn(rows, generator=draw)) if bias else None
    numbers, scale = quantize_rows(weight)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(int8, "PIECE", piece)
        layer = Int8Linear.of(weight, added)
        got = layer(x)
    assert torch.equal(layer.rows, numbers) and torch.equal(layer.scale, scale)
    assert torch.allclose(got, x @ (numbers * scale[:, None]).T + (0 if added is None else added), atol=1e-5)


def test_a_bias_may_come_in_a_later_shard(tmp_path: Path) -> None:
    folder, _ = dream(tmp_path)
    ids = torch.randint(0, 256, (1, 16), generator=torch.Generator().manual_seed(0))
    want = torch.ones_like(ids, dtype=torch.bool)
    before = load(str(folder), precision="int8").predict(ids, want)
    whole = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    index = {name: f"model-{1 + name.endswith('bias')}.safetensors" for name in whole}
    for shard in set(index.values()):
        save_file({name: whole[name] for name in whole if index[name] == shard}, folder / shard)
    (folder / INDEX).write_text(json.dumps({"weight_map": index}))
    after = load(str(folder), precision="int8").predict(ids, want)
    assert torch.equal(before, after)


@pytest.mark.parametrize("tied", [True, False])
def test_our_own_models_keep_the_int8_rows_of_their_file(tmp_path: Path, tied: bool) -> None:
    net = Backbone(Config(600, 48, 2, 4, 4, 12, 80, 64, near=2, tied=tied, qkv_bias=True))
    initialise(net, torch.Generator().manual_seed(0))
    weights = pack(net.state_dict())
    (tmp_path / "model.safetensors").write_bytes(weights)
    card = {"network": net.config.to_json(), "sha256": hashlib.sha256(weights).hexdigest()}
    (tmp_path / "config.json").write_text(json.dumps(card))
    tokenizer().engine.save(str(tmp_path / "tokenizer.json"))
    small, exact = (load(str(tmp_path), precision=name) for name in ("int8", "float32"))
    stored = load_file(tmp_path / "model.safetensors")
    layers = {name: one for name, one in small.net.named_modules() if isinstance(one, Int8Linear)}
    assert {f"{name}.weight" for name in layers} == {name for name in stored if halved(name)} and len(layers) > 13
    for name, layer in layers.items():
        assert torch.equal(layer.rows, stored[f"{name}.weight"])
        torch.testing.assert_close(layer.scale, stored[f"{name}.weight.scale"])
    assert {weight.dtype for weight in small.net.parameters()} == {torch.bfloat16} and not small.net.training
    ids = torch.randint(4, 256, (1, 20), generator=torch.Generator().manual_seed(1))
    wanted = exact.predict(ids, ids > 0)
    assert float((small.predict(ids, ids > 0) - wanted).norm() / wanted.norm()) < 0.03


def test_what_is_halved() -> None:
    names = ("embed.weight", "norm.weight", "layers.0.attention.q_norm.weight", "layers.0.attention.q.bias")
    names += ("layers.0.attention_near.taps", "layers.0.feed_forward_norm.weight")
    assert not any(map(halved, names))
    assert all(map(halved, ("head.weight", "layers.3.attention.q.weight", "layers.0.feed_forward.down.weight")))
