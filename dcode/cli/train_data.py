"""`dcode train corpus|lessons|tokenizer`: what a model learns from, each written once."""

from collections.abc import Iterator, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from dcode.cli.options import Force, Quiet, Verbose
from dcode.cli.progress import progress
from dcode.cli.streams import complain, say, say_table
from dcode.cli.train_places import fresh, made, place
from dcode.errors import InputError

Out = Annotated[Path | None, Option("--out", metavar="DIR", help="Where to write; in a checkout .work/.")]
OutFile = Annotated[Path | None, Option("--out", metavar="FILE", help="Where to write; in a checkout .work/.")]
Corpus = Annotated[Path | None, Argument(metavar="CORPUS", help="What dcode train corpus wrote.")]
Root = Annotated[
    list[Path] | None, Option("--root", metavar="DIR", help="Packages to read, in place of installed ones.")
]
HeldOut = Annotated[list[str] | None, Option("--held-out", metavar="NAME", help="Package kept for measuring.")]
Seed = Annotated[int, Option(metavar="N", min=0, help="Seed of all randomness.")]
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

    folder = fresh(place(out, "corpus"), "files.jsonl", force=force)
    with progress(quiet=quiet) as show:
        manifest = gather(folder, root, held_out or HELD_OUT, fetch or (), library=library, on_progress=show)
    rows = [(split, *_counted(manifest.total(split))) for split in (TRAIN, HELD)]
    say_table([("split", "packages", "files", "bytes", "pairs"), *rows])


def lessons(
    out: Out = None,
    rows: Annotated[int, Option("--rows", metavar="N", min=1, help="Rows that teach a family, at most.")] = 500,
    check: Annotated[bool, Option("--check", help="Execute every family first; write nothing if one fails.")] = False,
    workers: Annotated[int, Option("--workers", metavar="N", min=1, help="Programs that run side by side.")] = 1,
    seed: Seed = 0,
    force: Force = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Write the lessons into a corpus.

    Prints how broad they are. What is held out, or too like the benchmarks, does not teach.
    """
    from dcode.lessons.breadth import breadth
    from dcode.lessons.compose import every_family
    from dcode.lessons.stream import write

    folder = fresh(place(out, "corpus"), "lessons.jsonl", force=force)
    families = every_family()
    if check:
        _examine(families, workers, quiet)
    table = breadth(families)
    head = ("domain", "families", "held out", "phrasings", "expansions", "idioms")
    say_table([head, *(tuple(map(str, astuple(row))) for row in table)])
    counts = write(folder, rows, seed, families)
    written = (*counts.rows.items(), *((f"changes: {kind}", number) for kind, number in counts.changes.items()))
    dropped = ((f"dropped: {reason}", number) for reason, number in counts.dropped.items())
    say_table([("rows", ""), *((name, str(number)) for name, number in (*written, *dropped))])


def _examine(families: Sequence[Any], workers: int, quiet: bool) -> None:
    """Execute every family, and every change of its programs, against its test; InputError if one fails."""
    from dcode.lessons.check import check
    from dcode.lessons.check_edits import check_edits

    with progress(quiet=quiet) as show:
        report = check(families, draws=1, workers=workers, progress=lambda a, b: show(f"{a}/{b} families"))
        edited = check_edits(families, workers=workers, progress=lambda a, b: show(f"changes of {a}/{b} families"))
    failures = (*report.failures, *edited)
    for failure in failures:
        complain(f"{failure.domain} [{failure.family}] {failure.what}\n{failure.detail}")
    if report.skipped:
        complain(f"{len(report.skipped)} families need modules that are not installed and were not executed")
    if failures:
        raise InputError(f"{len(failures)} lessons fail, the first in [{failures[0].family}]")


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

    path = place(out, "corpus/tokenizer.json")
    fresh(path.parent, path.name, force=force)
    texts = Texts.read(made(corpus, "corpus"))
    learned = train_tokenizer(texts.files, size)
    path.parent.mkdir(parents=True, exist_ok=True)
    learned.save(str(path))
    say(f"{learned.get_vocab_size()} entries in {path}")


def _counted(total: dict[str, int]) -> Iterator[str]:
    return (str(total[name]) for name in ("packages", "files", "bytes", "pairs"))
