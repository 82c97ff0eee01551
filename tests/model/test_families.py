"""Public checkpoints in small: tiny random ones saved by transformers must load by path and give the same numbers."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from dcode.errors import ModelError
from dcode.model import shards
from dcode.model.backbone import Backbone
from dcode.model.checkpoint import checkpoints, find
from dcode.model.config import Config
from dcode.model.families import FAMILIES
from dcode.model.load import Model, load
from dcode.model.names import HUGGING_FACE, LLADA, Names
from tests.model import tiny
from tests.model.tiny import Made, a2d, change, coda, dream, fast_dllm, llada, llama, qwen2, qwen3, sdar, shard


def full(length: int) -> torch.Tensor:
    return torch.ones(length, length, dtype=torch.bool)


def blocks(length: int, size: int) -> torch.Tensor:
    number = torch.arange(length) // size
    return number[:, None] >= number[None, :]


def blocks_of_4(length: int) -> torch.Tensor:
    return blocks(length, 4)


def blocks_of_32(length: int) -> torch.Tensor:
    return blocks(length, 32)


CASES: list[tuple[str, Callable[[Path], Made], Callable[[int], torch.Tensor], bool]] = [
    ("open-dcoder-0.5b={}", qwen2, full, True),
    ("{}", dream, full, True),
    ("dreamon-7b={}", dream, full, True),
    ("qwen3-mdlm-0.6b={}", qwen3, full, False),
    ("qwen-coder-mdlm-0.5b={}", a2d, full, False),
    ("qwen-coder-bd3lm-0.5b={}", a2d, blocks_of_32, False),
    ("{}", fast_dllm, blocks_of_32, True),
    ("fast-dllm-1.5b={}", fast_dllm, blocks_of_32, True),
    ("{}", coda, full, True),
    ("{}", sdar, blocks_of_4, False),
    ("sdar-8b-chat={}", sdar, blocks_of_4, False),
    ("stable-diffcoder-8b={}", llama, blocks_of_4, False),
    ("{}", llada, full, False),
    ("llada-8b={}", llada, full, False),
    ("illada-8b={}", tiny.illada, full, False),
]
ROWS = {
    **dict.fromkeys(("open-dcoder", "cdlm"), qwen2),
    **dict.fromkeys(("dreamon", "dream-", "diffucoder"), dream),
    **dict.fromkeys(("sdar", "trado"), sdar),
    "qwen-coder": a2d,
    "qwen3-mdlm": tiny.a2d_qwen3,
    "coda": coda,
    "llada": llada,
    "illada": tiny.illada,
    "stable-diffcoder": llama,
    "fast-dllm": fast_dllm,
}
"""By how a row's name begins: a checkpoint as its files are."""
OPEN = [row.name for row in checkpoints().values() if row.hub]


@pytest.mark.parametrize(("name", "make", "mask", "shift"), CASES, ids=[f"{c[1].__name__} as {c[0]}" for c in CASES])
def test_logits_equal_the_reference(
    tmp_path: Path, name: str, make: Callable[[Path], Made], mask: Callable[[int], torch.Tensor], shift: bool
) -> None:
    compare(name, make(tmp_path), mask, shift)


@pytest.mark.parametrize("name", OPEN)
def test_every_row_reads_a_checkpoint_of_its_kind(tmp_path: Path, name: str) -> None:
    row = checkpoints()[name]
    (make,) = (make for start, make in ROWS.items() if name.startswith(start))
    mask = full if row.attention == "full" else lambda length: blocks(length, row.block or 0)
    compare(f"{name}={{}}", make(tmp_path), mask, bool(row.shift))


def compare(name: str, made: Made, mask: Callable[[int], torch.Tensor], shift: bool) -> None:
    folder, theirs = made
    model = load(name.format(folder), precision="float32")
    ids = torch.randint(0, 256, (2, 40), generator=torch.Generator().manual_seed(0))
    want = torch.ones_like(ids, dtype=torch.bool)
    want[:, 0] = False
    with torch.no_grad():
        expected = theirs(ids, attention_mask=mask(40).expand(2, 1, 40, 40)).logits
    got = model.predict(ids, want)
    rows = expected[:, :-1] if shift else expected[:, 1:]
    assert (got - rows.flatten(0, 1)).abs().max() < 1e-5


