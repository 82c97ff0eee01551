"""A GGUF file: a header that is judged before a number is read, tensors by name, the network and the tokenizer it says.

The header is read here, not by the `gguf` package: that one judges nothing, and makes an array of every token (12 s
for 150,000 of them; this takes 0.3). Its tables of block sizes and its dequantization are used. Importing that package
takes a moment, so only the loading of such a file imports this one.
"""

import math
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import dequantize
from tokenizers import AddedToken, Regex, decoders, models, pre_tokenizers
from tokenizers import Tokenizer as Engine
from torch import Tensor

from dcode.errors import ModelError
from dcode.model.checkpoint import Checkpoint
from dcode.model.config import Config
from dcode.model.exact import make_exact
from dcode.model.families import FAMILIES, WINDOW, Kind, Reading, kind_of, reading
from dcode.model.names import Names
from dcode.model.tokenizer import Tokenizer, byte_alphabet

VERSIONS = (2, 3)
ALIGNMENT = 32
MOST_TENSORS, MOST_KEYS, MOST_ITEMS = 1 << 16, 1 << 16, 1 << 24
"""More are taken for a mistake: the longest published vocabularies have 2**18 tokens."""

PIECE, LINE = 1 << 18, 8192
"""Numbers that are widened at a time, what a processor's cache holds, and in a row as dequantization is given them: it
takes 16 rows at a time, and short ones cost it most of its time. All of qwen2.5-coder-0.5b-instruct-q4_k_m.gguf, one
core: 6.5 s in its own rows and pieces of 2**22, 4.0 in these."""

KINDS = ("F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K")

NAMES = Names(
    {"embed": "token_embd", "norm": "output_norm", "head": "output"},
    "blk",
    {
        "attention_norm": "attn_norm",
        "feed_forward_norm": "ffn_norm",
        "attention.q": "attn_q",
        "attention.k": "attn_k",
        "attention.v": "attn_v",
        "attention.out": "attn_output",
        "attention.q_norm": "attn_q_norm",
        "attention.k_norm": "attn_k_norm",
        "feed_forward.gate": "ffn_gate",
        "feed_forward.up": "ffn_up",
        "feed_forward.down": "ffn_down",
    },
)

ARCHITECTURES = ("qwen2", "qwen3", "llama", "dream", "llada")
PERMUTED = ("llama", "llada")
"""Their rows of q and k lie so that neighbours are a rotary pair; the Backbone's pairs are half a head apart."""

ABSENT = (
    *("expert_count", "rope.scaling.factor", "attention.clamp_kqv", "attention.max_alibi_bias", "logit_scale"),
    *("embedding_scale", "residual_scale", "attention.scale", "attn_logit_softcapping", "final_logit_softcapping"),
)
"""Keys that ask for another network with the same tensors unless they are 0 or 1."""

SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
TEXT, LIST = 8, 9

_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_LLAMA = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_DEEPSEEK = (r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+", r"\p{N}")

SPLITS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("gpt-2", "default"), (_GPT2,)),
    **dict.fromkeys(("qwen2", "deepseek-r1-qwen"), (_LLAMA.replace("{1,3}", ""),)),
    **dict.fromkeys(("llama-bpe", "llama3", "llama-v3"), (_LLAMA,)),
    **dict.fromkeys(("starcoder", "refact", "smollm"), (r"\p{N}", _GPT2)),
    "deepseek-coder": _DEEPSEEK,
}
"""By `tokenizer.ggml.pre`: patterns that cut a text into words, one after the other, each into matches and the rest."""

WHOLE_WORDS = ("llama-bpe", "llama3", "llama-v3")
"""A word that is a token is one, whatever the merges would make of it."""

CONTROL, WRITTEN, UNUSED = 3, 4, 5
"""Kinds of tokens: control tokens, texts that the publisher added, and ids that stand for nothing."""

ENDS = ("<|endoftext|>", "<|end_of_text|>")
"""Ends of a text, by what publishers call them: the end that a file names may be that of a chat's turn."""


@dataclass(frozen=True, slots=True)
class Held:
    """A tensor of the file: its shape as torch has it, the kind of its numbers, where its bytes begin and how many."""

    shape: tuple[int, ...]
    kind: str
    start: int
    size: int


