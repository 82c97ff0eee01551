"""The training loop: read top to bottom. It yields a Report now and then; whoever runs it shows a bar or a log."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from torch.optim import Optimizer

from dcode.errors import InputError, ModelError
from dcode.model.backbone import Backbone, initialise
from dcode.model.tokenizer import Tokenizer
from dcode.model.weights import fill, unpack
from dcode.train import data, state
from dcode.train.config import Stage, TrainConfig, network, rate_at, stage_at
from dcode.train.objective import loss, noised, wanted
from dcode.train.optim import clip, optimizers, set_rates

HELD_RATES = (0.15, 0.5, 0.9)


@dataclass(frozen=True, slots=True)
class Report:
    """Where the run is: nats on training rows (smoothed), tokens a second, seconds left; held-out nats at times."""

    step: int
    tokens: int
    share: float
    loss: float
    tokens_per_s: float
    seconds_left: float
    held: dict[str, float] | None = None


def train(config: TrainConfig, *, every: int = 10, held_every: int = 250) -> Iterator[Report]:
    """Train until the configuration's tokens or minutes are used, resuming from the last state in `config.out`.

    Raises InputError for missing data or a full disk, ModelError for a damaged state or weights that do not fit.
    """
    torch.manual_seed(config.seed)
    torch.set_num_threads(config.threads)
    config.out.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer.read(config.tokenizer)
    corpus, held = data.Corpus.read(config.corpus), data.Corpus.read(config.corpus, "held")
    cutter = data.Cutter(tokenizer, config.void_anywhere)
    net = start(config, len(tokenizer.pieces))
    built = optimizers(net, config)
    progress = resume(config.out, net, built)
    hidden = torch.compile(net.hidden, dynamic=False) if config.compile else net.hidden
    smooth, saved, begun = math.nan, time.monotonic(), time.monotonic()
    before, recent = progress.seconds, (progress.tokens, time.monotonic())
    while (share := done(progress, config)) < 1:
        set_rates(built, rate_at(share, config))
        stage = stage_at(share, config)
        rows = max(1, config.batch_tokens // stage.length)
        batch = data.batch(corpus, cutter, stage, rows, f"{config.seed}:{progress.step}")
        value = step(net, hidden, built, batch, tokenizer.mask_id, config, progress.step)
        if not math.isfinite(value):
            raise ModelError(f"the loss is {value} at step {progress.step}", hint="lower the learning rates")
        smooth = value if math.isnan(smooth) else 0.95 * smooth + 0.05 * value
        now = time.monotonic()
        seconds = before + now - begun
        progress = state.Progress(progress.step + 1, progress.tokens + batch.ids_BL.numel(), seconds)
        over = done(progress, config) >= 1
        scored = held_out(net, held, cutter, config) if progress.step % held_every == 0 or over else None
        if progress.step % every == 0 or scored:
            speed = (progress.tokens - recent[0]) / max(now - recent[1], 1e-9)
            recent = (progress.tokens, now)
            report = _report(progress, config, smooth, speed, scored)
            state.note(config.out, {**_plain(report), "rate": rate_at(share, config), "length": stage.length})
            yield report
        if over or now - saved > config.save_every_s:
            save(config.out, progress, net, built)
            saved = time.monotonic()


def start(config: TrainConfig, vocab: int) -> Backbone:
    """A fresh network, or one with the weights of `config.start_from`."""
    net = Backbone(network(config.preset, vocab, config.window))
    initialise(net, torch.Generator().manual_seed(config.seed))
    if config.start_from is not None:
        weights = config.start_from / "model.safetensors"
        if not weights.is_file():
            raise InputError(f"{weights} is missing")
        fill(net, {name: weight.requires_grad_() for name, weight in unpack(weights.read_bytes()).items()})
    return net


def step(
    net: Backbone,
    hidden: Callable[[Tensor, Tensor], Tensor],
    built: tuple[Optimizer, ...],
    batch: data.Batch,
    mask_id: int,
    config: TrainConfig,
    number: int,
) -> float:
    """One update; returns the loss in nats."""
    generator = torch.Generator().manual_seed(config.seed * 1_000_003 + number)
    asked = noised(
        batch, mask_id, generator, corrupt_rows=config.corrupt_rows, corrupt_rate=config.corrupt_rate
    )
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=config.precision == "bf16"):
        hidden_BLD = hidden(asked.ids_BL, batch.segment_BL)
        hidden_ND, answer_N = wanted(hidden_BLD, asked)
        value = loss(net.logits(hidden_ND), answer_N)
    value.backward()  # type: ignore[no-untyped-call]
    clip(net)
    for optimizer in built:
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return float(value.detach())


@torch.no_grad()
def held_out(
    net: Backbone, held: data.Corpus, cutter: data.Cutter, config: TrainConfig, rows: int = 48
) -> dict[str, float]:
    """Nats per masked token on held-out packages at three mask rates, and on held-out holes; fixed seed."""
    scores = {}
    mask_id = cutter.tokenizer.mask_id
    for rate in HELD_RATES:
        batch = data.batch(held, cutter, Stage(1, 256, 1, 0, 0), rows, "held")
        batch = replace(batch, rate_BL=torch.full_like(batch.rate_BL, rate))
        scores[f"{rate:g}"] = _score(net, batch, mask_id, config)
    batch = data.batch(held, cutter, Stage(1, 256, 0, 1, 0), rows, "held")
    scores["holes"] = _score(net, batch, mask_id, config)
    batch = data.batch(held, cutter, Stage(1, 256, 0, 0, 1), rows, "held")
    scores["requests"] = _score(net, batch, mask_id, config)
    return scores


def _score(net: Backbone, batch: data.Batch, mask_id: int, config: TrainConfig) -> float:
    asked = noised(batch, mask_id, torch.Generator().manual_seed(1))
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=config.precision == "bf16"):
        hidden_ND, answer_N = wanted(net.hidden(asked.ids_BL, batch.segment_BL), asked)
        return float(loss(net.logits(hidden_ND), answer_N))


def resume(folder: Path, net: Backbone, built: tuple[Optimizer, ...]) -> state.Progress:
    """Continue from the last state in the folder, if there is one."""
    found = state.restore(folder)
    if found is None:
        return state.Progress()
    progress, parts = found
    try:
        net.load_state_dict(parts["net"])
        for optimizer, kept in zip(built, parts["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
    except (RuntimeError, ValueError, KeyError) as error:
        raise ModelError(f"the state in {folder} is of another network: {str(error).splitlines()[0]}") from None
    return progress


def save(folder: Path, progress: state.Progress, net: Backbone, built: tuple[Optimizer, ...]) -> None:
    """Keep everything that the next step depends on."""
    parts = {"net": net.state_dict(), "optimizers": [optimizer.state_dict() for optimizer in built]}
    state.save(folder, progress, parts)


def done(progress: state.Progress, config: TrainConfig) -> float:
    """The share of the run behind us, by tokens or by time, whichever is further."""
    return max(progress.tokens / config.tokens, progress.seconds / 60 / config.minutes)


def _report(
    progress: state.Progress, config: TrainConfig, smooth: float, speed: float, held: dict[str, float] | None
) -> Report:
    share = min(done(progress, config), 1.0)
    left = min((config.tokens - progress.tokens) / max(speed, 1e-9), config.minutes * 60 - progress.seconds)
    return Report(progress.step, progress.tokens, share, smooth, speed, max(left, 0.0), held)


def _plain(report: Report) -> dict[str, object]:
    return {name: getattr(report, name) for name in ("step", "tokens", "share", "loss", "tokens_per_s", "held")}
