"""`dcode bench`: how well damage is found and mended, on functions of Python's standard library, broken on purpose;
and how fast slots are filled.

Everything is drawn by a seed; the benches of damage need no weights, unless a model is to do the ranking.
"""

import json as jsons
from collections.abc import Sequence
from dataclasses import dataclass
from os import getloadavg
from pathlib import Path
from typing import Annotated, Any

import platformdirs
from typer import Option

from dcode.cli.options import General, Sampling, Threads, group
from dcode.cli.options import Model as ModelName
from dcode.cli.options import Seed as SeedOption
from dcode.cli.progress import progress
from dcode.cli.streams import say, say_table
from dcode.cli.versions import own_version
from dcode.cli.work import Request, get_ready, request

COUNTED_BYTES = 12_000_000
"""How much text of the library n-grams are counted in."""

SPARE = 6
"""How many functions are looked at for one that fits, where not all do."""

Rows = Annotated[int | None, Option("--rows", metavar="N", min=1, help="How many functions.")]
Processes = Annotated[int, Option("--processes", metavar="N", min=1, help="Work in so many processes.")]
Figures = Annotated[bool, Option("--json", help="Print the figures as JSON.")]


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is drawn and how it is worked through. None: not given."""

    rows: Rows = None
    seed: SeedOption = None
    processes: Processes = 1
    json: Figures = False


def faultloc(drawn: Drawn, general: General, model: ModelName = None) -> None:
    """Find one wrong lexeme: certified by repair, by ERROR nodes, by compile.

    An n-gram of other files ranks the places, or the model that --model names. Rates come with their 95 %
    interval.
    """
    from functools import partial

    from dcode.bench import faultloc as bench
    from dcode.bench.library import functions
    from dcode.bench.modelrank import ModelRanker
    from dcode.bench.rank import NGramRanker, Ranker

    asked = request(general, Sampling(model=model, seed=drawn.seed), json=drawn.json)
    lexicon, files = _library(asked)
    seed = asked.settings.seed
    ranker: Ranker = NGramRanker(lexicon) if model is None else ModelRanker(get_ready(asked.settings).model)
    items = list(enumerate(functions(lexicon.grammar, files, drawn.rows or 1000, seed)))
    rows = _worked(asked, drawn, items, partial(bench.FaultLoc, lexicon, ranker, seed))
    _print("faultloc", asked, bench, rows, ranker="n-gram" if model is None else model)


def repairloop(drawn: Drawn, general: General) -> None:
    """Mend broken functions by the sampling loop.

    A scripted denoiser stands in for a model: 1, 4 or 8 wrong lexemes, and right answers with a probability of
    0.95 or 0.8. Nothing falls back on a witness.
    """
    from functools import partial

    from dcode.bench import repairloop as bench
    from dcode.bench.library import functions

    asked = request(general, Sampling(seed=drawn.seed), json=drawn.json)
    lexicon, files = _library(asked, words=bench.WORDS)
    seed, count = asked.settings.seed, drawn.rows or 300
    drawn_from = functions(lexicon.grammar, files, SPARE * count, seed)
    items = [task for wrong in bench.WRONG for task in bench.tasks(lexicon, drawn_from, wrong, count, seed)]
    _print("repairloop", asked, bench, _worked(asked, drawn, items, partial(bench.RepairLoop, lexicon, seed)))


def partialcanvas(drawn: Drawn, general: General) -> None:
    """Judge canvases that still have masks: false alarms and detections."""
    from functools import partial

    from dcode.bench import partialcanvas as bench
    from dcode.bench.library import functions

    asked = request(general, Sampling(seed=drawn.seed), json=drawn.json)
    lexicon, files = _library(asked)
    seed = asked.settings.seed
    items = functions(lexicon.grammar, files, drawn.rows or 300, seed)
    _print("partialcanvas", asked, bench, _worked(asked, drawn, items, partial(bench.PartialCanvas, lexicon, seed)))


def speed(
    general: General,
    model: ModelName = None,
    runs: Annotated[int, Option("--runs", metavar="N", min=1, help="Timed runs of each; the median counts.")] = 5,
    threads: Threads = None,
    gguf: Annotated[
        Path | None, Option("--gguf", metavar="FILE", help="Compare with llama.cpp on these weights.")
    ] = None,
    llama: Annotated[
        Path | None, Option("--llama", metavar="FOLDER", help="Where npm keeps llama.cpp (your cache).")
    ] = None,
    json: Figures = False,
) -> None:
    """Time a model: by its own plan, one token a forward, and a left-to-right network of the same shape.

    The plan runs without the parser. With --gguf it is timed in turns with llama.cpp instead, on one thread and on two:
    reading, writing, holes from request to answer, and the memory of a whole run. Seconds belong to this machine;
    forwards and ratios carry over.
    """
    if gguf is not None:
        _beside_llama(request(general, Sampling(model=model), json=json), gguf, llama, runs)
        return
    from dataclasses import asdict

    from dcode.bench import speed as bench
    from dcode.bench.library import halves, standard_library, texts

    asked = request(general, Sampling(model=model, threads=threads), json=json)
    ready = get_ready(asked.settings)
    text = b"".join(texts(halves(standard_library(), asked.settings.seed)[0], bench.TEXT_BYTES))
    rows = []
    with progress(quiet=asked.quiet) as show:
        for row in bench.measure(ready.model, ready.plan, text, runs=runs):
            rows.append(row)
            show(f"{row.case}: {row.way}")
    if json:
        told = {"bench": "speed", "version": own_version(), "model": ready.model.checkpoint.name}
        say(jsons.dumps({**told, "runs": runs, "figures": [asdict(row) for row in rows]}, indent=2))
    else:
        say_table(bench.table(rows))


def _beside_llama(asked: Request, gguf: Path, folder: Path | None, runs: int) -> None:
    """The figures of both sides, how busy the machine was, and the memory of a cold gen beside llama.cpp's process."""
    import textwrap
    from dataclasses import asdict

    import torch

    from dcode.bench import llama as bench
    from dcode.evaluate.files import cold
    from dcode.syntax.grammar import grammar

    llama = bench.Llama(gguf, folder or platformdirs.user_cache_path("dcode", appauthor=False) / "llama")
    pairs, load = [], [getloadavg()[0]]
    try:
        ready = get_ready(asked.settings)
        text = Path(textwrap.__file__).read_bytes()
        with progress(quiet=asked.quiet) as show:
            for pair in bench.compare(
                ready.model, ready.plan, grammar("python"), text, llama.ask, torch.set_num_threads, runs=runs
            ):
                pairs.append(pair)
                show(pair.name)
        memory = {"dcode gen": cold(["gen", "add two numbers", "-m", asked.settings.model, "-q"]).peak_mb}
        memory["llama.cpp"] = llama.ask("memory")["peak_mb"]
    finally:
        llama.close()
    load.append(getloadavg()[0])
    if asked.json:
        told = {"bench": "speed", "version": own_version(), "model": ready.model.checkpoint.name, "gguf": gguf.name}
        figures = [asdict(pair) | {"faster": pair.ratio} for pair in pairs]
        say(jsons.dumps({**told, "runs": runs, "load": load, "figures": figures, "peak_mb": memory}, indent=2))
        return
    say_table(bench.table(pairs))
    say(f"memory: {', '.join(f'{who} {peak:.0f} MB' for who, peak in memory.items())}")
    say(f"load of the machine before and after: {load[0]:.2f}, {load[1]:.2f}")


