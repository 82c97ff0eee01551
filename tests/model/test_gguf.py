"""GGUF files: the network transformers reads, a tokenizer exact to the byte, a line for every damaged header."""

import os
import struct
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from gguf.constants import GGMLQuantizationType as Type
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer

from dcode.errors import DcodeError, ModelError, UsageError
from dcode.model import load as loading
from dcode.model import registry
from dcode.model.checkpoint import checkpoint, find
from dcode.model.gguf import Gguf, network, tokenizer, unpermute
from dcode.model.load import load
from tests.model.tiny import FEED, HEAD, SPECIALS, WIDTH, write_gguf

REAL = os.environ.get("DCODE_TEST_GGUF", "")
"""A qwen2 file of the person's own, where there is one."""

SAMPLES = (
    "def f(x):\n    return x\n",
    "世界 你好，再见 x世",
    "\U0001f642\U0001f469\u200d\U0001f467 x",
    "a\r\nb\r\n\r\n\tc",
    "\t\t x  \n   \n\n",
    "It's I'LL 1234567890 \uff13",
    "\u00a0\u3000\x00\x7f \u041f\u0440\u0438\u0432\u0435\u0442",
)
CONTROLS = "vector<M> <|im_end|><|endoftext|></tool>"


def theirs(path: Path) -> Any:
    pytest.importorskip("accelerate")  # transformers reads no GGUF file without it
    return AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32).eval()


def logits(model: loading.Model, ids: list[int]) -> Tensor:
    """What follows each id: [L, V]."""
    with torch.inference_mode():
        return model.net.logits(model.net.hidden(torch.tensor([ids]))[0])


def greedy(after: Callable[[list[int]], Tensor], ids: list[int], count: int) -> list[int]:
    for _ in range(count):
        ids = [*ids, int(after(ids)[-1].argmax())]
    return ids


@pytest.mark.filterwarnings("ignore")  # what transformers warns of on its way
@pytest.mark.parametrize("kind", [Type.F32, Type.F16, Type.BF16, Type.Q8_0, Type.Q4_0, Type.Q5_0], ids=lambda k: k.name)
@pytest.mark.parametrize("name", ["qwen2", "llama"])
def test_a_file_computes_what_transformers_computes_from_it(tmp_path: Path, name: str, kind: Type) -> None:
    path = write_gguf(tmp_path / "tiny.gguf", name, kind, tied=kind == Type.Q8_0)
    model, reference = load(str(path), precision="float32"), theirs(path)
    ids = [*range(0, 256, 9), 257, 3, 3]
    with torch.inference_mode():
        expected = reference(torch.tensor([ids])).logits[0]
        assert (logits(model, ids) - expected).abs().max() < 2e-5 * expected.abs().max()
        after = greedy(lambda row: logits(model, row), ids, 12)
        assert after == greedy(lambda row: reference(torch.tensor([row])).logits[0], ids, 12)
    config = model.net.config
    assert (config.attention, config.shift, config.qkv_bias) == ("causal", True, name == "qwen2")
    assert (model.net.head is None) == (kind == Type.Q8_0)


