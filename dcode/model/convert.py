"""From a causal model's file to the embedded store: fewer tokens, folded scales, and codes with error feedback.

The same file and the same calibration text give the same bytes: one thread, float64 where errors add up, no clock.
Shapes: T tokens of calibration, N rows, K columns, G groups.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from tokenizers import Tokenizer as Engine
from torch import Tensor, nn

from dcode.errors import ModelError
from dcode.model import packed
from dcode.model.backbone import Backbone
from dcode.model.config import Config
from dcode.model.layers import Layer, rotary
from dcode.model.load import Model
from dcode.model.packed import GROUP
from dcode.model.prune import pruned, spells_ascii
from dcode.model.tokenizer import Tokenizer

ALPHA = 0.5
"""How much of the activations' range goes into the weights (SmoothQuant, arXiv 2211.10438)."""

DAMP = 0.01
"""Share of the mean diagonal that is added to the Hessian (GPTQ, arXiv 2210.17323)."""

LONGEST = 4
"""In layers 2, 22 and 23 the first token's row is 11 to 14 times as long as the median: a third of all squares."""

CLIPS = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75)
"""Shares of a group's range that its codes may span; the one with the least error is taken."""

REACH = 120
"""What the largest number of a row becomes: a group's step is a whole number, and needs room below 127."""

SPREAD = 0.05
"""The same share where a matrix makes up for the errors of those before it: more, for it learns from few tokens."""

FIVE_BITS = ("embed", "attention.q", "attention.k", "attention.v", "attention.out", "feed_forward.down")
"""What loses most by four, or is small."""

INPUTS = {
    "attention_norm": ("attention.q", "attention.k", "attention.v"),
    "attention": ("attention.out",),
    "feed_forward_norm": ("feed_forward.gate", "feed_forward.up"),
    "feed_forward": ("feed_forward.down",),
}
"""The matrices of a layer by what they read."""


def shrink(net: Backbone, kept: Sequence[int]) -> Backbone:
    """The network over some of its tokens, renumbered; the head serves as the embedding too."""
    head = net.embed.weight if net.head is None else net.head.weight
    config = replace(net.config, vocab=len(kept), tied=True)
    with torch.device("meta"):
        small = Backbone(config)
    state = {name: weight for name, weight in net.state_dict().items() if name != "head.weight"}
    state["embed.weight"] = head.detach()[torch.tensor(kept)].clone()
    small.load_state_dict(state, assign=True)
    return small.eval().requires_grad_(False)


@torch.inference_mode()
def quantize(net: Backbone, texts: Sequence[Sequence[int]], tell: Callable[[int], object]) -> dict[str, Tensor]:
    """The tensors of the store for a float32 network, layer by layer: each sees what those before it have become.

    `texts`: ids of equal length to calibrate on; `tell` is called with the number of every layer that is done.
    """
    config, ids_TL = net.config, torch.tensor(texts)
    exact_TLD = net.embed.weight[ids_TL]
    found = _head(net, exact_TLD)
    quantized_TLD = net.embed.weight[ids_TL]
    for number, layer in enumerate(net.layers):
        assert isinstance(layer, Layer)
        exact_TLD, exact = _run(layer, exact_TLD, config)
        scales = fold(layer, {name: _peak(x) for name, x in exact.items()}, config)
        for name, reads in INPUTS.items():
            # What a matrix reads is computed with those before it in the layer quantized already.
            _, inputs = _run(layer, quantized_TLD, config, until=name)
            x_RK, wanted_RK = inputs[name].flatten(0, 1), (exact[name] / scales[name]).flatten(0, 1)
            share_R1 = _share(x_RK)
            hessian_KK = _hessian(x_RK * share_R1)
            made_up_KK = _made_up(wanted_RK * share_R1, x_RK * share_R1, hessian_KK)
            inverse_KK = _inverse(hessian_KK)
            for part in reads:
                weight = _linear(layer, part).weight
                weight.data = (weight.double() @ made_up_KK).float()
                found |= _matrix(f"layers.{number}.{part}", weight, inverse_KK)
        quantized_TLD, _ = _run(layer, quantized_TLD, config)
        tell(number)
    vectors = {name: w.float() for name, w in net.state_dict().items() if w.ndim == 1}
    return found | dict(sorted(vectors.items()))


