"""Families of public checkpoints as data: what their config.json calls the sizes, and what it leaves unsaid.

A family fixes the parts of a network (bias, norms, names). How it was trained to be read (shift, attention, mask) is
said by a model type that exists for diffusion alone, by the checkpoint's own files, or by its row in
checkpoints.toml; where none says it, loading stops. Nothing is guessed. No weights and no tokenizer here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from dcode.errors import ModelError
from dcode.model.checkpoint import Checkpoint
from dcode.model.config import Config
from dcode.model.names import HUGGING_FACE, LLADA, Names

Card = Mapping[str, Any]

WINDOW = 4096
"""Tokens: most of these models were trained on rows of 2,048 to 4,096, whatever their positions would allow."""

_KEYS = {
    "vocab": "vocab_size",
    "width": "hidden_size",
    "layers": "num_hidden_layers",
    "heads": "num_attention_heads",
    "kv_heads": "num_key_value_heads",
    "feed_forward": "intermediate_size",
    "window": "max_position_embeddings",
    "tied": "tie_word_embeddings",
}
_LLADA_KEYS = {
    "vocab": "embedding_size",
    "width": "d_model",
    "layers": "n_layers",
    "heads": "n_heads",
    "kv_heads": "n_kv_heads",
    "feed_forward": "mlp_hidden_size",
    "window": "max_sequence_length",
    "tied": "weight_tying",
}


@dataclass(frozen=True, slots=True)
class Family:
    """The parts a network of this family has; `keys`: our sizes → the keys of config.json."""

    names: Names = HUGGING_FACE
    keys: Mapping[str, str] = field(default_factory=lambda: _KEYS)
    qkv_bias: bool = False
    qk_norm: bool = False


FAMILIES = {
    "qwen2": Family(qkv_bias=True),
    "qwen3": Family(qk_norm=True),
    "llama": Family(),
    "llada": Family(LLADA, _LLADA_KEYS),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """How a network was trained to be read. None: not known."""

    shift: bool | None = None
    attention: Literal["full", "block-causal", "causal"] | None = None
    block: int | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """What a `model_type` of config.json means."""

    family: str
    reading: Reading = Reading()


KINDS = {
    "qwen2": Kind("qwen2"),
    "qwen3": Kind("qwen3"),
    "llama": Kind("llama"),
    "dream": Kind("qwen2", Reading(shift=True, attention="full")),
    "llada": Kind("llada", Reading(shift=False, attention="full")),
    "illada": Kind("llama", Reading(shift=False, attention="full")),
    "sdar": Kind("qwen3", Reading(shift=False, attention="block-causal")),
    "fast_dllm_qwen": Kind("qwen2", Reading(shift=True, attention="block-causal")),
    "coda": Kind("qwen3", Reading(shift=True, attention="full")),
    "a2d-qwen2": Kind("qwen2", Reading(shift=False)),
    "a2d-qwen3": Kind("qwen3", Reading(shift=False)),
    "a2d-llama": Kind("llama", Reading(shift=False)),
}
"""By the lower-case model_type. The first three are also the types of left-to-right models: they say nothing."""

PARTS: Mapping[str, tuple[Any, ...]] = {
    **dict.fromkeys(("hidden_act", "activation_type"), ("silu",)),
    **dict.fromkeys(("use_sliding_window", "num_experts", "n_routed_experts"), (False,)),
    **dict.fromkeys(("alibi", "attention_layer_norm", "input_emb_norm", "multi_query_attention"), (False,)),
    **dict.fromkeys(("scale_logits", "clip_qkv"), (False,)),
    **dict.fromkeys(("rope", "partial_rotary_factor", "layer_norm_with_affine"), (True,)),
    "block_type": ("llama",),
    "layer_norm_type": ("rms",),
}
"""Keys of config.json that can ask for another network than ours with the same tensors: key → what we have."""

BLOCK_KEYS = ("block_size", "bd_size", "block_length")


def kind_of(card: Card, row: Checkpoint) -> Kind:
    """What the model is; ModelError for a type that no family is known for, or another family than the row's."""
    name = str(card.get("model_type", "")).lower()
    if name in KINDS:
        _agreed("family", KINDS[name].family, row.family or None)
        return KINDS[name]
    if row.family in FAMILIES:
        return Kind(row.family)
    raise ModelError(f"config.json has the unknown model_type {name!r}", hint=f"known: {', '.join(KINDS)}")