def test_rows_of_q_and_k_are_put_back(tmp_path: Path) -> None:
    """The file's rows 2i and 2i+1 of a head are a pair that turns together: rows i and i + 32 of the Backbone."""
    rows = torch.arange(2.0 * HEAD)[:, None]
    assert unpermute(rows, HEAD)[:, 0].tolist() == [
        *range(0, 64, 2),
        *range(1, 64, 2),
        *range(64, 128, 2),
        *range(65, 128, 2),
    ]
    file = Gguf(write_gguf(tmp_path / "x.gguf", "llama"))
    config = network(file, find(str(file.path)))
    for part, second in (("attn_q", 2), ("attn_k", 2), ("attn_v", 1), ("attn_output", 1)):
        held = file.tensors[f"blk.1.{part}.weight"]
        stored = np.fromfile(file.path, np.float32, held.size // 4, offset=held.start).reshape(held.shape)
        found = file.read(f"blk.1.{part}.weight", config, torch.float32)
        assert torch.equal(found[1], torch.from_numpy(stored)[second])


@pytest.mark.parametrize("kind", ["Q4_K", "Q5_K", "Q6_K", "Q2_K", "Q3_K"])
def test_blocks_that_nobody_here_can_write_are_read_as_the_package_reads_them(tmp_path: Path, kind: str) -> None:
    path = write_gguf(tmp_path / "x.gguf")
    file = Gguf(path)
    held = file.tensors["blk.0.ffn_up.weight"]
    size = FEED * WIDTH // 256 * gguf.GGML_QUANT_SIZES[Type[kind]][1]
    raw = np.random.default_rng(1).integers(0, 60, size, dtype=np.uint8)
    data = bytearray(path.read_bytes())
    data[held.start : held.start + size] = raw.tobytes()
    path.write_bytes(data)
    file = Gguf(path)
    file.tensors["blk.0.ffn_up.weight"] = replace(held, kind=kind, size=size)
    expected = gguf.quants.dequantize(raw.reshape(FEED, -1), Type[kind])
    found = file.read("blk.0.ffn_up.weight", network(file, find(str(path))), torch.float32)
    assert torch.equal(found, torch.from_numpy(expected)) and found.abs().max() > 0


@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_every_precision_is_near_the_file(tmp_path: Path, precision: str) -> None:
    path = write_gguf(tmp_path / "x.gguf", kind=Type.Q8_0, tied=False)
    exact, model = load(str(path), precision="float32"), load(str(path), precision=precision)
    ids = [*range(0, 256, 9)]
    expected = logits(exact, ids)
    assert (logits(model, ids).float() - expected).abs().max() < 0.1 * expected.abs().max()
    assert model.digest == exact.digest == registry.known(path).sha256


def test_a_diffusion_model_in_a_file_is_read_as_one(tmp_path: Path) -> None:
    told = {"diffusion.shift_logits": True, "dream.attention.causal": False, "tokenizer.ggml.mask_token_id": 259}
    model = load(str(write_gguf(tmp_path / "dream.gguf", "dream", **told)))
    assert (model.net.config.attention, model.net.config.shift, model.tokenizer.mask_id) == ("full", True, 259)
    model = load(f"open-dcoder-0.5b={write_gguf(tmp_path / 'tuned.gguf')}")
    assert (model.net.config.attention, model.net.config.shift, model.tokenizer.mask_id) == ("full", True, 259)
    with pytest.raises(ModelError, match="which is its mask token"):
        load(str(write_gguf(tmp_path / "unsaid.gguf", "dream")))
    with pytest.raises(ModelError, match="the files say shift True"):
        load(f"llada-8b={write_gguf(tmp_path / 'llada.gguf', 'llada', **{'diffusion.shift_logits': True})}")


def made(path: Path) -> Any:
    file = Gguf(path)
    return tokenizer(file, find(str(path)), masks=False)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["qwen2", "llama"])
def test_ids_are_those_of_transformers(tmp_path: Path, name: str) -> None:
    path = write_gguf(tmp_path / "x.gguf", name)
    known, reference = made(path), AutoTokenizer.from_pretrained(tmp_path, gguf_file=path.name)
    for text in SAMPLES:
        assert known.encode(text.encode()) == reference.encode(text, add_special_tokens=False)
    assert known.encode(b"def  xy")[0] == known.engine.token_to_id("def") and len(known.encode(b"def  xy")) < 5


@cache
def shared() -> Any:
    with TemporaryDirectory() as folder:
        return made(write_gguf(Path(folder, "x.gguf")))


@given(text=st.text(alphabet=st.characters(codec="utf-8"), max_size=40))
def test_any_text_comes_back_byte_for_byte(text: str) -> None:
    known = shared()
    for one in (text, text + CONTROLS + text):
        ids = known.encode(one.encode())
        assert known.decode(ids) == one.encode() and not set(ids) & set(known.specials.values())


def test_where_words_come_whole_a_token_needs_no_merges(tmp_path: Path) -> None:
    qwen2, llama = (made(write_gguf(tmp_path / f"{name}.gguf", name)) for name in ("qwen2", "llama"))
    assert qwen2.encode(b"zz") == [*b"zz"] and llama.encode(b"zz") == [llama.engine.token_to_id("zz")]


def test_special_tokens_are_named_by_their_text_and_no_text_is_one(tmp_path: Path) -> None:
    known = made(write_gguf(tmp_path / "x.gguf"))
    assert known.specials == {text: 256 + index for index, text in enumerate((*SPECIALS, "</tool>"))}
    assert known.encode(CONTROLS.encode()) == list(CONTROLS.encode())
    assert (known.begin_id, known.end_id, known.mask_id) == (256, 256, 258)
    assert all(known.pieces[number] == b"" for number in known.specials.values())
    assert known.decode(known.encode("e\u0301\u00e9".encode())) == "e\u0301\u00e9".encode()


