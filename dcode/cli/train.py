"""`dcode train`: from packages on this machine to a model, in four commands that each read what the last one made.

Inside a checkout everything lies in `.work/` unless --out says otherwise; elsewhere --out is required.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from dcode.cli.options import Force, Quiet, Verbose, group
from dcode.cli.patience import patient
from dcode.cli.progress import progress
from dcode.cli.streams import say, say_table
from dcode.errors import InputError, UsageError
from dcode.resources import PACKAGE

RECORD = "config.json"
INSTALLED = {"site-packages", "dist-packages"}

Out = Annotated[Path | None, Option("--out", metavar="DIR", help="Where to write; in a checkout .work/.")]
OutFile = Annotated[Path | None, Option("--out", metavar="FILE", help="Where to write; in a checkout .work/.")]
Corpus = Annotated[Path | None, Argument(metavar="CORPUS", help="What dcode train corpus wrote.")]
RunFolder = Annotated[Path | None, Argument(metavar="RUN", help="What dcode train run wrote.")]
TokenizerFile = Annotated[Path | None, Option("--tokenizer", metavar="FILE", help="What train tokenizer wrote.")]
Root = Annotated[
    list[Path] | None, Option("--root", metavar="DIR", help="Packages to read, in place of installed ones.")
]
HeldOut = Annotated[list[str] | None, Option("--held-out", metavar="NAME", help="Package kept for measuring.")]
Library = Annotated[bool, Option("--library/--no-library", help="Read the standard library, too.")]
Fetch = Annotated[list[str] | None, Option("--fetch", metavar="NAME", help="Package to download first (network!).")]


def corpus(
    out: Out = None,
    root: Root = None,
    held_out: HeldOut = None,
    fetch: Fetch = None,
    library: Library = True,
    force: Force = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Gather Python source from installed packages."""
    from dcode.train.corpus import HELD, HELD_OUT, TRAIN, gather

    place = _fresh(_place(out, "corpus"), "files.jsonl", force=force)
    with progress(quiet=quiet) as show:
        manifest = gather(place, root, held_out or HELD_OUT, fetch or (), library=library, on_progress=show)
    rows = [(split, *_counted(manifest.total(split))) for split in (TRAIN, HELD)]
    say_table([("split", "packages", "files", "bytes", "pairs"), *rows])


def tokenizer(
    corpus: Corpus = None,
    out: OutFile = None,
    size: Annotated[int, Option(metavar="N", min=260, help="Entries at most.")] = 8192,
    force: Force = False,
    verbose: Verbose = False,
) -> None:
    """Learn a tokenizer from a corpus."""
    from dcode.train.data import Corpus as Texts
    from dcode.train.vocabulary import train_tokenizer

    place = _place(out, "corpus/tokenizer.json")
    _fresh(place.parent, place.name, force=force)
    texts = Texts.read(_made(corpus, "corpus"))
    learned = train_tokenizer(texts.files, size)
    place.parent.mkdir(parents=True, exist_ok=True)
    learned.save(str(place))
    say(f"{learned.get_vocab_size()} entries in {place}")