def reading(card: Card, kind: Kind, row: Checkpoint) -> Reading:
    """Shift, attention and block size; ModelError names what neither the files nor the row say, or say differently."""
    said = kind.reading
    block = next((card[key] for key in BLOCK_KEYS if card.get(key) is not None), None)
    shift = _agreed("shift", said.shift, row.shift)
    attention = _agreed("attention", said.attention, row.attention)
    if attention == "block-causal":
        block = _agreed("block", block, row.block)
    return Reading(shift, attention, block if attention == "block-causal" else 0)


def shape(card: Card, family: Family, read: Reading, row: Checkpoint) -> Config:
    """The network of a config.json; ModelError for a key that is missing or for parts we do not have."""
    _refuse_other_parts(card)
    sizes: dict[str, Any] = {name: card.get(key) for name, key in family.keys.items()}
    sizes["vocab"] = sizes["vocab"] or card.get("vocab_size")
    sizes["kv_heads"] = sizes["kv_heads"] or sizes["heads"]
    for name in ("vocab", "width", "layers", "heads", "kv_heads", "feed_forward", "window"):
        if type(sizes[name]) is not int or sizes[name] < 1:
            raise ModelError(f"config.json lacks {family.keys[name]!r}, a size")
    head_width = card.get("head_dim") or sizes["width"] // sizes["heads"]
    window = min(sizes.pop("window"), int(row.defaults.get("window", WINDOW)))
    config = Config(
        **{**sizes, "tied": bool(sizes["tied"]), "window": window},
        head_width=head_width,
        rope_theta=_number(card, "rope_theta"),
        eps=_number(card, "rms_norm_eps"),
        qkv_bias=bool(card.get("attention_bias", card.get("include_qkv_bias", family.qkv_bias)) or family.qkv_bias),
        qk_norm=family.qk_norm,
        shift=bool(read.shift),
        attention=read.attention or "full",
        block=read.block or 0,
    )
    config.check()
    return config


def _agreed(what: str, files: Any, row: Any) -> Any:
    if files is None and row is None:
        hint = "load it under its name: -m NAME=FOLDER, with a NAME of dcode models list"
        raise ModelError(f"nothing says the model's {what}", hint=hint)
    if files is not None and row is not None and files != row:
        raise ModelError(f"the files say {what} {files}, checkpoints.toml says {row}")
    return row if files is None else files


def _number(card: Card, key: str) -> float:
    """A positive number; that of the rotary positions stands where one release of transformers or another puts it."""
    inner = card.get("rope_parameters")
    value = card.get(key, inner.get(key) if isinstance(inner, dict) else None)
    if type(value) not in (int, float) or not 0 < value < 1e30:
        raise ModelError(f"config.json lacks {key!r}, a number")
    return float(value)


def _refuse_other_parts(card: Card) -> None:
    for key, ours in PARTS.items():
        if card.get(key) is not None and card[key] not in ours:
            raise ModelError(f"config.json asks for {key} {card[key]!r}, which dcode does not have")
    for key in ("rope_scaling", "rope_parameters"):
        scaling = card.get(key) or {}
        if not isinstance(scaling, dict) or scaling.get("rope_type", scaling.get("type", "default")) != "default":
            raise ModelError(f"config.json asks for {key} {scaling}, which dcode does not have")
    layers = card.get("layer_types") or []
    if not isinstance(layers, list) or any(kind != "full_attention" for kind in layers):
        raise ModelError(f"config.json asks for layer_types {layers}, which dcode does not have")
