"""The causal peer: a left-to-right transformer of the same shape with a cache of keys and values, random weights."""

import time
from typing import Any

import torch
from transformers import Qwen3Config, Qwen3ForCausalLM

from dcode.model.config import Config


def causal_peer(config: Config, seed: int = 0) -> Any:
    """A causal network (of transformers) as large in every part as one of ours."""
    torch.manual_seed(seed)
    shape = Qwen3Config(
        vocab_size=config.vocab,
        hidden_size=config.width,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        num_key_value_heads=config.kv_heads,
        head_dim=config.head_width,
        intermediate_size=config.feed_forward,
        max_position_embeddings=2 * config.window,
        tie_word_embeddings=config.tied,
        rms_norm_eps=config.eps,
    )
    return Qwen3ForCausalLM(shape).eval()  # type: ignore[no-untyped-call]


@torch.inference_mode()
def generate_s(peer: Any, prompt: list[int], tokens: int) -> float:
    """Seconds to write so many tokens after a prompt, greedily, one a forward."""
    ids_1L = torch.tensor([prompt])
    begun = time.perf_counter()
    written = peer.generate(
        ids_1L,
        attention_mask=torch.ones_like(ids_1L),
        max_new_tokens=tokens,
        min_new_tokens=tokens,
        do_sample=False,
        use_cache=True,
        pad_token_id=0,
    )
    seconds = time.perf_counter() - begun
    assert written.shape[1] == len(prompt) + tokens
    return seconds