def fold(layer: Layer, peaks: Mapping[str, Tensor], config: Config) -> dict[str, Tensor]:
    """Move large activations into the weights that read them: exact in real numbers, kinder to few bits.

    Returns by what they are divided now.
    """
    attention, feed_forward, scales = layer.attention, layer.feed_forward, dict[str, Tensor]()
    for norm, name in ((layer.attention_norm, "attention_norm"), (layer.feed_forward_norm, "feed_forward_norm")):
        readers = [_linear(layer, part) for part in INPUTS[name]]
        scale_K = _shares(peaks[name], torch.cat([reader.weight for reader in readers]))
        norm.weight.data = norm.weight / scale_K
        scales[name] = scale_K
        for reader in readers:
            reader.weight.data = reader.weight * scale_K
    scale_K = _shares(peaks["feed_forward"], feed_forward.down.weight)
    feed_forward.up.weight.data = feed_forward.up.weight / scale_K[:, None]
    feed_forward.down.weight.data = feed_forward.down.weight * scale_K
    # Several query heads read one value head: they share its scales.
    heads = (config.kv_heads, config.heads // config.kv_heads, config.head_width)
    peak_KE = peaks["attention"].view(heads).amax(1)
    most_KE = attention.out.weight.abs().amax(0).view(heads).amax(1)
    scale_KE = _shares(peak_KE.flatten(), most_KE.flatten()[None])
    attention.v.weight.data = attention.v.weight / scale_KE[:, None]
    if attention.v.bias is not None:
        attention.v.bias.data = attention.v.bias / scale_KE
    spread = scale_KE.view(config.kv_heads, 1, config.head_width).expand(heads).reshape(-1)
    attention.out.weight.data = attention.out.weight * spread
    return scales | {"feed_forward": scale_K, "attention": spread}


def _linear(layer: Layer, part: str) -> nn.Linear:
    found = layer.get_submodule(part)
    assert isinstance(found, nn.Linear)
    return found


def _shares(peak_K: Tensor, weight_NK: Tensor) -> Tensor:
    """By what each column's activations are divided, and its weights multiplied."""
    most_K = weight_NK.abs().amax(0).clamp_min(1e-5)
    scale_K = peak_K.clamp_min(1e-5) ** ALPHA / most_K ** (1 - ALPHA)
    shares_K: Tensor = scale_K / scale_K.log().mean().exp()
    return shares_K.clamp(1e-3, 1e3)


def _peak(x_TLK: Tensor) -> Tensor:
    """The largest activation of every column, without the largest one in a thousand."""
    flat_RK = x_TLK.flatten(0, 1).abs()
    flat_RK = flat_RK * _share(flat_RK)
    return flat_RK.kthvalue(max(1, len(flat_RK) - len(flat_RK) // 1000), dim=0).values


class _Reached(Exception):
    """What a layer was run for is known."""


def _run(layer: Layer, x_TLD: Tensor, config: Config, until: str = "") -> tuple[Tensor, dict[str, Tensor]]:
    """A layer's output, and what its matrices read; with `until` no further than to that."""
    inputs: dict[str, list[Tensor]] = {name: [] for name in INPUTS}

    def keep(name: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        def hook(module: nn.Module, given: tuple[Tensor, ...]) -> None:
            inputs[name].append(given[0])
            if name == until:
                raise _Reached

        return hook

    hooks = [layer.get_submodule(parts[0]).register_forward_pre_hook(keep(name)) for name, parts in INPUTS.items()]
    length = x_TLD.shape[1]
    rope = rotary(length, config.head_width, config.rope_theta, x_TLD.device)
    mask = torch.ones(length, length, dtype=torch.bool).tril()[None, None]
    outs = []
    for row in torch.split(x_TLD, 1):
        try:
            outs.append(layer(row, rope, mask))
        except _Reached:
            continue
    for hook in hooks:
        hook.remove()
    read = {name: torch.cat(parts) for name, parts in inputs.items() if parts}
    return (torch.cat(outs) if outs else x_TLD), read


def _share(x_RK: Tensor) -> Tensor:
    """What a row counts, [R, 1]: one that is far longer than the others, as that of a text's first token is, as one
    of `LONGEST` times their length."""
    length_R1 = x_RK.norm(dim=1, keepdim=True)
    share_R1: Tensor = (LONGEST * length_R1.median() / length_R1.clamp_min(1e-12)).clamp_max(1)
    return share_R1


def _hessian(x_RK: Tensor) -> Tensor:
    """Of the error of what reads these activations (GPTQ, arXiv 2210.17323), in float64."""
    return (x_RK.T @ x_RK).double()


def _made_up(exact_RK: Tensor, x_RK: Tensor, hessian_KK: Tensor) -> Tensor:
    """What weights are multiplied by so that, with what their matrix reads now, they say most nearly what they said
    with the exact activations (GPTAQ, arXiv 2504.02692)."""
    missing_KK = ((exact_RK - x_RK).T @ x_RK).double()
    made_up_KK: Tensor = torch.cholesky_solve(missing_KK.T, torch.linalg.cholesky(_damped(hessian_KK, SPREAD))).T
    return made_up_KK + torch.eye(len(made_up_KK), dtype=made_up_KK.dtype)


def _inverse(hessian_KK: Tensor) -> Tensor:
    """The upper Cholesky factor of its inverse: that of the matrix turned round, inverted and turned back."""
    upper_KK = torch.linalg.cholesky(_damped(hessian_KK, DAMP).flip(0, 1)).flip(0, 1)
    one_KK = torch.eye(len(upper_KK), dtype=upper_KK.dtype)
    factor_KK: Tensor = torch.linalg.solve_triangular(upper_KK, one_KK, upper=True)
    return factor_KK


def _damped(hessian_KK: Tensor, share: float) -> Tensor:
    damped_KK = hessian_KK.clone()
    damped_KK.diagonal().add_(share * hessian_KK.diagonal().mean())
    return damped_KK


def _head(net: Backbone, exact_TLD: Tensor) -> dict[str, Tensor]:
    """The head's parts in the store, made for what the exact layers give it to read; as the embedding it follows."""
    for layer in net.layers:
        assert isinstance(layer, Layer)
        exact_TLD, _ = _run(layer, exact_TLD, net.config)
    return _matrix("embed", net.embed.weight, _inverse(_hessian(net.norm(exact_TLD).flatten(0, 1))))


def _matrix(name: str, weight: Tensor, inverse_KK: Tensor) -> dict[str, Tensor]:
    """The parts of one matrix in the store; the weight becomes what they stand for."""
    bits = 5 if name.endswith(FIVE_BITS) else 4
    codes, zero, step, scale = feed_back(weight, inverse_KK, bits)
    parts = packed.pack(codes, zero, step, bits)
    weight.data = packed.unpack(parts).float() * scale[:, None]
    return {name + kind: part for kind, part in {**parts, ".scale": scale}.items()}


def feed_back(weight_NK: Tensor, inverse_KK: Tensor, bits: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Codes [N, K], zeros and steps [N, G] and row scales [N]: column by column, what rounding changed is made up for
    by the columns that are still to come (GPTQ, arXiv 2210.17323, in column order)."""
    left_NK = weight_NK.double().clone()
    scale_N = (weight_NK.abs().amax(1).clamp_min(1e-8) / REACH).float()
    left_NK /= scale_N.double()[:, None]
    rows, columns = left_NK.shape
    codes_NK = torch.empty((rows, columns), dtype=torch.uint8)
    zeros, steps = [], []
    for start in range(0, columns, GROUP):
        block_NC, inverse_CC = (
            left_NK[:, start : start + GROUP],
            inverse_KK[start : start + GROUP, start : start + GROUP],
        )
        zero_N, step_N = _grid(block_NC, inverse_CC.diagonal(), bits)
        errors_NC = torch.empty_like(block_NC)
        for column in range(GROUP):
            now_N, own = block_NC[:, column], inverse_CC[column, column]
            code_N = (now_N / step_N + zero_N).round().clamp_(0, 2**bits - 1)
            codes_NK[:, start + column] = code_N.to(torch.uint8)
            errors_NC[:, column] = (now_N - (code_N - zero_N) * step_N) / own
            block_NC[:, column + 1 :] -= errors_NC[:, column, None] * inverse_CC[None, column, column + 1 :]
        left_NK[:, start + GROUP :] -= errors_NC @ inverse_KK[start : start + GROUP, start + GROUP :]
        zeros.append(zero_N.to(torch.uint8))
        steps.append(step_N.to(torch.uint8))
    return codes_NK, torch.stack(zeros, 1), torch.stack(steps, 1), scale_N


def _grid(block_NC: Tensor, inverse_C: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    """Zero and step [N] of a group, whole numbers whose codes stay within int8: the least weighted error of six."""
    top, weight_C = 2**bits - 1, inverse_C**-2
    low_N, high_N = block_NC.amin(1).clamp_max(0), block_NC.amax(1).clamp_min(0)
    best: list[Tensor] = []
    for clip in CLIPS:
        for move in (torch.floor, torch.ceil):
            step_N = move((high_N - low_N) * clip / top).clamp_min(1)
            zero_N = (-low_N * clip / step_N).round().clamp(0, top)
            step_N = torch.minimum(step_N, 127 // torch.maximum(zero_N, top - zero_N).clamp_min(1)).clamp_min(1)
            code_NC = (block_NC / step_N[:, None] + zero_N[:, None]).round().clamp(0, top)
            error_N = (((code_NC - zero_N[:, None]) * step_N[:, None] - block_NC) ** 2 * weight_C).sum(1)
            if not best:
                best = [error_N, zero_N, step_N]
                continue
            better_N = error_N < best[0]
            best = [torch.where(better_N, new, old) for new, old in zip((error_N, zero_N, step_N), best, strict=True)]
    return best[1], best[2]


SOURCE = "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32"
"""sha256 of qwen2.5-coder-0.5b-instruct-q4_k_m.gguf, which the embedded store is made from."""

LENGTH = 256
"""Tokens of a text to calibrate on."""


def convert(source: Model, calibration: str, folder: Path, tell: Callable[[int], object]) -> None:
    """Write the store of a causal model in float32: its ASCII tokens, calibrated on texts that form feeds part.

    ModelError for a model of another kind.
    """
    if source.framing is None or not source.is_causal or source.net.config.width % GROUP:
        raise ModelError(f"{source.checkpoint.name} is no left-to-right base that can be packed")
    kept = spells_ascii(source.tokenizer)
    engine = pruned(source.tokenizer.engine.to_str(), kept)
    tokenizer = replace(source.tokenizer, engine=Engine.from_str(engine))
    tokenizer.engine.encode_special_tokens = True
    texts = [text for number, part in enumerate(calibration.split("\f\n")) for text in _framed(part, number, tokenizer)]
    net = shrink(source.net, kept)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the order of sums is part of the answer
    try:
        tensors = quantize(net, texts, tell)
    finally:
        torch.set_num_threads(threads)
    folder.mkdir(parents=True, exist_ok=True)
    hashes = packed.save(tensors, folder)
    (folder / "tokenizer.json").write_text(engine, encoding="utf-8")
    card = {"network": net.config.to_json(), "shards": hashes, "source": source.digest}
    (folder / "config.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def _framed(text: str, number: int, tokenizer: Tokenizer) -> Iterator[list[int]]:
    """Pieces of equal length of a text, every second one as a hole with what is around it."""
    ids = tokenizer.encode(text.encode())
    marks = [tokenizer.specials[mark] for mark in ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")]
    for at in range(0, len(ids) - LENGTH + 1, LENGTH):
        piece = ids[at : at + LENGTH]
        if number % 2 == 0:
            yield piece
            continue
        before, hole, behind = piece[:100], piece[100:160], piece[160 : LENGTH - len(marks)]
        yield [marks[0], *before, marks[1], *behind, marks[2], *hole]
