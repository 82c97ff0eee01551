"""Files from strangers: whatever config.json or a shard's header says, the answer is a network or one line."""

import json
import struct
import tempfile
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from dcode.errors import ModelError
from dcode.model import shards
from dcode.model.backbone import Backbone
from dcode.model.checkpoint import Checkpoint, checkpoint
from dcode.model.config import Config
from dcode.model.families import FAMILIES, kind_of, reading, shape
from dcode.model.load import load
from tests.model.tiny import ROW, dream, qwen2

DREAM = {
    "model_type": "Dream",
    "vocab_size": 300,
    "hidden_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 80,
    "max_position_embeddings": 64,
    "rope_theta": 1e6,
    "rms_norm_eps": 1e-6,
    "tie_word_embeddings": False,
}
OPTIONAL = ("head_dim", "rope_scaling", "rope_parameters", "layer_types", "block_size", "attention_bias", "alibi")
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.sampled_from([2**70, "full"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["type", "rope_theta"]), inner),
    max_leaves=3,
)
SDAR = Checkpoint("x", "qwen3", "", "MIT", "", shift=False, attention="block-causal")


def network(card: dict[str, Any], row: Checkpoint) -> Config:
    kind = kind_of(card, row)
    return shape(card, FAMILIES[kind.family], reading(card, kind, row), row)


@given(key=st.sampled_from([*DREAM, *OPTIONAL]), junk=JUNK, row=st.sampled_from([ROW, SDAR]))
def test_any_config_is_a_network_or_one_line(key: str, junk: Any, row: Checkpoint) -> None:
    card = {**DREAM, key: junk} if row is ROW else {**DREAM, "model_type": "sdar", "block_size": 4, key: junk}
    try:
        config = network(card, row)
    except ModelError as error:
        assert "\n" not in error.what
        return
    with torch.device("meta"):
        Backbone(Config(**{**config.to_json(), "layers": min(config.layers, 2)}))


OWN = Config(300, 48, 2, 4, 2, 12, 80, 64).to_json()


@given(key=st.sampled_from([*OWN, "surplus"]), junk=JUNK)
def test_any_network_of_our_own_is_one_or_one_line(key: str, junk: Any) -> None:
    try:
        config = Config.of({**OWN, key: junk})
    except ModelError as error:
        assert "\n" not in error.what
        return
    with torch.device("meta"):
        net = Backbone(Config(**{**config.to_json(), "layers": min(config.layers, 2)}))
        ids_BL = torch.zeros(1, 8, dtype=torch.long)
        net.hidden(ids_BL)


@pytest.mark.parametrize("text", ['{"<M>": Infinity}', '{"<M>": ' + "[" * 20_000, '["<M>"]', '{"<M>": "x"}'])
def test_added_tokens_that_are_no_table_are_refused(tmp_path: Path, text: str) -> None:
    folder, _ = dream(tmp_path)
    (folder / "added_tokens.json").write_text(text)
    with pytest.raises(ModelError):
        load(str(folder))


OTHERS: list[dict[str, Any]] = [
    {"scale_logits": True},
    {"alibi": True},
    {"rope": False},
    {"layer_norm_type": "default"},
    {"layer_types": ["sliding_attention"]},
    {"partial_rotary_factor": 0.5},
    {"rms_norm_eps": None},
    {"num_hidden_layers": 1 << 20},
    {"rope_theta": 0},
    {"rope_theta": 10**400},
]


@pytest.mark.parametrize("asked", OTHERS, ids=[next(iter(asked)) for asked in OTHERS])
def test_what_would_compute_something_else_from_the_same_tensors_is_refused(asked: dict[str, Any]) -> None:
    assert network(DREAM, ROW).shift
    with pytest.raises(ModelError, match=next(iter(asked)).split("_")[-1]):
        network({**DREAM, **asked}, ROW)


HEADER = {"a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}


@given(
    entry=st.sampled_from(["dtype", "shape", "data_offsets"]),
    junk=JUNK | st.lists(JUNK, min_size=2, max_size=2),
    length=st.none() | st.integers(0, 2**64 - 1),
    cut=st.integers(0, 8),
)
def test_any_header_is_a_table_or_one_line(entry: str, junk: Any, length: int | None, cut: int) -> None:
    header = json.dumps({"a": {**HEADER["a"], entry: junk}}).encode()
    data = struct.pack("<Q", len(header) if length is None else length) + header + bytes(16)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, shards.SINGLE)
        path.write_bytes(data[: len(data) - cut])
        try:
            assert list(shards.stored(Path(folder))) == ["a"]
        except ModelError as error:
            assert "\n" not in error.what


@pytest.mark.parametrize("kind", [torch.int8, torch.float8_e4m3fn, torch.float64, torch.bool])
def test_numbers_of_another_kind_are_refused(tmp_path: Path, kind: torch.dtype) -> None:
    folder, net = dream(tmp_path)
    state = {name: weight.detach().clone() for name, weight in net.state_dict().items()}
    state["model.norm.weight"] = state["model.norm.weight"].to(kind)
    save_file(state, folder / shards.SINGLE)
    with pytest.raises(ModelError, match=r"model\.norm\.weight holds"):
        load(str(folder))


def test_a_folder_without_voids_is_searched_for_lengths(tmp_path: Path) -> None:
    assert load(str(dream(tmp_path)[0])).checkpoint.length == "search"


def test_a_row_leads_to_a_folder_but_keeps_its_facts(tmp_path: Path) -> None:
    model = load(f"cdlm-0.5b={qwen2(tmp_path)[0]}")
    assert model.checkpoint.source == str(tmp_path)
    assert model.checkpoint.licence == checkpoint("cdlm-0.5b").licence and model.net.config.shift