def _library(asked: Request, **options: Any) -> tuple[Any, Any]:
    """N-grams of one half of the library's files, and the other half."""
    from dcode.bench.lexicon import Lexicon
    from dcode.bench.library import halves, standard_library, texts
    from dcode.syntax.grammar import grammar

    asked.note("counting n-grams")
    counted, files = halves(standard_library(), asked.settings.seed)
    return Lexicon.train(grammar("python"), texts(counted, COUNTED_BYTES), **options), files


def _worked(asked: Request, drawn: Drawn, items: Sequence[Any], make: Any) -> list[Any]:
    """The rows of all items, with a line that counts on stderr."""
    from dcode.evaluate.spread import spread

    rows: list[Any] = []
    with progress(quiet=asked.quiet) as show:
        for done, own in enumerate(spread(items, make, drawn.processes), 1):
            rows += own
            show(f"{done}/{len(items)} texts")
    return rows


def _print(name: str, asked: Request, bench: Any, rows: list[Any], **parameters: str) -> None:
    if not asked.json:
        say_table(bench.table(rows))
        return
    from dcode.syntax.check import checker_versions
    from dcode.syntax.grammar import grammar

    document = {
        "bench": name,
        "version": own_version(),
        "checkers": checker_versions(grammar("python")),
        "seed": asked.settings.seed,
        **parameters,
        "figures": bench.figures(rows),
    }
    say(jsons.dumps(document, indent=2))


app = group(
    faultloc,
    repairloop,
    partialcanvas,
    speed,
    help="Measure how broken text is mended, how fast slots fill.",
)
