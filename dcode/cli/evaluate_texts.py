"""`dcode eval bpb` and `eval confidence`: what a model makes of text it has not learned from. Nothing is executed."""

import json as jsons
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from dcode.cli.options import General, Scoring
from dcode.cli.progress import progress
from dcode.cli.streams import say, say_table
from dcode.cli.versions import own_version
from dcode.cli.work import Ready, Request, get_ready, request

Place = Annotated[Path, Argument(metavar="FOLDER", help="What dcode train corpus wrote, or a folder of source.")]
Windows = Annotated[int, Option("--rows", metavar="N", min=1, help="Windows to draw from each package.")]
Length = Annotated[int, Option("--length", metavar="N", min=8, help="Tokens in a window.")]
Functions = Annotated[int, Option("--rows", metavar="N", min=1, help="How many functions to draw.")]
Figures = Annotated[bool, Option("--json", help="Print the figures as JSON.")]


def bpb(
    place: Place,
    sampling: Scoring,
    general: General,
    rows: Windows = 32,
    length: Length = 256,
    json: Figures = False,
) -> None:
    """Nats per token and bits per byte at mask 0.15, 0.5, 0.9.

    On held-out files, by package. --seed draws the windows and the masks.
    """
    from dcode.evaluate.bpb import RATES, measure, total
    from dcode.evaluate.texts import held_texts

    asked = request(general, sampling, json=json)
    texts = held_texts(place)
    ready = get_ready(asked.settings)
    with progress(quiet=asked.quiet) as show:
        scores = measure(texts, ready.model, rows=rows, length=length, seed=asked.settings.seed, on_package=show)
    scores["all"] = total(scores)
    if json:
        found = {name: [_figures(score) for score in group] for name, group in scores.items()}
        say(jsons.dumps(_head(asked, ready) | {"packages": found}, indent=2))
        return
    head = ("nats · bits a byte", "tokens", *(f"mask {rate:g}" for rate in RATES))
    say_table([head, *((name, *_cells(group)) for name, group in scores.items())])


def confidence(place: Place, sampling: Scoring, general: General, rows: Functions = 300, json: Figures = False) -> None:
    """Is a wrong token the one that is doubted most?

    One token of a held-out function is replaced, in three ways; one forward ranks all tokens by their probability.
    Rates come with their 95 % interval. --seed draws functions and tokens.
    """
    from dcode.evaluate.confidence import TOPS, chance, measure, rates
    from dcode.evaluate.report import percent
    from dcode.evaluate.texts import functions, held_texts

    asked = request(general, sampling, json=json)
    texts = held_texts(place)
    ready = get_ready(asked.settings)
    sources = (source for _, source in functions(texts, asked.settings.seed))
    with progress(quiet=asked.quiet) as show:
        trials = measure(sources, ready.model, rows, asked.settings.seed, lambda done: show(f"{done}/{rows} functions"))
    found = {top: rates(trials, top) for top in TOPS}
    if json:
        figures = {
            f"top{top}": {name: asdict(rate) | {"rate": round(rate.value, 4)} for name, rate in by_noise.items()}
            | {"chance": round(chance(trials, top), 4)}
            for top, by_noise in found.items()
        }
        say(jsons.dumps(_head(asked, ready) | figures, indent=2))
        return
    noises = list(found[TOPS[0]])
    lines = [
        (f"top {top}", *(percent(found[top][noise]) for noise in noises), f"{100 * chance(trials, top):.1f} %")
        for top in TOPS
    ]
    say_table([(f"{len(trials) // len(noises)} functions", *noises, "chance"), *lines])


def _cells(group: Sequence[Any]) -> Iterator[str]:
    yield str(sum(score.tokens for score in group))
    yield from (f"{score.nats_per_token:.3f} · {score.bits_per_byte:.3f}" for score in group)


def _figures(score: Any) -> dict[str, float]:
    return {
        "rate": score.rate,
        "tokens": score.tokens,
        "nats_per_token": round(score.nats_per_token, 4),
        "bits_per_byte": round(score.bits_per_byte, 4),
    }


def _head(asked: Request, ready: Ready) -> dict[str, Any]:
    model = ready.model
    return {
        "version": own_version(),
        "model": {"id": model.checkpoint.name, "sha256": model.digest},
        "seed": asked.settings.seed,
    }