@pytest.mark.parametrize(
    ("pre", "words"),
    [
        ("gpt-2", ["it", "'s", " 123", " x", ">=", "\r\n\r", "\n", "fo"]),
        ("starcoder", ["it", "'s", " ", "1", "2", "3", " x", ">=", "\r\n\r", "\n", "fo"]),
        ("qwen2", ["it", "'s", " ", "1", "2", "3", " x", ">=\r\n\r\n", "fo"]),
        ("llama-bpe", ["it", "'s", " ", "123", " x", ">=\r\n\r\n", "fo"]),
        ("deepseek-coder", ["it", "'", "s", " ", "1", "2", "3", " x", ">=", "\r", "\n", "\r", "\n", "fo"]),
    ],
)
def test_each_way_to_cut_words(tmp_path: Path, pre: str, words: list[str]) -> None:
    known = made(write_gguf(tmp_path / "x.gguf", **{"tokenizer.ggml.pre": pre}))
    found = known.engine.pre_tokenizer.pre_tokenize_str("".join(words))
    assert ["".join(words)[start:end] for _, (start, end) in found] == words


def damaged(data: bytearray, at: int, code: str, value: int) -> bytes:
    struct.pack_into("<" + code, data, at, value)
    return bytes(data)


def tensor_info(data: bytearray, name: str) -> int:
    """Where the numbers behind a tensor's name begin: dimensions, sizes, kind, offset."""
    text = struct.pack("<Q", len(name)) + name.encode()
    return data.index(text) + len(text)


HEADERS: dict[str, tuple[Callable[[bytearray], bytes], str]] = {
    "empty": (lambda d: b"", "it is empty"),
    "magic": (lambda d: damaged(d, 0, "I", 0x46554746), "is no GGUF file"),
    "version": (lambda d: damaged(d, 4, "I", 1), "GGUF version 1"),
    "tensors": (lambda d: damaged(d, 8, "Q", 2**60), "claims 1152921504606846976 tensors"),
    "keys": (lambda d: damaged(d, 16, "Q", 2**60), "claims 1152921504606846976 keys"),
    "one key more": (lambda d: damaged(d, 16, "Q", d[16] + 1), "unknown kind|is truncated|not UTF-8"),
    "long text": (lambda d: damaged(d, 24, "Q", 2**63), "is truncated: its header"),
    "header cut": (lambda d: bytes(d[:1000]), "is truncated: its header"),
    "numbers cut": (lambda d: bytes(d[:-5000]), "is truncated: .* ends at byte"),
    "list": (lambda d: damaged(d, d.index(b"ggml.tokens") + 19, "Q", 2**50), "values in a list"),
    "list of lists": (lambda d: damaged(d, d.index(b"ggml.tokens") + 15, "I", 9), "unknown kind -1"),
    "dimensions": (lambda d: damaged(d, tensor_info(d, "output_norm.weight"), "I", 9), "has 9 dimensions"),
    "size": (lambda d: damaged(d, tensor_info(d, "output_norm.weight") + 4, "Q", 2**62), "is truncated"),
    "no size": (lambda d: damaged(d, tensor_info(d, "output_norm.weight") + 4, "Q", 0), "has shape"),
    "odd size": (lambda d: damaged(d, tensor_info(d, "output_norm.weight") + 4, "Q", 2**40 + 7), "is truncated"),
    "other size": (lambda d: damaged(d, tensor_info(d, "output_norm.weight") + 4, "Q", 40), r"\[40\], not \[256\]"),
    "half a block": (
        lambda d: (
            (damaged(d, tensor_info(d, "token_embd.weight") + 20, "I", 8))
            and damaged(d, tensor_info(d, "token_embd.weight") + 4, "Q", 250)
        ),
        "which Q8_0 cannot have",
    ),
    "kind": (lambda d: damaged(d, tensor_info(d, "token_embd.weight") + 20, "I", 99), "unknown kind 99"),
    "other kind": (lambda d: damaged(d, tensor_info(d, "token_embd.weight") + 20, "I", 26), "holds I32 numbers"),
    "offset": (lambda d: damaged(d, tensor_info(d, "token_embd.weight") + 24, "Q", 2**62), "token_embd.weight ends at"),
    "line end": (lambda d: bytes(d.replace(b"blk.1.attn_q", b"blk.1\nattn_q")), "the impossible name"),
    "name": (lambda d: bytes(d.replace(b"blk.1.attn_q.bias", b"blk.0.attn_q.bias")), "two tensors of one name"),
    "missing": (lambda d: bytes(d.replace(b"blk.1.ffn_up.weight", b"blk.1.ffn_xx.weight")), "ffn_xx.weight, which"),
}


@pytest.mark.parametrize("which", HEADERS)
def test_a_damaged_header_is_one_line(tmp_path: Path, which: str) -> None:
    change, said = HEADERS[which]
    path = write_gguf(tmp_path / "x.gguf")
    path.write_bytes(change(bytearray(path.read_bytes())))
    with pytest.raises(ModelError, match=said) as caught:
        load(str(path))
    assert "\n" not in caught.value.what