def test_ids_and_pieces_come_from_the_files(tmp_path: Path) -> None:
    tokenizer = load(f"open-dcoder-0.5b={qwen2(tmp_path)[0]}").tokenizer
    assert (tokenizer.mask_id, tokenizer.end_id, tokenizer.begin_id) == (256, 257, 257)
    assert tokenizer.void_id is None and tokenizer.expand_id is None
    assert tokenizer.pieces[:256] == tuple(bytes([byte]) for byte in range(256))
    assert tokenizer.pieces[256:] == (b"", b"", b"")
    text = "def f():\n\tréturn '<M>'".encode()
    assert tokenizer.decode(tokenizer.encode(text)) == text and 256 not in tokenizer.encode(text)


def test_a_row_is_not_believed_against_the_files(tmp_path: Path) -> None:
    folder, _ = dream(tmp_path)
    with pytest.raises(ModelError, match=r"the files say attention full, checkpoints\.toml says block-causal"):
        load(f"fast-dllm-7b={folder}")


def test_what_nobody_says_is_not_guessed(tmp_path: Path) -> None:
    folder, _ = qwen2(tmp_path)
    with pytest.raises(ModelError, match="nothing says the model's shift"):
        load(str(folder))
    change(folder, model_type="dream")
    with pytest.raises(ModelError, match="nothing says which is the mask token"):
        load(str(folder))
    change(folder, model_type="gpt2")
    with pytest.raises(ModelError, match="unknown model_type 'gpt2'"):
        load(str(folder))


@pytest.mark.parametrize(
    ("card", "said"),
    [
        ({"hidden_act": "gelu"}, "gelu"),
        ({"rope_scaling": {"rope_type": "yarn", "factor": 4}}, "rope_scaling"),
        ({"use_sliding_window": True}, "sliding"),
        ({"num_experts": 8}, "experts"),
        ({"hidden_size": None}, "hidden_size"),
        ({"rope_parameters": None}, "rope_theta"),
        ({"intermediate_size": 96}, r"mlp.*shape"),
        ({"num_hidden_layers": 3}, "lack model.layers.2"),
        ({"num_hidden_layers": 1}, r"model\.layers\.1.* no place"),
        ({"vocab_size": 200}, "embed_tokens.weight has shape"),
        ({"model_type": "qwen3"}, "files say family qwen3, checkpoints.toml says qwen2"),
    ],
)
def test_a_network_we_do_not_have_is_refused_before_anything_runs(
    tmp_path: Path, card: dict[str, Any], said: str
) -> None:
    folder, _ = qwen2(tmp_path)
    change(folder, **card)
    with pytest.raises(ModelError, match=said) as caught:
        load(f"open-dcoder-0.5b={folder}")
    assert "\n" not in caught.value.what


def test_a_bias_that_the_file_promises_must_be_there(tmp_path: Path) -> None:
    folder, _ = sdar(tmp_path)
    change(folder, attention_bias=True)
    with pytest.raises(ModelError, match=r"lack model\.layers\.0\.self_attn\.k_proj\.bias"):
        load(str(folder))


def test_shards_load_as_one_file_does(tmp_path: Path) -> None:
    folder, _ = dream(tmp_path)
    whole = load(str(folder), precision="float32")
    shard(folder)
    parts = load(str(folder), precision="float32")
    for name, weight in whole.net.state_dict().items():
        assert torch.equal(weight, parts.net.state_dict()[name])


def truncate(folder: Path, paths: list[Path]) -> None:
    paths[1].write_bytes(paths[1].read_bytes()[:-9])


def lose(folder: Path, paths: list[Path]) -> None:
    paths[0].unlink()


def lead_outside(folder: Path, paths: list[Path]) -> None:
    text = (folder / shards.INDEX).read_text()
    (folder / shards.INDEX).write_text(text.replace("model-1", "../model-1"))


def huge_header(folder: Path, paths: list[Path]) -> None:
    paths[0].write_bytes(struct.pack("<Q", 1 << 60) + b"{}")


def pickle_renamed(folder: Path, paths: list[Path]) -> None:
    torch.save({"x": torch.zeros(3)}, paths[0])


def no_index(folder: Path, paths: list[Path]) -> None:
    (folder / shards.INDEX).write_text('{"weight_map": [1]}')


def only_pickles(folder: Path, paths: list[Path]) -> None:
    for path in (*paths, folder / shards.INDEX):
        path.unlink()
    (folder / "consolidated.00.pth").write_bytes(b"x")


