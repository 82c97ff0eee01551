"""The one Backbone against transformers: same numbers for the families it must carry; its own switches."""

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM

from dcode.model.backbone import Backbone, initialise, parameters
from dcode.model.config import Config
from tests.oracle import random_model

SIZES = {
    "vocab_size": 96,
    "hidden_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 80,
    "max_position_embeddings": 64,
    "rms_norm_eps": 1e-5,
}
PLACES = {
    "embed": "model.embed_tokens",
    "norm": "model.norm",
    "head": "lm_head",
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
}


def theirs(name: str) -> str:
    """The public name of one of our tensors."""
    stem, _, kind = name.rpartition(".")
    if not stem.startswith("layers."):
        return f"{PLACES[stem]}.{kind}"
    _, number, part = stem.split(".", 2)
    return f"model.layers.{number}.{PLACES[part]}.{kind}"


@pytest.mark.parametrize(
    ("reference", "flags"),
    [
        (lambda: LlamaForCausalLM(LlamaConfig(**SIZES, tie_word_embeddings=False)), {"tied": False}),
        (lambda: Qwen2ForCausalLM(Qwen2Config(**SIZES, tie_word_embeddings=True)), {"qkv_bias": True}),
        (
            lambda: Qwen3ForCausalLM(Qwen3Config(**SIZES, head_dim=12, tie_word_embeddings=True)),
            {"qk_norm": True},
        ),
    ],
    ids=["llama", "qwen2", "qwen3"],
)
@pytest.mark.parametrize("attention", ["causal", "full"])
def test_logits_equal_the_reference(reference: object, flags: dict[str, bool], attention: str) -> None:
    torch.manual_seed(0)
    model = reference().eval()  # type: ignore[operator]
    config = Config(96, 48, 2, 4, 2, 12, 80, 64, eps=1e-5, attention=attention, **flags)  # type: ignore[arg-type]
    net = Backbone(config).eval()
    state = model.state_dict()
    net.load_state_dict({name: state[theirs(name)] for name in net.state_dict()})
    ids = torch.randint(0, 96, (2, 17))
    mask = torch.ones(2, 1, 17, 17, dtype=torch.bool)
    mask = mask.tril() if attention == "causal" else mask
    with torch.no_grad():
        want = model(ids, attention_mask=mask).logits.flatten(0, 1)
        got = net(ids, torch.ones_like(ids, dtype=torch.bool))
    assert (got - want).abs().max() < 1e-5


def test_only_wanted_positions_get_logits_and_shift_moves_rows() -> None:
    model = random_model()
    shifted = random_model(shift=True)
    ids = torch.randint(4, 200, (2, 12), generator=torch.Generator().manual_seed(0))
    want = torch.zeros_like(ids, dtype=torch.bool)
    want[0, 3] = want[1, 5] = want[1, 7] = True
    logits = model.predict(ids, want)
    full = model.predict(ids, torch.ones_like(want))
    assert logits.shape == (3, model.vocab)
    assert torch.allclose(logits, full.view(2, 12, -1)[want], atol=1e-6)
    moved = shifted.predict(ids, want)
    assert torch.allclose(moved, full.view(2, 12, -1)[want.roll(-1, 1)], atol=1e-6)


def test_segments_do_not_see_each_other() -> None:
    net = random_model().net
    ids = torch.randint(4, 200, (1, 12), generator=torch.Generator().manual_seed(0))
    segment = torch.tensor([[0] * 5 + [1] * 7])
    want = torch.ones_like(ids, dtype=torch.bool)
    with torch.no_grad():
        both, alone = net(ids, want, segment), net(ids[:, :5], want[:, :5])
    assert torch.allclose(both[:5], alone, atol=1e-5)


def test_blocks_see_themselves_and_what_is_before() -> None:
    net = random_model(attention="block-causal", block=4).net
    ids = torch.randint(4, 200, (1, 12), generator=torch.Generator().manual_seed(0))
    changed = ids.clone()
    changed[0, 9] = (ids[0, 9] + 1) % 200
    want = torch.ones_like(ids, dtype=torch.bool)
    with torch.no_grad():
        one, two = net(ids, want), net(changed, want)
    assert torch.equal(one[:8], two[:8]) and not torch.allclose(one[8], two[8])


def test_parameters_and_seeded_start() -> None:
    one, two, three = (Backbone(random_model().net.config) for _ in range(3))
    for net, seed in ((one, 0), (two, 0), (three, 1)):
        initialise(net, torch.Generator().manual_seed(seed))
    assert torch.equal(one.embed.weight, two.embed.weight) and not torch.equal(one.embed.weight, three.embed.weight)
    assert parameters(one) == sum(t.numel() for t in one.state_dict().values())
