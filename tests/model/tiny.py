"""Tiny random checkpoints as transformers saves them, one of every public family, GGUF files, ways to change them."""

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from gguf.constants import GGMLQuantizationType as Type
from gguf.quants import quantize
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer as Engine
from tokenizers import decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM

from dcode.model import shards
from dcode.model.checkpoint import Checkpoint
from dcode.model.gguf import CONTROL, UNUSED, WRITTEN
from dcode.model.names import HUGGING_FACE, LLADA
from dcode.model.tokenizer import byte_alphabet

VOCAB = 300
SIZES = {
    "vocab_size": VOCAB,
    "hidden_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 80,
    "max_position_embeddings": 64,
    "eos_token_id": 257,
}
ROW = Checkpoint("tiny", "", "", "MIT", "a folder that no row speaks of")
Made = tuple[Path, Any]

WIDTH, LAYERS, HEADS, KV_HEADS, HEAD, FEED = 256, 2, 4, 2, 64, 512
"""Of a GGUF file: its blocks have up to 256 numbers."""

SPECIALS = ("<|endoftext|>", "<|im_end|>", "<|fim_pad|>", "<M>")


def bytes_in_order() -> dict[str, int]:
    """A vocabulary of 256 bytes, spelled as byte-level BPE spells them."""
    return {char: index for index, char in enumerate(sorted(byte_alphabet(), key=byte_alphabet().__getitem__))}


def write_tokenizer(folder: Path, mask: str = "<M>") -> None:
    """A byte-level tokenizer without merges: 256 bytes, the mask, an end, a token that expands."""
    engine = Engine(models.BPE(vocab=bytes_in_order(), merges=[]))
    engine.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    engine.decoder = decoders.ByteLevel()
    engine.add_special_tokens([mask, "<|endoftext|>", "<|expand|>"])
    engine.save(str(folder / "tokenizer.json"))
    told = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|endoftext|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(told))


def saved(folder: Path, net: Any, mask: str = "<M>", **card: Any) -> Made:
    """A folder as transformers saves it, with `card` written over its config.json."""
    with torch.no_grad():
        for name, weight in net.named_parameters():
            if weight.ndim == 1:
                weight.normal_(1.0 if "norm" in name else 0.0, 0.1)
    net.eval().save_pretrained(folder)
    write_tokenizer(folder, mask)
    change(folder, **card)
    return folder, net


def change(folder: Path, name: str = "config.json", **card: Any) -> None:
    """Write over keys of config.json, or of another such file; None removes one."""
    path = folder / name
    values = {**json.loads(path.read_text()), **card}
    path.write_text(json.dumps({key: value for key, value in values.items() if value is not None}))


def qwen2(folder: Path, **card: Any) -> Made:
    torch.manual_seed(0)
    return saved(folder, Qwen2ForCausalLM(Qwen2Config(**SIZES, tie_word_embeddings=True)), **card)


def a2d(folder: Path, family: str = "qwen2") -> Made:
    """Says that its head is the embedding, and has another (as dllm's files do)."""
    torch.manual_seed(7)
    net: Any = Qwen2ForCausalLM(Qwen2Config(**SIZES, tie_word_embeddings=False))
    if family == "qwen3":
        net = Qwen3ForCausalLM(Qwen3Config(**SIZES, head_dim=16, tie_word_embeddings=False))
    return saved(folder, net, mask="<|mask|>", model_type=f"a2d-{family}", tie_word_embeddings=True)


def a2d_qwen3(folder: Path) -> Made:
    return a2d(folder, "qwen3")


def fast_dllm(folder: Path) -> Made:
    return qwen2(folder, model_type="Fast_dLLM_Qwen", mask_token_id=256, bd_size=32)


def dream(folder: Path) -> Made:
    torch.manual_seed(1)
    net = Qwen2ForCausalLM(Qwen2Config(**SIZES, tie_word_embeddings=False))
    return saved(folder, net, model_type="Dream", mask_token_id=256, architectures=["DreamModel"])


def qwen3(folder: Path) -> Made:
    torch.manual_seed(2)
    net = Qwen3ForCausalLM(Qwen3Config(**SIZES, head_dim=16, tie_word_embeddings=False))
    return saved(folder, net, mask="<|mask|>")


def sdar(folder: Path) -> Made:
    torch.manual_seed(3)
    net = Qwen3ForCausalLM(Qwen3Config(**SIZES, head_dim=16, tie_word_embeddings=False))
    return saved(folder, net, model_type="sdar", mask_token_id=256, block_size=4)


def coda(folder: Path) -> Made:
    torch.manual_seed(6)
    net = Qwen3ForCausalLM(Qwen3Config(**SIZES, head_dim=16, tie_word_embeddings=False))
    return saved(folder, net, model_type="CoDA", mask_token_id=256, tie_word_embeddings=None)


def illada(folder: Path) -> Made:
    torch.manual_seed(8)
    made = saved(folder, LlamaForCausalLM(LlamaConfig(**SIZES, tie_word_embeddings=True)), mask_token_id=256)
    # The row says that a text begins with id 0, which in this vocabulary is a byte: the files come first.
    change(folder, "tokenizer_config.json", bos_token="<|endoftext|>")
    return made


