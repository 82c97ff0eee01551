"""`dcode eval`: how good a model is on tasks with tests. What it writes runs fenced in, in a process of its own."""

import json as jsons
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from dcode.cli.evaluate_files import bodies, edits
from dcode.cli.evaluate_fix import fix
from dcode.cli.evaluate_holes import Keep, holes
from dcode.cli.evaluate_programs import humaneval, lessons, prompts
from dcode.cli.evaluate_texts import bpb, confidence
from dcode.cli.options import General, Sampling, group
from dcode.cli.progress import progress
from dcode.cli.streams import say, say_table
from dcode.cli.versions import own_version
from dcode.cli.work import Request, get_ready, request

NGRAM_TOKENS = 20_000_000

Tasks = Annotated[Path, Argument(metavar="PATH", help="Tasks as .jsonl or .jsonl.gz (HumanEval-Infilling).")]
Rows = Annotated[int, Option("--rows", metavar="N", min=1, help="How many tasks to draw.")]
Ngram = Annotated[Path | None, Option("--ngram", metavar="CORPUS", help="Also measure an n-gram model of this corpus.")]

Figures = Annotated[bool, Option("--json", help="Print the figures as JSON.")]


def infill(
    path: Tasks,
    sampling: Sampling,
    general: General,
    rows: Rows = 300,
    ngram: Ngram = None,
    keep: Keep = None,
    json: Figures = False,
) -> None:
    """Fill gaps in programs and run their tests.

    The model is never told how long the answer is. --seed also draws the tasks. Rates come with their 95 %
    interval.
    """
    from dcode.evaluate.infill import evaluate, model_filler, ngram_filler
    from dcode.evaluate.report import table
    from dcode.evaluate.tasks import read_infill, sample
    from dcode.syntax.grammar import grammar

    asked = request(general, sampling, json=json)
    tasks = sample(read_infill(path), rows, asked.settings.seed)
    ready = get_ready(asked.settings)
    whole = all(task.prefix.endswith("\n") or not task.prefix for task in tasks)
    slots = asked.settings.slots
    fill = model_filler(
        ready.model,
        ready.plan,
        grammar("python"),
        asked.settings.feedback,
        whole_lines=whole,
        **({} if slots is None else {"slots": slots}),
    )
    reports = {ready.model.checkpoint.name: _measured(asked, evaluate, tasks, fill, keep)}
    if ngram is not None:
        asked.note("counting n-grams")
        tokenizer = ready.model.tokenizer
        other = ngram_filler(_ngram(ngram, tokenizer), tokenizer, feedback=asked.settings.feedback)
        reports["n-gram"] = _measured(asked, evaluate, tasks, other, None)
    if json:
        say(jsons.dumps(_document(asked, ready, path, reports), indent=2))
    else:
        say_table(table(reports))


def _measured(asked: Request, evaluate: Any, tasks: Sequence[Any], fill: Any, keep: Path | None) -> Any:
    """The report of one filler, with a line that counts on stderr."""
    passed: list[bool] = []
    with progress(quiet=asked.quiet) as show:

        def count(row: Any) -> None:
            passed.append(row.passed)
            show(f"{len(passed)}/{len(tasks)} tasks, {sum(passed)} passed")

        return evaluate(tasks, fill, done=keep, on_row=count)


def _ngram(corpus: Path, tokenizer: Any) -> Any:
    from dcode.bench.reference import train_ngram

    return train_ngram(corpus / "files.jsonl" if corpus.is_dir() else corpus, tokenizer, NGRAM_TOKENS)


def _document(asked: Request, ready: Any, path: Path, reports: dict[str, Any]) -> dict[str, Any]:
    settings = asked.settings
    return {
        "tasks": path.name,
        "version": own_version(),
        "model": {"id": ready.model.checkpoint.name, "sha256": ready.model.digest},
        "seed": settings.seed,
        "feedback": settings.feedback,
        "reports": {name: report.to_json() for name, report in reports.items()},
    }


app = group(lessons, prompts, humaneval, infill, holes, bodies, edits, fix, bpb, confidence, help="Measure a model.")