class Gguf:
    """The header of the file at `path`: `facts` by key, `tensors` by name. ModelError if it is damaged or foreign."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._data = np.memmap(path, np.uint8, "r")
        except (OSError, ValueError) as error:
            raise ModelError(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is empty'}") from None
        cursor = _Cursor(self._data.data, path.name)
        if cursor.take(4) != b"GGUF":
            raise ModelError(f"{path.name} is no GGUF file")
        if (version := cursor.number("I")) not in VERSIONS:
            raise ModelError(f"{path.name} has GGUF version {version}; dcode reads 2 and 3 in little-endian order")
        tensors = _bounded(cursor.number("Q"), MOST_TENSORS, "tensors", path.name)
        keys = _bounded(cursor.number("Q"), MOST_KEYS, "keys", path.name)
        self.facts: dict[str, Any] = {}
        for _ in range(keys):
            key = cursor.text()
            self.facts[key] = cursor.value(cursor.number("I"))
        found = [_tensor(cursor) for _ in range(tensors)]
        alignment = self.facts.get("general.alignment", ALIGNMENT)
        if type(alignment) is not int or alignment < 1 or alignment & (alignment - 1):
            raise ModelError(f"{path.name} has the impossible alignment {alignment!r}")
        first = -(-cursor.at // alignment) * alignment
        self.tensors = {name: replace(one, start=first + one.start) for name, one in found}
        if len(self.tensors) < tensors:
            raise ModelError(f"{path.name} has two tensors of one name")
        for name, one in self.tensors.items():
            if one.start + one.size > len(self._data):
                what = f"{path.name} is truncated: {name} ends at byte {one.start + one.size} of {len(self._data)}"
                raise ModelError(what)

    @property
    def architecture(self) -> str:
        """What the file calls the network; ModelError for one that dcode does not have."""
        name = str(self.facts.get("general.architecture"))
        if name not in ARCHITECTURES:
            hint = f"known: {', '.join(ARCHITECTURES)}"
            raise ModelError(f"{self.path.name} has the unknown architecture {name!r}", hint=hint)
        return name

    def read(self, name: str, config: Config, dtype: torch.dtype) -> Tensor:
        """The numbers of a tensor, widened piece by piece, with the rows of q and k as the Backbone has them."""
        one = self.tensors[name]
        kind, count = GGMLQuantizationType[one.kind], math.prod(one.shape)
        line = math.gcd(count, LINE)
        raw = self._data[one.start : one.start + one.size].reshape(count // line, -1)
        out, step = torch.empty(count // line, line, dtype=dtype), max(1, PIECE // line)
        for start in range(0, len(raw), step):
            wide = dequantize(raw[start : start + step], kind)
            out[start : start + step] = torch.from_numpy(wide if wide.flags.writeable else wide.copy())
        out = out.view(one.shape)
        if self.architecture in PERMUTED and (".attn_q." in name or ".attn_k." in name):
            out = unpermute(out, config.head_width)
        return out

    def stream(self, chosen: Mapping[str, str], config: Config, dtype: torch.dtype) -> Iterator[tuple[str, Tensor]]:
        """Our name and the numbers of every tensor in `chosen` (their name → ours), one at a time."""
        for theirs, ours in chosen.items():
            yield ours, self.read(theirs, config, dtype)


def unpermute(rows: Tensor, head_width: int) -> Tensor:
    """Rows of a weight or a bias in which the pairs (2i, 2i+1) of a head become (i, i + head_width/2)."""
    return rows.view(-1, head_width // 2, 2, *rows.shape[1:]).transpose(1, 2).reshape(rows.shape)


def network(file: Gguf, row: Checkpoint) -> Config:
    """The network a file says. Its architectures are read from left to right unless the file or the row say else."""
    name, facts = file.architecture, file.facts

    def fact(key: str, otherwise: Any = None) -> Any:
        return facts.get(f"{name}.{key}", otherwise)

    def size(key: str, otherwise: int | None = None) -> int:
        value = fact(key, otherwise)
        if type(value) is not int or value < 1:
            raise ModelError(f"{file.path.name} lacks {name}.{key}, a size")
        return value

    for key in ABSENT:
        if fact(key, 0) not in (0, 1):
            raise ModelError(f"{file.path.name} asks for {name}.{key} {fact(key)!r}, which dcode does not have")
    if fact("rope.scaling.type", "none") != "none":
        raise ModelError(f"{file.path.name} asks for {name}.rope.scaling, which dcode does not have")
    if "token_embd.weight" not in file.tensors:
        raise ModelError(f"{file.path.name} lacks token_embd.weight")
    kind = kind_of({"model_type": name}, row)
    read, family = _reading(file, kind, row), FAMILIES[kind.family]
    width, heads = size("embedding_length"), size("attention.head_count")
    head_width = size("attention.key_length", width // heads)
    for key in ("attention.value_length", "rope.dimension_count"):
        if fact(key, head_width) != head_width:
            raise ModelError(f"{file.path.name} asks for {name}.{key} {fact(key)!r}; dcode has that of a head only")
    window = min(size("context_length"), int(row.defaults.get("window", WINDOW)))
    if fact("attention.sliding_window") and size("attention.sliding_window") < window:
        raise ModelError(f"{file.path.name} asks for a sliding window, which dcode does not have")
    config = Config(
        vocab=file.tensors["token_embd.weight"].shape[0],
        width=width,
        layers=size("block_count"),
        heads=heads,
        kv_heads=size("attention.head_count_kv", heads),
        head_width=head_width,
        feed_forward=size("feed_forward_length"),
        window=window,
        rope_theta=fact("rope.freq_base", 10_000.0),
        eps=fact("attention.layer_norm_rms_epsilon"),
        qkv_bias=family.qkv_bias or "blk.0.attn_q.bias" in file.tensors,
        qk_norm=family.qk_norm,
        tied="output.weight" not in file.tensors,
        shift=bool(read.shift),
        attention=read.attention or "causal",
        block=read.block or 0,
    )
    try:
        config.check()
    except ModelError as error:
        raise ModelError(error.what.replace("config.json", file.path.name)) from None
    return config


def _reading(file: Gguf, kind: Kind, row: Checkpoint) -> Reading:
    """What the file says; where it and the row are silent, what the architecture means."""
    shift = file.facts.get("diffusion.shift_logits", kind.reading.shift)
    causal = file.facts.get(f"{file.architecture}.attention.causal")
    attention = kind.reading.attention if causal is None else "causal" if causal else "full"
    filled = replace(
        row,
        shift=(True if shift is None else shift) if row.shift is None else row.shift,
        attention=row.attention or attention or "causal",
    )
    return reading({}, Kind(kind.family, Reading(shift, attention)), filled)


def tokenizer(file: Gguf, row: Checkpoint, *, masks: bool) -> Tokenizer:
    """The tokenizer a file holds, exact to the byte. `masks`: the network was trained with a mask, which must be known.

    A left-to-right base has none: then the mask is an id that is never written, a padding or an unused one.
    """
    facts, name = file.facts, file.path.name
    if (model := facts.get("tokenizer.ggml.model")) != "gpt2":
        raise ModelError(f"{name} has a tokenizer of the kind {model!r}", hint="dcode reads byte-level BPE ('gpt2')")
    if (pre := str(facts.get("tokenizer.ggml.pre"))) not in SPLITS:
        raise ModelError(f"{name} cuts words in the unknown way {pre[:80]!r}", hint=f"known: {', '.join(SPLITS)}")
    texts, kinds, merges = (_list(file, key) for key in ("tokens", "token_type", "merges"))
    if len(texts) != len(kinds) or not all(type(text) is str for text in (*texts, *merges)):
        raise ModelError(f"{name} has {len(texts)} tokens, but {len(kinds)} kinds of tokens")
    engine = _engine(name, pre, texts, kinds, merges)
    sample = make_exact(engine).encode()
    named = {text: number for number, (text, kind) in enumerate(zip(texts, kinds, strict=True)) if kind == CONTROL}

    def told(key: str) -> int | None:
        number = facts.get(f"tokenizer.ggml.{key}_token_id")
        return number if type(number) is int and 0 <= number < len(texts) else None

    def first(what: str, *numbers: int | None) -> int:
        found = next((number for number in numbers if number is not None and number < len(texts)), None)
        if found is None:
            raise ModelError(f"{name} does not say which is its {what} token")
        return found

    every = {text: number for number, text in enumerate(texts)}
    end = first("end", *(named.get(text) for text in ENDS), told("eos"), row.end_id)
    begin = first("begin", told("bos"), row.begin_id, end)
    known = told("mask"), every.get(row.mask_token or ""), row.mask_id
    spare = told("fim_pad"), named.get("<|fim_pad|>"), next((n for n, k in enumerate(kinds) if k == UNUSED), None)
    pad = told("padding") if told("padding") not in (begin, end) else None
    mask = first("mask", *known, *(() if masks else (*spare, pad, begin)))
    expand = delete = None
    if row.length == "expand":
        expand = first("expand", every.get(row.expand_token or ""), row.expand_id)
        delete = first("delete", end if row.delete_id == row.end_id else row.delete_id)
    made = Tokenizer(engine, mask, None, begin, end, expand, delete)
    if made.decode(made.encode(sample)) != sample:
        raise ModelError(f"the tokenizer in {name} changes the text it reads: dcode edits byte for byte")
    return made


def _engine(name: str, pre: str, texts: list[str], kinds: list[int], merges: list[str]) -> Engine:
    """Byte-level BPE with the file's vocabulary, without a normal form."""
    vocabulary = {text: number for number, text in enumerate(texts) if kinds[number] != UNUSED}
    if not byte_alphabet().keys() <= vocabulary.keys():
        raise ModelError(f"{name} has no token for some bytes: dcode edits byte for byte")
    pairs = []
    for merge in merges:
        left, _, right = merge.partition(" ")
        # The engine would not refuse all of these: at some it panics.
        if not (left and right and {left, right, left + right} <= vocabulary.keys()):
            raise ModelError(f"{name} has the merge {merge[:80]!r}, and no tokens for it")
        pairs.append((left, right))
    engine = Engine(models.BPE(vocab=vocabulary, merges=pairs, ignore_merges=pre in WHOLE_WORDS))
    cuts = [pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in SPLITS[pre]]
    engine.pre_tokenizer = pre_tokenizers.Sequence(
        [*cuts, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    engine.decoder = decoders.ByteLevel()
    added = [(text, kind == CONTROL) for text, kind in zip(texts, kinds, strict=True) if kind in (CONTROL, WRITTEN)]
    engine.add_tokens([AddedToken(text, special=special, normalized=False) for text, special in added])
    return engine


def _list(file: Gguf, key: str) -> list[Any]:
    value = file.facts.get(f"tokenizer.ggml.{key}")
    if not isinstance(value, list):
        raise ModelError(f"{file.path.name} lacks tokenizer.ggml.{key}")
    return value


class _Cursor:
    """Reads a header from its beginning; ModelError where the file ends first."""

    def __init__(self, data: memoryview, name: str) -> None:
        self.data, self.name, self.at = data, name, 0

    def take(self, count: int) -> bytes:
        start, self.at = self.at, self.at + count
        if self.at > len(self.data):
            raise ModelError(f"{self.name} is truncated: its header goes on after byte {len(self.data)}")
        return bytes(self.data[start : self.at])

    def number(self, code: str) -> Any:
        return struct.unpack("<" + code, self.take(struct.calcsize("<" + code)))[0]

    def text(self) -> str:
        try:
            return self.take(self.number("Q")).decode("utf-8")
        except UnicodeDecodeError:
            raise ModelError(f"{self.name} has a text that is not UTF-8") from None

    def value(self, kind: int) -> Any:
        if kind in SCALARS:
            return self.number(SCALARS[kind])
        if kind == TEXT:
            return self.text()
        if kind != LIST:
            raise ModelError(f"{self.name} has a value of the unknown kind {kind}")
        inner, count = self.number("I"), _bounded(self.number("Q"), MOST_ITEMS, "values in a list", self.name)
        if inner in SCALARS:
            code = f"<{count}{SCALARS[inner]}"
            return list(struct.unpack(code, self.take(struct.calcsize(code))))
        read: Callable[[], Any] = self.text if inner == TEXT else lambda: self.value(-1)
        return [read() for _ in range(count)]


def _tensor(cursor: _Cursor) -> tuple[str, Held]:
    """A tensor's name and place, counted from where the numbers begin."""
    if not (name := cursor.text()).isprintable():
        raise ModelError(f"{cursor.name} has a tensor with the impossible name {name[:80]!r}")
    if not 1 <= (dimensions := cursor.number("I")) <= 4:
        raise ModelError(f"{cursor.name}: {name} has {dimensions} dimensions")
    shape = tuple(cursor.number("Q") for _ in range(dimensions))[::-1]
    number, start = cursor.number("I"), cursor.number("Q")
    try:
        kind = GGMLQuantizationType(number)
    except ValueError:
        raise ModelError(f"{cursor.name}: {name} holds numbers of the unknown kind {number}") from None
    if kind.name not in KINDS:
        hint = f"dcode reads {', '.join(KINDS)}"
        raise ModelError(f"{cursor.name}: {name} holds {kind.name} numbers", hint=hint)
    per_block, bytes_per_block = GGML_QUANT_SIZES[kind]
    if not math.prod(shape) or shape[-1] % per_block:
        raise ModelError(f"{cursor.name}: {name} has shape {list(shape)}, which {kind.name} cannot have")
    return name, Held(shape, kind.name, start, math.prod(shape) // per_block * bytes_per_block)


def _bounded(count: int, most: int, what: str, name: str) -> int:
    if count > most:
        raise ModelError(f"{name} claims {count} {what}; more than {most} are taken for a mistake")
    return count