FACTS: list[tuple[dict[str, Any], str]] = [
    ({"general.architecture": "gpt9"}, "unknown architecture 'gpt9'"),
    ({"general.alignment": 24}, "impossible alignment"),
    ({"qwen2.block_count": 3}, "the weights lack blk.2"),
    ({"qwen2.block_count": 1}, "no place for"),
    ({"qwen2.block_count": 2**31}, "impossible size"),
    ({"qwen2.embedding_length": 128}, "has shape"),
    ({"qwen2.embedding_length": None}, "lacks qwen2.embedding_length"),
    ({"qwen2.attention.head_count": 0}, "lacks qwen2.attention.head_count"),
    ({"qwen2.attention.head_count": [4, 4]}, "lacks qwen2.attention.head_count"),
    ({"qwen2.attention.head_count_kv": 3}, "multiple of kv_heads"),
    ({"qwen2.attention.layer_norm_rms_epsilon": None}, "eps is None"),
    ({"qwen2.rope.freq_base": -1.0}, "rope_theta is -1.0"),
    ({"qwen2.rope.scaling.type": "yarn"}, "rope.scaling"),
    ({"qwen2.rope.dimension_count": 32}, "rope.dimension_count 32"),
    ({"qwen2.attention.sliding_window": 8}, "sliding window"),
    ({"qwen2.expert_count": 8}, "expert_count 8"),
    ({"tokenizer.ggml.model": "llama"}, "tokenizer of the kind 'llama'"),
    ({"tokenizer.ggml.pre": "new"}, "the unknown way 'new'"),
    ({"tokenizer.ggml.pre": None}, "the unknown way 'None'"),
    ({"tokenizer.ggml.tokens": None}, "lacks tokenizer.ggml.tokens"),
    ({"tokenizer.ggml.token_type": [1]}, "267 tokens, but 1 kinds"),
    ({"tokenizer.ggml.merges": ["de"]}, "merge 'de', and no tokens"),
    ({"tokenizer.ggml.merges": ["d e f"]}, "merge 'd e f', and no tokens"),
    ({"tokenizer.ggml.merges": ["e d"]}, "merge 'e d', and no tokens"),
    ({"tokenizer.ggml.tokens": ["a", "b"], "tokenizer.ggml.token_type": [1, 1]}, "no token for some bytes"),
]


@pytest.mark.parametrize(("facts", "said"), FACTS, ids=[str(facts)[:60] for facts, _ in FACTS])
def test_facts_that_do_not_fit_are_one_line(tmp_path: Path, facts: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError, match=said) as caught:
        load(str(write_gguf(tmp_path / "x.gguf", **facts)))
    assert "\n" not in caught.value.what


def test_what_memory_cannot_hold_is_refused_before_a_number_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_gguf(tmp_path / "x.gguf")
    monkeypatch.setattr(loading, "_free_bytes", lambda device: 4_000_000)
    monkeypatch.setattr(Gguf, "read", lambda *_: pytest.fail("a number was read"))
    with pytest.raises(ModelError, match=r"needs 0\.0\d GB in float32, and 0\.00 GB are free") as caught:
        load(str(path), precision="float32")
    assert "--precision bfloat16" in caught.value.hint
    assert loading._free_bytes(torch.device("cpu")) == 4_000_000


def test_free_memory_is_a_number_of_this_machine() -> None:
    assert 10**7 < loading._free_bytes(torch.device("cpu")) < 10**15


def test_an_added_file_has_a_name_until_it_changes(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "x.gguf")
    registry.add("mine", path, "MIT")
    model = load("mine", precision="float32")
    assert model.digest == registry.known(path).sha256 and checkpoint("mine").licence == "MIT"
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(ModelError, match="not the file that was added") as caught:
        load("mine")
    assert f"models add {path} --name mine" in caught.value.hint
    assert registry.forget("mine")
    with pytest.raises(UsageError, match="unknown model 'mine'"):
        load("mine")


def test_a_file_that_is_not_called_gguf_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(b"GGUF")
    with pytest.raises(DcodeError, match="there is no model folder"):
        load(str(tmp_path / "x.bin"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(not REAL, reason="DCODE_TEST_GGUF names no file")
def test_a_published_file_goes_on_as_transformers_goes_on() -> None:
    path = Path(REAL)
    model, reference = load(REAL, precision="float32"), theirs(path)
    ids = model.tokenizer.encode(b"def fibonacci(n):")
    with torch.inference_mode():
        expected = reference(torch.tensor([ids])).logits[0]
        assert (logits(model, ids) - expected).abs().max() < 1e-4
        after = greedy(lambda row: logits(model, row), ids, 32)
        assert after == greedy(lambda row: reference(torch.tensor([row])).logits[0], ids, 32)
