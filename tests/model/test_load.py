"""A model folder loads whole or is refused with one line: every kind of damage by name."""

import hashlib
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load as read_tensors
from safetensors.torch import save as write_tensors

from dcode.errors import ModelError, UsageError
from dcode.model.checkpoint import Checkpoint, checkpoint, checkpoints, find
from dcode.model.config import Config
from dcode.model.load import load, pick_device
from dcode.model.tokenizer import Tokenizer, byte_alphabet
from dcode.model.weights import pack, quantize_rows, unpack
from tests.oracle import random_model, tokenizer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    model = random_model()
    weights = pack(model.net.state_dict())
    (tmp_path / "model.safetensors").write_bytes(weights)
    model.tokenizer.engine.save(str(tmp_path / "tokenizer.json"))
    _describe(tmp_path, model.net.config.to_json())
    return tmp_path


def _describe(folder: Path, network: dict[str, object]) -> None:
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    (folder / "config.json").write_text(json.dumps({"network": network, "sha256": digest}))


def _change_weights(folder: Path, change: object) -> None:
    path = folder / "model.safetensors"
    tensors = read_tensors(path.read_bytes())
    change(tensors)  # type: ignore[operator]
    path.write_bytes(write_tensors(tensors))
    _describe(folder, json.loads((folder / "config.json").read_text())["network"])


def test_a_folder_loads_with_int8_rows_close_to_what_was_saved(folder: Path) -> None:
    model, before = load(str(folder)), random_model()
    for name, weight in before.net.state_dict().items():
        step = weight.abs().amax(-1, keepdim=True) / 127 if weight.ndim == 2 else torch.tensor(1e-6)
        assert ((model.net.state_dict()[name] - weight).abs() <= step * 0.51).all()
    assert not model.net.training and model.window == 256


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelError, match=name):
        load(str(folder))


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
@pytest.mark.parametrize("damage", ["truncated", "garbage", "empty"])
def test_a_damaged_file_is_refused(folder: Path, name: str, damage: str) -> None:
    path = folder / name
    data = path.read_bytes()
    path.write_bytes({"truncated": data[: len(data) // 2], "garbage": b"\x80\x04x" * 99, "empty": b""}[damage])
    with pytest.raises(ModelError, match=str(path)):
        load(str(folder))


def test_one_flipped_bit_is_noticed(folder: Path) -> None:
    path = folder / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelError, match="is not what"):
        load(str(folder))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.pop("norm.weight"), "lack norm.weight"),
        (lambda t: t.update(extra=torch.zeros(2)), "no place for"),
        (lambda t: t.update({"norm.weight": torch.zeros(3)}), "has shape"),
        (lambda t: t.pop("embed.weight"), "scale without"),
        (lambda t: t.update({"embed.weight.scale": torch.ones(2)}), "scale of embed.weight"),
        (lambda t: t.update({"embed.weight.scale": torch.tensor(1.0)}), "scale of embed.weight"),
        (lambda t: t.update({"norm.weight": torch.tensor(1.0), "norm.weight.scale": torch.ones(1)}), "scale of norm"),
    ],
)
def test_tensors_that_do_not_fit_are_named(folder: Path, change: object, said: str) -> None:
    _change_weights(folder, change)
    with pytest.raises(ModelError, match=said):
        load(str(folder))


def test_a_pickle_called_safetensors_is_refused(folder: Path) -> None:
    torch.save({"x": torch.zeros(1)}, folder / "model.safetensors")
    _describe(folder, json.loads((folder / "config.json").read_text())["network"])
    with pytest.raises(ModelError, match="damaged"):
        load(str(folder))


IMPOSSIBLE: list[dict[str, object]] = [
    {"layers": 0},
    {"layers": True},
    {"heads": 3, "kv_heads": 2},
    {"heads": 1 << 23, "kv_heads": 1, "head_width": 1 << 23},
    {"attention": "sideways"},
    {"attention": []},
    {"attention": "block-causal", "block": True},
    {"attention": "block-causal", "block": 2**70},
    {"block": "x"},
    {"unknown": 1},
    {"width": 1 << 40},
    *({"window": value} for value in ("x", 0, None, True, 1.5, 2**70)),
    *({key: value} for key in ("rope_theta", "eps") for value in (None, "a", 0, True, math.nan, math.inf, 10**400)),
    *({key: value} for key in ("qkv_bias", "qk_norm", "tied", "shift") for value in (None, "no", 1)),
]


@pytest.mark.parametrize("bad", IMPOSSIBLE, ids=lambda bad: str(bad)[:40])
def test_impossible_configurations_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ModelError, match=r"config\.json"):
        Config.of({**random_model().net.config.to_json(), **bad})


def test_whole_numbers_do_where_any_number_does(folder: Path) -> None:
    card = json.loads((folder / "config.json").read_text())
    _describe(folder, {**card["network"], "rope_theta": 10**25, "eps": 10**25})
    ids = torch.arange(4, 20)[None]
    assert load(str(folder)).predict(ids, ids > 0)[0].isfinite().all()


@pytest.mark.parametrize("network", [None, 3, "x", [], [[]], [1], {}], ids=str)
def test_a_network_that_is_no_table_is_refused(folder: Path, network: object) -> None:
    _describe(folder, network)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match=r"config\.json") as caught:
        load(str(folder))
    assert "\n" not in caught.value.what


