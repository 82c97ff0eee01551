"""`dcode eval lessons`, `eval prompts` and `eval humaneval`: requests in, programs out, all executed in a sandbox."""

import json as jsons
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from dcode.cli.options import General, Sampling
from dcode.cli.progress import progress
from dcode.cli.streams import say, say_table
from dcode.cli.versions import own_version
from dcode.cli.work import Request, get_plan, get_ready, request
from dcode.errors import UsageError
from dcode.resources import data_path
from dcode.settings import Settings

LEFT = {"order": "left", "commit": "fixed", "per_step": 1, "steps": 0}
"""The plan that decodes as a causal model would: one token a forward, from the left."""

Splits = Annotated[
    list[str] | None,
    Option("--split", metavar="NAME", help="wording, pattern, values, family, composed, edit, repair."),
]
Domains = Annotated[
    list[str] | None, Option("--domain", metavar="NAME", help="A domain of the lessons, as train lessons lists them.")
]
Rows = Annotated[int, Option("--rows", metavar="N", min=1, help="Requests to draw from each split.")]
Prompts = Annotated[Path | None, Argument(metavar="[PATH]", help="Requests with tests as .jsonl (thirty of our own).")]
Functions = Annotated[Path, Argument(metavar="PATH", help="HumanEval as .jsonl or .jsonl.gz.")]
Keep = Annotated[Path | None, Option("--keep", metavar="FILE", help="Keep every program here; resumes from it.")]
Processes = Annotated[int, Option("--processes", metavar="P", min=1, max=256, help="Models at work side by side.")]
Samples = Annotated[int, Option("-n", "--samples", metavar="N", min=1, help="Programs for each request.")]
Tries = Annotated[int, Option("-k", metavar="K", min=1, help="Programs that may be tried before one passes.")]
Left = Annotated[bool, Option("--left-to-right", help="Also decode one token a forward, from the left.")]
Figures = Annotated[bool, Option("--json", help="Print the figures as JSON.")]


def lessons(
    sampling: Sampling,
    general: General,
    split: Splits = None,
    domain: Domains = None,
    rows: Rows = 200,
    samples: Samples = 1,
    k: Tries = 1,
    left_to_right: Left = False,
    processes: Processes = 1,
    keep: Keep = None,
    json: Figures = False,
) -> None:
    """Answer held-out lessons and run their tests.

    Wordings, ways of asking, slot values, families, chains of parts, changes and repairs that no training row has:
    all of them, or each --split (and --domain) that is named. --seed also draws the requests. Rates come with their
    95 % interval.
    """
    from dcode.evaluate.lessons import SPLITS, questions
    from dcode.lessons.compose import every_family

    asked, way = request(general, sampling, json=json), Way(samples, k, left_to_right, processes, keep)
    for name in split or ():
        if name not in SPLITS:
            raise UsageError(f"unknown split {name!r}", hint=f"one of {', '.join(SPLITS)}")
    known = sorted({family.domain for family in every_family()})
    for name in domain or ():
        if name not in known:
            raise UsageError(f"unknown domain {name!r}", hint=f"one of {', '.join(known)}")
    seed, domains = asked.settings.seed, frozenset(domain or ())
    drawn = [one for name in split or SPLITS for one in questions(name, rows, seed, domains=domains)]
    if not drawn:
        raise UsageError("nothing is held out there", hint="another --domain or --split")
    _measure("lessons", asked, drawn, way)


def prompts(
    sampling: Sampling,
    general: General,
    path: Prompts = None,
    samples: Samples = 1,
    k: Tries = 1,
    left_to_right: Left = False,
    processes: Processes = 1,
    keep: Keep = None,
    json: Figures = False,
) -> None:
    """Answer requests that bring their own tests.

    A row names its kind: what some function of the program returns, or what the program does to files. Without PATH
    they are those on which settings are chosen. Rates come with their 95 % interval.
    """
    from dcode.evaluate.prompts import read_prompts

    asked, path = request(general, sampling, json=json), path or data_path("evaluate/requests.jsonl")
    _measure(path.name, asked, read_prompts(path), Way(samples, k, left_to_right, processes, keep))