def llama(folder: Path) -> Made:
    torch.manual_seed(4)
    net = LlamaForCausalLM(LlamaConfig(**SIZES, tie_word_embeddings=False))
    return saved(folder, net, mask_token_id=256)


def llada(folder: Path) -> Made:
    """A Llama under LLaDA's names and keys."""
    torch.manual_seed(5)
    net = LlamaForCausalLM(LlamaConfig(**{**SIZES, "num_key_value_heads": 4}, tie_word_embeddings=False))
    saved(folder, net)
    renamed = {LLADA.theirs(str(HUGGING_FACE.ours(name))): weight for name, weight in net.state_dict().items()}
    save_file({name: weight.clone() for name, weight in renamed.items()}, folder / "model.safetensors")
    keys = ("model_type", "d_model", "n_layers", "n_heads", "mlp_hidden_size", "max_sequence_length")
    values = ("llada", 48, 2, 4, 80, 64)
    card = dict(zip(keys, values, strict=True), embedding_size=VOCAB, vocab_size=VOCAB - 2, weight_tying=False)
    card |= {"rope_theta": 10000.0, "rms_norm_eps": 1e-6, "mask_token_id": 256, "eos_token_id": 257}
    (folder / "config.json").write_text(json.dumps(card))
    return folder, net


def shard(folder: Path) -> list[Path]:
    """Cut the weights of a folder into two shards with an index."""
    whole = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(whole)
    parts = [names[: len(names) // 2], names[len(names) // 2 :]]
    paths = [folder / f"model-{number}-of-2.safetensors" for number in (1, 2)]
    for path, part in zip(paths, parts, strict=True):
        save_file({name: whole[name] for name in part}, path, metadata={"format": "pt"})
    index = {name: path.name for path, part in zip(paths, parts, strict=True) for name in part}
    (folder / shards.INDEX).write_text(json.dumps({"weight_map": index}))
    return paths


def write_gguf(
    path: Path, name: str = "qwen2", kind: Type = Type.F32, *, tied: bool = True, seed: int = 0, **facts: Any
) -> Path:
    """A tiny random model: matrices in `kind`, norms and biases in float32. A fact that is None is left out."""
    writer, random = gguf.GGUFWriter(path, name), np.random.default_rng(seed)
    sizes = {"context_length": 64, "embedding_length": WIDTH, "block_count": LAYERS, "feed_forward_length": FEED}
    heads = {"attention.head_count": HEADS, "attention.head_count_kv": KV_HEADS, "vocab_size": VOCAB}
    merges = ["d e", "de f", "\u0120 \u0120", "x y"]
    tokens = [*bytes_in_order(), *SPECIALS, "</tool>", "de", "def", "\u0120\u0120", "xy", "zz", "[PAD266]"]
    kinds = [1] * 256 + [CONTROL] * len(SPECIALS) + [WRITTEN, 1, 1, 1, 1, 1, UNUSED]
    told = {
        **{f"{name}.{key}": value for key, value in (sizes | heads).items()},
        f"{name}.rope.freq_base": 10000.0,
        f"{name}.attention.layer_norm_rms_epsilon": 1e-6,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "qwen2" if name != "llama" else "llama-bpe",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": kinds,
        "tokenizer.ggml.merges": merges,
        "tokenizer.ggml.eos_token_id": 257,
        **facts,
    }
    for key, value in told.items():
        if isinstance(value, list):
            writer.add_array(key, value)
        elif isinstance(value, str):
            writer.add_string(key, value)
        elif isinstance(value, bool):
            writer.add_bool(key, value)
        elif isinstance(value, float):
            writer.add_float32(key, value)
        elif value is not None:
            writer.add_uint32(key, value)

    def matrix(theirs: str, rows: int, columns: int) -> None:
        numbers = (random.standard_normal((rows, columns)) / columns**0.5).astype(np.float32)
        writer.add_tensor(theirs, quantize(numbers, kind), raw_dtype=kind)

    def vector(theirs: str, size: int, mean: float) -> None:
        writer.add_tensor(theirs, random.normal(mean, 0.1, size).astype(np.float32))

    matrix("token_embd.weight", VOCAB, WIDTH)
    vector("output_norm.weight", WIDTH, 1)
    if not tied:
        matrix("output.weight", VOCAB, WIDTH)
    for layer in range(LAYERS):
        inside = f"blk.{layer}."
        for part, rows in (("q", HEADS * HEAD), ("k", KV_HEADS * HEAD), ("v", KV_HEADS * HEAD)):
            matrix(f"{inside}attn_{part}.weight", rows, WIDTH)
            if name in ("qwen2", "dream"):
                vector(f"{inside}attn_{part}.bias", rows, 0)
        matrix(f"{inside}attn_output.weight", WIDTH, HEADS * HEAD)
        matrix(f"{inside}ffn_gate.weight", FEED, WIDTH)
        matrix(f"{inside}ffn_up.weight", FEED, WIDTH)
        matrix(f"{inside}ffn_down.weight", WIDTH, FEED)
        vector(f"{inside}attn_norm.weight", WIDTH, 1)
        vector(f"{inside}ffn_norm.weight", WIDTH, 1)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