@pytest.mark.parametrize("depth", [33, 400, 20_000])
@pytest.mark.parametrize("kind", ['{"a":', "["])
def test_a_card_that_is_nested_too_deeply_is_refused(folder: Path, kind: str, depth: int) -> None:
    deep = kind * depth + "1" + {"[": "]"}.get(kind, "}") * depth
    for key in ("rope_scaling", "hidden_act", "model_type"):
        (folder / "config.json").write_text(f'{{"model_type": "Dream", "{key}": {deep}}}')
        with pytest.raises(ModelError, match=r"config\.json cannot be read: it is nested too deeply"):
            load(str(folder))


def test_unknown_names_and_devices() -> None:
    with pytest.raises(UsageError, match="did you mean mini"):
        checkpoint("minni")
    for name in ("warp9", "", "meta", "hpu", "xla", "cpu:x"):
        with pytest.raises(ModelError, match=f"no device '{name}' here"):
            pick_device(name)
    assert pick_device("cpu") == torch.device("cpu")
    assert "mini" in checkpoints()


def test_an_unknown_precision_is_told_before_anything_is_read(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="unknown precision 'fp8'") as caught:
        load(str(folder), precision="fp8")
    assert caught.value.hint == "one of bfloat16, float32, int8"


def test_a_path_without_a_model_is_no_unknown_name(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(b"")
    for path in (tmp_path / "nowhere", file):
        with pytest.raises(ModelError, match=f"no model folder {path}"):
            find(str(path))
    for name in ("nowhere", "", f"nowhere={tmp_path}", "=", "=nowhere"):
        with pytest.raises(UsageError, match="unknown model"):
            find(name)
    for name in (f"mini={tmp_path}/none", "./none", "none/"):
        with pytest.raises(ModelError) as caught:
            find(name)
        assert caught.value.what == f"there is no model folder {name.removeprefix('mini=')}"


@pytest.mark.parametrize("name", checkpoints())
def test_a_row_is_never_a_folder_that_happens_to_have_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in (name, "mine", "no=row", f"{name}=mine"):
        Path(folder).mkdir()
    assert find(name) == checkpoint(name)
    for path in (f"./{name}", f"{name}/", str(tmp_path / name)):
        assert (find(path).source, find(path).family) == (str(tmp_path / name), "")
    assert find(f"{name}=mine") == replace(checkpoint(name), source=str(tmp_path / "mine"))
    assert [find(folder).source for folder in ("mine", "no=row")] == [str(tmp_path / "mine"), str(tmp_path / "no=row")]
    Path(name).rmdir()
    Path(name).write_bytes(b"")
    assert find(name) == checkpoint(name)


def test_only_what_ships_is_to_be_installed_again(folder: Path) -> None:
    (folder / "config.json").unlink()
    for name in (str(folder), f"mini={folder}"):
        with pytest.raises(ModelError) as caught:
            load(name)
        assert caught.value.hint == "a model folder has config.json, model.safetensors, tokenizer.json"


def test_weights_that_should_ship_but_are_absent_are_a_model_problem() -> None:
    with pytest.raises(ModelError, match="this installation lacks weights/none"):
        _ = Checkpoint("none", "dcode", "weights/none", "MIT", "").folder


def test_numbers_of_a_kind_that_torch_lacks_are_refused(folder: Path) -> None:
    header = json.dumps({"norm.weight": {"dtype": "F4", "shape": [4], "data_offsets": [0, 2]}}).encode()
    (folder / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(2))
    _describe(folder, json.loads((folder / "config.json").read_text())["network"])
    with pytest.raises(ModelError, match="damaged"):
        load(str(folder))


@given(rows=st.integers(1, 5), columns=st.integers(1, 40), scale=st.floats(1e-6, 1e3))
def test_int8_rows_are_within_half_a_step(rows: int, columns: int, scale: float) -> None:
    weight = torch.randn(rows, columns, generator=torch.Generator().manual_seed(rows * 41 + columns)) * scale
    packed = unpack(pack({"w": weight}))["w"]
    _, step = quantize_rows(weight)
    assert ((packed - weight).abs() <= step[:, None] * 0.5001 + 1e-12).all()


@given(text=st.text(max_size=60))
def test_any_text_survives_the_tokenizer(text: str) -> None:
    tok: Tokenizer = tokenizer()
    data = text.encode("utf-8", "ignore")
    assert tok.decode(tok.encode(data)) == data


def test_special_tokens_cannot_be_typed_and_render_to_nothing() -> None:
    tok = tokenizer()
    special = {tok.mask_id, tok.void_id, tok.begin_id, tok.end_id}
    assert not special & set(tok.encode(b"<|mask|> <|void|><|begin|><|end|>"))
    assert tok.decode(sorted(special)) == b""
    assert sorted(byte_alphabet().values()) == list(range(256))


def test_a_tokenizer_without_its_special_tokens_is_refused(folder: Path) -> None:
    path = folder / "tokenizer.json"
    path.write_text(path.read_text().replace("<|void|>", "<|vaid|>"))
    with pytest.raises(ModelError, match="void"):
        load(str(folder))
