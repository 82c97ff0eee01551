"""The training loop: read top to bottom. It yields a Report now and then; whoever runs it shows a bar or a log."""

import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

import torch
from torch.optim import Optimizer

from dcode.errors import InputError, ModelError, UsageError
from dcode.model.backbone import Backbone, initialise
from dcode.model.load import pick_device, quickest_precision
from dcode.model.tokenizer import Tokenizer
from dcode.model.weights import digest, fill, unpack
from dcode.train import data, state
from dcode.train.config import Stage, TrainConfig, network, rate_at, stage_at
from dcode.train.cut import Cutter
from dcode.train.feed import feed
from dcode.train.objective import Noised, loss, misread, next_tokens, noised, wanted
from dcode.train.optim import clip, optimizers, set_rates

HELD_RATES = (0.15, 0.5, 0.9)

MISREAD_FROM = 0.2
"""From this share of a run on the network's own mistakes are worth showing."""

REPORT_S = 10.0
"""A report comes at least so often, steps permitting: it moves the bar, and Ctrl-C is looked at with it."""


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


@dataclass(frozen=True)
class Run:
    """What a run works with from its first step to its last; `vocabulary` is the sha256 of the tokenizer's file."""

    config: TrainConfig
    net: Backbone
    device: torch.device
    built: tuple[Optimizer, ...]
    corpus: data.Corpus
    held: data.Corpus
    cutter: Cutter
    vocabulary: str


def train(config: TrainConfig, *, every: int = 10, held_every: int = 250) -> Iterator[Report]:
    """Train until the configuration's tokens or minutes are used, resuming from the last state in `config.out`.

    Closing the iterator saves the state first. Raises InputError for missing data or a full disk, ModelError for a
    damaged state, weights that do not fit, or a loss that is no number.
    """
    config.out.mkdir(parents=True, exist_ok=True)
    with state.alone(config.out):
        yield from _train(config, every, held_every)


def _train(config: TrainConfig, every: int, held_every: int) -> Iterator[Report]:
    run = prepare(config)
    progress = resume(run)
    state.record(config.out, config.to_json())  # not before the state is known to be of this network
    clock = _Clock(progress)
    made = feed(run.corpus, run.cutter, config, progress.step, lambda: done(progress, config))
    try:
        while (share := done(progress, config)) < 1:
            value, tokens = step(run, next(made), progress.step, share)
            progress = clock.after(progress, value, tokens)
            over = done(progress, config) >= 1
            scored = held_out(run) if progress.step % held_every == 0 or over else None
            if over or clock.since_save_s() > config.save_every_s:
                save(run, progress)
                clock.saved()
            if scored or progress.step % every == 0 or clock.since_report_s() > REPORT_S:
                yield clock.report(run, progress, scored)
    except GeneratorExit:
        save(run, progress)
        raise


def prepare(config: TrainConfig) -> Run:
    """Read the data and build the network and its optimizers."""
    torch.manual_seed(config.seed)
    torch.set_num_threads(config.threads)
    tokenizer = Tokenizer.read(config.tokenizer)
    device = pick_device(config.device)
    net = start(config, len(tokenizer.pieces)).to(device)
    if config.compile:
        # One compiled layer serves all; a network compiled whole is compiled as often as it has layers.
        for layer in net.layers:
            layer.compile(dynamic=False)
    return Run(
        config=config,
        net=net,
        device=device,
        built=optimizers(net, config),
        corpus=data.Corpus.read(config.corpus),
        held=data.Corpus.read(config.corpus, "held"),
        cutter=Cutter(tokenizer, config.void_anywhere, config.schedule),
        vocabulary=digest(config.tokenizer),
    )


def start(config: TrainConfig, vocab: int) -> Backbone:
    """A fresh network, or one with the weights of `config.start_from`; what is frozen has no gradient."""
    if config.causal and (config.corrupt_rows or config.misread_rows):
        raise UsageError("a causal network is shown no wrong tokens", hint="--corrupt 0 --misread 0")
    net = Backbone(network(config.preset, vocab, config.window, causal=config.causal))
    initialise(net, torch.Generator().manual_seed(config.seed))
    if config.start_from is not None:
        weights = config.start_from / "model.safetensors"
        if not weights.is_file():
            raise InputError(f"{weights} is missing")
        # What weights of an older shape lack of neighbours changes nothing as long as it is zero.
        state = {name: weight for name, weight in net.state_dict().items() if name.endswith(".taps")}
        state |= unpack(weights.read_bytes())
        fill(net, {name: weight.requires_grad_() for name, weight in state.items()})
    if not 0 <= config.frozen < len(net.layers):
        raise UsageError(f"{config.frozen} layers to freeze, of {len(net.layers)}", hint="leave one to train, or none")
    if config.frozen:
        for part in (net.embed, *net.layers[: config.frozen]):
            part.requires_grad_(False)
    return net


