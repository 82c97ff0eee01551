"""`dcode train`: from packages on this machine to a model, in commands that each read what the last one made.

Inside a checkout everything lies in `.work/` unless --out says otherwise; elsewhere --out is required.
"""

import json
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from dcode.cli.options import Force, Quiet, Verbose, group
from dcode.cli.patience import patient
from dcode.cli.progress import progress
from dcode.cli.streams import complain, say
from dcode.cli.train_data import Corpus, Out, OutFile, corpus, lessons, tokenizer
from dcode.cli.train_places import fresh, made, place
from dcode.errors import InputError, ModelError, UsageError
from dcode.repo.atomic import create

WEIGHTS, VOCABULARY = "model.safetensors", "tokenizer.json"

RunFolder = Annotated[Path | None, Argument(metavar="RUN", help="What dcode train run wrote.")]
TokenizerFile = Annotated[Path | None, Option("--tokenizer", metavar="FILE", help="What train tokenizer wrote.")]
Recipe = Annotated[Path | None, Option("--recipe", metavar="FILE", help="Settings of a model's training.json.")]
Preset = Annotated[str | None, Option(metavar="NAME", help="Size of the network: tiny, pico, nano (usual) or mini.")]
Tokens = Annotated[int | None, Option(metavar="N", min=1, help="End after so many tokens (20 million).")]
Minutes = Annotated[float | None, Option(metavar="M", min=0, help="End after so many minutes.")]
BatchTokens = Annotated[int | None, Option(metavar="N", min=64, help="Tokens in an update (8192).")]
Corrupt = Annotated[
    float | None, Option(metavar="SHARE", min=0, max=1, help="Rows in which some visible tokens are wrong (0).")
]
Misread = Annotated[
    float | None, Option(metavar="SHARE", min=0, max=1, help="Rows that show the network's own mistakes (0).")
]
Device = Annotated[str | None, Option(metavar="NAME", help="cpu (usual), cuda, or auto.")]
Workers = Annotated[int | None, Option(metavar="N", min=0, help="Processes that make rows ahead of the network (0).")]
StartFrom = Annotated[Path | None, Option(metavar="DIR", help="A model whose weights to begin with.")]
Frozen = Annotated[
    int | None, Option(metavar="N", min=0, help="Leave the embeddings and the first N layers alone (0).")
]
Seed = Annotated[int | None, Option(metavar="N", min=0, help="Seed of all randomness (0).")]
Threads = Annotated[int | None, Option(metavar="N", min=1, help="CPU threads (2).")]
Causal = Annotated[
    bool | None, Option("--causal/--masked", help="Learn the next token instead: a peer to compare with (masked).")
]
Compile = Annotated[bool | None, Option("--compile/--no-compile", help="Let torch compile the network (yes).")]

MeanWith = Annotated[
    Path | None, Option("--mean-with", metavar="DIR", help="Write the mean of the run's weights and this model's.")
]
Share = Annotated[float | None, Option(metavar="SHARE", min=0, max=1, help="The run's share of that mean (0.5).")]