def run(
    corpus: Corpus = None,
    tokenizer: TokenizerFile = None,
    out: Out = None,
    preset: Annotated[str, Option(metavar="NAME", help="Size of the network: tiny, nano or mini.")] = "nano",
    tokens: Annotated[int, Option(metavar="N", min=1, help="End after so many tokens.")] = 20_000_000,
    minutes: Annotated[float, Option(metavar="M", min=0, help="End after so many minutes.")] = float("inf"),
    batch_tokens: Annotated[int, Option(metavar="N", min=64, help="Tokens in an update.")] = 8192,
    start_from: Annotated[Path | None, Option(metavar="DIR", help="A model to begin with.")] = None,
    seed: Annotated[int, Option(metavar="N", min=0, help="Seed of all randomness.")] = 0,
    threads: Annotated[int, Option(metavar="N", min=1, help="CPU threads.")] = 2,
    compile: Annotated[bool, Option("--compile/--no-compile", help="Let torch compile the network.")] = True,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Train, or go on with a run that was interrupted."""
    from dcode.train.config import TrainConfig
    from dcode.train.loop import Report, train

    config = TrainConfig(
        out=_place(out, "run"),
        corpus=_made(corpus, "corpus"),
        tokenizer=_made(tokenizer, "corpus/tokenizer.json"),
        preset=preset,
        tokens=tokens,
        minutes=minutes,
        batch_tokens=batch_tokens,
        start_from=start_from,
        seed=seed,
        threads=threads,
        compile=compile,
    )
    config.out.mkdir(parents=True, exist_ok=True)
    (config.out / RECORD).write_text(json.dumps(config.to_json(), indent=2) + "\n", encoding="utf-8")
    last: Report | None = None
    reports: Any = train(config)  # a generator, which saves the run when it is closed
    with progress(quiet=quiet) as show, patient() as stopped, closing(reports):
        for last in reports:
            show(_line(last))
            if stopped():
                break
    if last is not None:
        say(_line(last))


def export(run: RunFolder = None, out: Out = None, force: Force = False, verbose: Verbose = False) -> None:
    """Turn a run's state into a model folder for --model."""
    from dcode.train.export import export as write

    place = _fresh(_place(out, "model"), "config.json", force=force)
    card = write(_recorded(_made(run, "run")), place)
    say(f"{place}  sha256 {card['sha256']}")


def _place(out: Path | None, name: str) -> Path:
    """Where to write: as asked, else in the checkout's .work; UsageError where packages are installed."""
    place = out if out is not None else _work(name)
    if INSTALLED & {*place.resolve().parts}:
        raise UsageError(f"{place} is inside installed packages", hint="choose a folder of your own")
    return place


def _made(given: Path | None, name: str) -> Path:
    """What an earlier command made: as named, else where it puts it in a checkout."""
    place = given if given is not None else _work(name)
    if not place.exists():
        raise InputError(f"there is no {place}", hint=f"dcode train {Path(name).stem} makes it")
    return place


def _work(name: str) -> Path:
    checkout = PACKAGE.parent
    if not ((checkout / "pyproject.toml").is_file() and (checkout / ".git").exists()):
        raise UsageError("this is no checkout of dcode, so every place must be named", hint="--out DIR")
    return checkout / ".work" / name


def _fresh(folder: Path, name: str, *, force: bool) -> Path:
    """The folder, if it has no file of this name yet or may lose it."""
    if (folder / name).exists() and not force:
        raise InputError(f"{folder / name} exists", hint="--force overwrites it")
    return folder


def _recorded(run: Path) -> Any:
    """The configuration of a run as it was recorded when it began."""
    from dcode.train.config import Stage, TrainConfig

    try:
        values = json.loads((run / RECORD).read_text(encoding="utf-8"))
        paths = {"corpus", "tokenizer", "out"} | ({"start_from"} if values.get("start_from") else set())
        values |= {name: Path(values[name]) for name in paths} | {"out": run}
        values["stages"] = tuple(Stage(**stage) for stage in values["stages"])
        known = {field.name for field in fields(TrainConfig)}
        return TrainConfig(**{name: value for name, value in values.items() if name in known and value is not None})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{run / RECORD} does not describe a run: {error}") from None


def _counted(total: dict[str, int]) -> Iterator[str]:
    return (str(total[name]) for name in ("packages", "files", "bytes", "pairs"))


def _line(report: Any) -> str:
    held = "".join(f"  {name} {nats:.3f}" for name, nats in (report.held or {}).items())
    hours, minutes = divmod(round(report.seconds_left / 60), 60)
    return (
        f"step {report.step}  {report.share:.1%}  {report.tokens / 1e6:.2f} M tokens  loss {report.loss:.3f}  "
        f"{report.tokens_per_s:,.0f} tokens/s  {hours}:{minutes:02} left{held}"
    )


app = group(corpus, tokenizer, run, export, help="Make the embedded model again.")