def surplus(folder: Path, paths: list[Path]) -> None:
    save_file({**load_file(paths[0]), "model.extra.weight": torch.zeros(2)}, paths[0])


def twice(folder: Path, paths: list[Path]) -> None:
    paths[0].write_bytes(paths[1].read_bytes())


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (truncate, "model-2-of-2.safetensors is truncated"),
        (lose, "lacks model-1-of-2"),
        (lead_outside, r"names the shard '\.\./model-1"),
        (huge_header, "header of 1152921504606846976 bytes"),
        (pickle_renamed, "model-1-of-2.safetensors is no safetensors file"),
        (no_index, "no index of shards"),
        (only_pickles, "no safetensors weights"),
        (surplus, "disagree about model.extra.weight"),
        (twice, "and so has"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_damaged_shards_are_refused_before_anything_runs(
    tmp_path: Path, harm: Callable[[Path, list[Path]], None], said: str
) -> None:
    folder, _ = dream(tmp_path)
    harm(folder, shard(folder))
    with pytest.raises(ModelError, match=said) as caught:
        load(str(folder))
    assert "\n" not in caught.value.what
    assert (".pth is a pickle" in caught.value.hint) == (harm is only_pickles)


@pytest.mark.parametrize("names", [HUGGING_FACE, LLADA], ids=["hugging face", "llada"])
def test_rename_tables_go_both_ways(names: Names) -> None:
    config = Config(64, 32, 3, 4, 2, 8, 48, 64, qkv_bias=True, qk_norm=names is HUGGING_FACE, tied=False)
    with torch.device("meta"):
        ours = list(Backbone(config).state_dict())
    theirs = [names.theirs(name) for name in ours]
    assert len(set(theirs)) == len(ours)
    assert [names.ours(name) for name in theirs] == ours
    assert names.ours("model.something.weight") is None and names.ours("lm_head.other") is None


def relative(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one - other).norm() / other.norm())


@pytest.mark.parametrize(("precision", "near"), [("bfloat16", 0.03), ("int8", 0.05)])
def test_smaller_numbers_stay_close(tmp_path: Path, precision: str, near: float) -> None:
    folder, _ = dream(tmp_path)
    exact, small = load(str(folder), precision="float32"), load(str(folder), precision=precision)
    ids = torch.randint(0, 256, (1, 16), generator=torch.Generator().manual_seed(0))
    want = torch.ones_like(ids, dtype=torch.bool)
    assert relative(small.predict(ids, want)[0], exact.predict(ids, want)[0]) < near


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize(("precision", "near"), [("float32", 1e-3), ("bfloat16", 0.03), ("int8", 0.05)])
def test_a_gpu_answers_as_the_cpu_does(tmp_path: Path, precision: str, near: float) -> None:
    folder, _ = dream(tmp_path)
    exact, there = load(str(folder), precision="float32"), load(str(folder), device="cuda", precision=precision)
    ids = torch.randint(0, 256, (1, 16), generator=torch.Generator().manual_seed(0))
    want = torch.ones_like(ids, dtype=torch.bool)
    assert relative(there.predict(ids, want)[0], exact.predict(ids, want)[0]) < near


def size(model: Model) -> int:
    tensors = [*model.net.parameters(), *model.net.buffers()]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def test_int8_takes_half_of_bfloat16_where_it_matters(tmp_path: Path) -> None:
    folder, _ = dream(tmp_path)
    assert size(load(str(folder), precision="int8")) < 0.75 * size(load(str(folder), precision="bfloat16"))


def test_an_unknown_precision_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="int4"):
        load(str(dream(tmp_path)[0]), precision="int4")


def test_rows_name_a_hub_and_say_how_they_are_read() -> None:
    rows = [row for row in checkpoints().values() if row.hub]
    assert len(rows) == len({row.hub for row in rows}) > 25
    for row in rows:
        assert row.family in FAMILIES and row.attention and row.shift is not None
        assert row.hub and row.hub.count("/") == 1
        assert row.attention != "block-causal" or row.block
        assert row.length in ("expand", "search") and row.prompt in ("header", "chat")


def test_a_row_that_was_not_pulled_says_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with pytest.raises(ModelError, match="not on this machine"):
        find("dreamon-7b").folder  # noqa: B018
