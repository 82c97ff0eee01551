"""What public checkpoints call the tensors of the one Backbone: two tables, read in both directions."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Names:
    """Their name of each of our modules; `layers` is the prefix of a numbered layer. "weight" and "bias" stay."""

    outside: Mapping[str, str]
    layers: str
    inside: Mapping[str, str]

    def theirs(self, ours: str) -> str:
        """Their name of our tensor `ours`."""
        module, _, kind = ours.rpartition(".")
        if not module.startswith("layers."):
            return f"{self.outside[module]}.{kind}"
        _, number, part = module.split(".", 2)
        return f"{self.layers}.{number}.{self.inside[part]}.{kind}"

    def ours(self, theirs: str) -> str | None:
        """Our name of their tensor `theirs`; None if it stands for nothing of ours."""
        module, _, kind = theirs.rpartition(".")
        if kind not in ("weight", "bias"):
            return None
        for own, other in self.outside.items():
            if module == other:
                return f"{own}.{kind}"
        if not module.startswith(f"{self.layers}."):
            return None
        number, _, part = module.removeprefix(f"{self.layers}.").partition(".")
        found = next((own for own, other in self.inside.items() if part == other), None)
        return f"layers.{number}.{found}.{kind}" if found and number.isdigit() else None


HUGGING_FACE = Names(
    {"embed": "model.embed_tokens", "norm": "model.norm", "head": "lm_head"},
    "model.layers",
    {
        "attention_norm": "input_layernorm",
        "feed_forward_norm": "post_attention_layernorm",
        "attention.q": "self_attn.q_proj",
        "attention.k": "self_attn.k_proj",
        "attention.v": "self_attn.v_proj",
        "attention.out": "self_attn.o_proj",
        "attention.q_norm": "self_attn.q_norm",
        "attention.k_norm": "self_attn.k_norm",
        "feed_forward.gate": "mlp.gate_proj",
        "feed_forward.up": "mlp.up_proj",
        "feed_forward.down": "mlp.down_proj",
    },
)

# `ff_out` names two things: outside of the layers it is the head, inside the way down.
LLADA = Names(
    {"embed": "model.transformer.wte", "norm": "model.transformer.ln_f", "head": "model.transformer.ff_out"},
    "model.transformer.blocks",
    {
        "attention_norm": "attn_norm",
        "feed_forward_norm": "ff_norm",
        "attention.q": "q_proj",
        "attention.k": "k_proj",
        "attention.v": "v_proj",
        "attention.out": "attn_out",
        "feed_forward.gate": "ff_proj",
        "feed_forward.up": "up_proj",
        "feed_forward.down": "ff_out",
    },
)