def step(run: Run, made: Noised, number: int, share: float) -> tuple[float, int]:
    """One update with what `feed` made; returns the loss in nats and how many tokens it saw."""
    config = run.config
    set_rates(run.built, rate_at(share, config))
    asked, doubted = made.to(run.device), round(config.misread_rows * len(made.ids_BL))
    if doubted and share > MISREAD_FROM:
        chance = torch.Generator(run.device).manual_seed(config.seed * 1_000_003 + number)
        with _autocast(run):  # of its own: what it narrows without a gradient must not serve the update
            asked = misread(asked, run.net, doubted, run.cutter.tokenizer.mask_id, chance)
    with _autocast(run):
        hidden_ND, answer_N = wanted(run.net.aligned(asked.ids_BL, asked.segment_BL), asked)
        value = loss(run.net.logits(hidden_ND), answer_N)
    value.backward()  # type: ignore[no-untyped-call]
    clip(run.net)
    for optimizer in run.built:
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    if not math.isfinite(float(value.detach())):
        raise ModelError(f"the loss is {float(value.detach())} at step {number}", hint="lower the learning rates")
    return float(value.detach()), asked.ids_BL.numel()


def _autocast(run: Run) -> torch.autocast:
    # A CPU that only emulates bfloat16 takes some fifty times as long in it.
    quick = run.device.type != "cpu" or quickest_precision() == "bfloat16"
    return torch.autocast(run.device.type, dtype=torch.bfloat16, enabled=run.config.precision == "bf16" and quick)


@torch.no_grad()
def held_out(run: Run, rows: int = 48, length: int = 256) -> dict[str, float]:
    """Nats per token on held-out packages: plain text at three mask rates, holes, requests; always the same rows.

    A causal network masks nothing: "next" stands for the three rates.
    """
    batch = data.batch(run.held, run.cutter, Stage(1, length, plain=1, holes=0, requests=0), rows, "held")
    rates = {} if run.config.causal else {f"{rate:g}": torch.full_like(batch.rate_BL, rate) for rate in HELD_RATES}
    scores = {name: _score(run, replace(batch, rate_BL=rate_BL)) for name, rate_BL in rates.items()}
    if run.config.causal:
        scores["next"] = _score(run, batch)
    for name, stage in (("holes", Stage(1, length, 0, 1, 0)), ("requests", Stage(1, length, 0, 0, 1))):
        scores[name] = _score(run, data.batch(run.held, run.cutter, stage, rows, "held"))
    return scores


def _score(run: Run, batch: data.Batch) -> float:
    mask_id, chance = run.cutter.tokenizer.mask_id, torch.Generator().manual_seed(1)
    asked = (next_tokens(batch) if run.config.causal else noised(batch, mask_id, chance)).to(run.device)
    # Compiled for these few rows, the layers would take longer than they save.
    with _autocast(run), torch.compiler.set_stance("force_eager"):
        hidden_ND, answer_N = wanted(run.net.aligned(asked.ids_BL, asked.segment_BL), asked)
        return float(loss(run.net.logits(hidden_ND), answer_N))


def resume(run: Run) -> state.Progress:
    """Continue from the last state in the run's folder, if there is one; ModelError if it is of something else."""
    found = state.restore(run.config.out)
    if found is None:
        return state.Progress()
    progress, parts = found
    if parts.get("vocabulary") != run.vocabulary:
        raise ModelError(f"the state in {run.config.out} was trained with another tokenizer")
    try:
        run.net.load_state_dict(parts["net"])
        for optimizer, kept in zip(run.built, parts["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
    except (RuntimeError, ValueError, KeyError) as error:
        what = str(error).splitlines()[0]
        raise ModelError(f"the state in {run.config.out} is of another network: {what}") from None
    return progress


def save(run: Run, progress: state.Progress) -> None:
    """Keep everything that the next step depends on."""
    optimizers = [optimizer.state_dict() for optimizer in run.built]
    parts = {"net": run.net.state_dict(), "optimizers": optimizers, "vocabulary": run.vocabulary}
    state.save(run.config.out, progress, parts)


def done(progress: state.Progress, config: TrainConfig) -> float:
    """The share of the run behind us, by tokens or by time, whichever is further."""
    return max(progress.tokens / config.tokens, progress.seconds / 60 / config.minutes)


class _Clock:
    """Times a run: seconds across resumes, tokens a second since the last report, a smoothed loss."""

    def __init__(self, progress: state.Progress) -> None:
        self._before, self._begun = progress.seconds, time.monotonic()
        self._recent, self._saved, self._loss = (progress.tokens, self._begun), self._begun, math.nan

    def after(self, progress: state.Progress, value: float, tokens: int) -> state.Progress:
        self._loss = value if math.isnan(self._loss) else 0.95 * self._loss + 0.05 * value
        seconds = self._before + time.monotonic() - self._begun
        return state.Progress(progress.step + 1, progress.tokens + tokens, seconds)

    def since_report_s(self) -> float:
        return time.monotonic() - self._recent[1]

    def since_save_s(self) -> float:
        return time.monotonic() - self._saved

    def saved(self) -> None:
        self._saved = time.monotonic()

    def report(self, run: Run, progress: state.Progress, held: dict[str, float] | None) -> Report:
        """What to show; the same goes into the log."""
        now, config, share = time.monotonic(), run.config, done(progress, run.config)
        speed = (progress.tokens - self._recent[0]) / max(now - self._recent[1], 1e-9)
        self._recent = (progress.tokens, now)
        left = min((config.tokens - progress.tokens) / max(speed, 1e-9), config.minutes * 60 - progress.seconds)
        report = Report(progress.step, progress.tokens, min(share, 1.0), self._loss, speed, max(left, 0.0), held)
        known = {**asdict(report), "rate": rate_at(share, config), "length": stage_at(share, config).length}
        state.note(config.out, known)
        return report