def run(
    corpus: Corpus = None,
    tokenizer: TokenizerFile = None,
    out: Out = None,
    recipe: Recipe = None,
    preset: Preset = None,
    tokens: Tokens = None,
    minutes: Minutes = None,
    batch_tokens: BatchTokens = None,
    corrupt: Corrupt = None,
    misread: Misread = None,
    start_from: StartFrom = None,
    frozen: Frozen = None,
    causal: Causal = None,
    seed: Seed = None,
    threads: Threads = None,
    device: Device = None,
    workers: Workers = None,
    compile: Compile = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Train, or go on with a run that was interrupted.

    What is not set is as in --recipe, else as the run was begun, else as usual. Ctrl-C saves the run; the same command
    goes on.
    """
    from dcode.train.loop import Report, train
    from dcode.train.state import RECORD, STATE

    folder = place(out, "run")
    config = _configured(
        recipe or (folder / RECORD if (folder / STATE).is_file() else None),
        out=folder,
        corpus=made(corpus, "corpus"),
        tokenizer=made(tokenizer, "corpus/tokenizer.json"),
        preset=preset,
        tokens=tokens,
        minutes=minutes,
        batch_tokens=batch_tokens,
        corrupt_rows=corrupt,
        misread_rows=misread,
        start_from=start_from,
        frozen=frozen,
        causal=causal,
        seed=seed,
        threads=threads,
        device=device,
        workers=workers,
        compile=compile,
    )
    begun = _beginning(config)
    if begun and not quiet:
        complain(begun)
    last: Report | None = None
    reports: Any = train(config)  # a generator, which saves the run when it is closed
    with progress(quiet=quiet) as show, patient() as stopped, closing(reports):
        for last in reports:
            show(_line(last))
            if stopped():
                break
    if last is not None:
        say(_line(last))


def export(
    run: RunFolder = None,
    out: Out = None,
    mean_with: MeanWith = None,
    share: Share = None,
    force: Force = False,
    verbose: Verbose = False,
) -> None:
    """Turn a run's state into a model folder for --model."""
    from dcode.train.export import Mean
    from dcode.train.export import export as write
    from dcode.train.state import RECORD

    if share is not None and mean_with is None:
        raise UsageError("--share is of a mean", hint="give --mean-with DIR, too")
    mean = Mean(mean_with, 0.5 if share is None else share) if mean_with else None
    folder = fresh(place(out, "model"), "config.json", force=force)
    began = made(run, "run")
    card = write(_configured(began / RECORD, out=began), folder, mean)
    say(f"{folder}  sha256 {card['sha256']}")


def plot(run: RunFolder = None, out: OutFile = None, force: Force = False, verbose: Verbose = False) -> None:
    """Draw the losses of a run as a picture.

    Needs matplotlib: pip install 'dcode-diffusion[train]'.
    """
    from dcode.train.plot import plot as draw

    path = place(out, "model/loss.png")
    fresh(path.parent, path.name, force=force)
    path.parent.mkdir(parents=True, exist_ok=True)
    create(path, draw(made(run, "run")), force=True)
    say(str(path))


def _configured(recorded: Path | None, **given: Any) -> Any:
    """The configuration that a file of settings tells, but for what was given; InputError if it tells none."""
    from dcode.train.config import TrainConfig

    try:
        values = json.loads(recorded.read_text(encoding="utf-8")) if recorded else {}
        return TrainConfig.of({**values, **{name: value for name, value in given.items() if value is not None}})
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = "dcode train run and export write such a file"
        raise InputError(f"{recorded} does not describe a run: {error}", hint=hint) from None


def _beginning(config: Any) -> str:
    """What a run begins with, if not with nothing; ModelError for weights that would not fit its tokenizer."""
    from dcode.model.weights import digest
    from dcode.train.state import STATE

    if (config.out / STATE).is_file():
        return f"going on with the run in {config.out}"
    if config.start_from is None:
        return ""
    for name in (WEIGHTS, VOCABULARY):
        if not (config.start_from / name).is_file():
            raise InputError(f"{config.start_from} has no {name}", hint="give what dcode train export wrote")
    if digest(config.start_from / VOCABULARY) != digest(config.tokenizer):
        raise ModelError(f"{config.start_from} was trained with another tokenizer than {config.tokenizer}")
    return f"beginning with the weights in {config.start_from}; the optimizer starts anew"


def _line(report: Any) -> str:
    held = "".join(f"  {name} {nats:.3f}" for name, nats in (report.held or {}).items())
    hours, minutes = divmod(round(report.seconds_left / 60), 60)
    return (
        f"step {report.step}  {report.share:.1%}  {report.tokens / 1e6:.2f} M tokens  loss {report.loss:.3f}  "
        f"{report.tokens_per_s:,.0f} tokens/s  {hours}:{minutes:02} left{held}"
    )


app = group(corpus, tokenizer, lessons, run, plot, export, help="Make the embedded model again.")