def humaneval(
    path: Functions,
    sampling: Sampling,
    general: General,
    rows: Rows = 164,
    keep: Keep = None,
    json: Figures = False,
) -> None:
    """Write the functions of HumanEval and run its tests.

    One answer each, in two ways: gen is asked for the function and shown its head, and infill fills the body behind the
    head. --seed draws the functions if not all are wanted. Rates come with their 95 % interval.
    """
    from dcode.evaluate.infill import model_filler
    from dcode.evaluate.passes import Passes, hole_writer, measure
    from dcode.evaluate.prompts import humaneval as questions
    from dcode.evaluate.tasks import read_infill, sample
    from dcode.jobs.generate import SLOTS
    from dcode.syntax.grammar import grammar

    asked = request(general, sampling, json=json)
    settings = asked.settings
    tasks = sample(read_infill(path, whole=True), rows, settings.seed)
    ready = get_ready(settings, "programs")
    model, plan = ready.model, get_plan(settings, ready.model.checkpoint)
    fill = model_filler(model, plan, grammar("python"), settings.feedback, slots=settings.slots or SLOTS)
    plans = {"gen": (ready.plan, ready.plan), "infill": (plan, plan)}
    writers = {"gen": _writer(model, plans["gen"], settings, 1), "infill": hole_writer(fill)}
    found: tuple[Any, ...] = ()
    for way, writer in writers.items():
        with progress(quiet=asked.quiet) as show:
            found += measure(
                questions(tasks, way),
                lambda: writer,  # noqa: B023
                way + _fingerprint(model, plans[way], settings),
                keep=keep,
                on_attempt=_counter(show, len(tasks)),
            )
    _tell(path.name, asked, model, {model.checkpoint.name: Passes(found)})


@dataclass(frozen=True, slots=True)
class Way:
    """How programs are asked for and kept."""

    samples: int
    k: int
    left_to_right: bool
    processes: int
    keep: Path | None

    def __post_init__(self) -> None:
        if self.k > self.samples:
            raise UsageError(f"-k {self.k} needs as many programs", hint=f"-n {self.k} or more")


def _measure(what: str, asked: Request, questions: Sequence[Any], way: Way) -> None:
    """Answer everything, with the plan as set and perhaps from the left; then the table or the JSON."""
    from dcode.evaluate.passes import Passes, measure

    ready = get_ready(asked.settings, "programs")
    row = ready.model.checkpoint
    plans = {row.name: (ready.plan, get_plan(asked.settings, row, "changes"))}
    if way.left_to_right:
        plans["left to right"] = (replace(ready.plan, **LEFT), replace(plans[row.name][1], **LEFT))
    reports: dict[str, Passes] = {}
    for name, both in plans.items():
        with progress(quiet=asked.quiet) as show:
            reports[name] = Passes(
                measure(
                    questions,
                    _maker(asked.settings, ready.model, both, way),
                    _fingerprint(ready.model, both, asked.settings),
                    samples=way.samples,
                    processes=way.processes,
                    keep=way.keep,
                    on_attempt=_counter(show, len(questions) * way.samples),
                ),
                way.k,
            )
    _tell(what, asked, ready.model, reports)


def _tell(what: str, asked: Request, model: Any, reports: dict[str, Any]) -> None:
    from dcode.evaluate.passes import table

    if asked.json:
        say(jsons.dumps(_document(what, asked, model, reports), indent=2))
    else:
        say_table(table(reports))


def _maker(settings: Settings, model: Any, plans: tuple[Any, Any], way: Way) -> Callable[[], Any]:
    """What gives a process its writer: the model that is loaded, or one of the process's own, on one thread."""
    if way.processes == 1:
        return partial(_writer, model, plans, settings, way.samples)
    return partial(_loaded, replace(settings, threads=settings.threads or 1), plans, way.samples)


def _loaded(settings: Settings, plans: tuple[Any, Any], samples: int) -> Any:
    return _writer(get_ready(settings).model, plans, settings, samples)


def _writer(model: Any, plans: tuple[Any, Any], settings: Settings, samples: int) -> Any:
    from dcode.evaluate.passes import model_writer
    from dcode.syntax.grammar import grammar

    plan, change_plan = plans
    python, feedback, slots = grammar("python"), settings.feedback, settings.slots
    return model_writer(model, plan, change_plan, python, feedback=feedback, samples=samples, slots=slots)


def _fingerprint(model: Any, plans: Any, settings: Settings) -> str:
    """A short text that changes with the weights and with all that decides an answer."""
    said = repr((model.digest, plans, settings.feedback, settings.slots))
    return sha256(said.encode()).hexdigest()[:16]


def _counter(show: Callable[[str], None], total: int) -> Callable[[Any], None]:
    passed: list[bool] = []

    def count(attempt: Any) -> None:
        passed.append(attempt.passed)
        show(f"{len(passed)}/{total} programs, {sum(passed)} passed")

    return count


def _document(what: str, asked: Request, model: Any, reports: dict[str, Any]) -> dict[str, Any]:
    settings = asked.settings
    return {
        "tasks": what,
        "version": own_version(),
        "model": {"id": model.checkpoint.name, "sha256": model.digest},
        "seed": settings.seed,
        "feedback": settings.feedback,
        "reports": {
            name: {group: passes.to_json() for group, passes in report.groups.items()}
            for name, report in reports.items()
        },
    }
