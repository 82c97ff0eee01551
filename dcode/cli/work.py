"""What `gen` and `infill` have in common: settings, a loaded model, frames for the view, the JSON of a run.

It does not know what a command asks for nor where its result goes. torch is imported only in `get_ready`.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from dcode.cli import places
from dcode.cli.options import General, Limits, Sampling, Screen
from dcode.cli.output import Outcome, Run, document
from dcode.cli.streams import complain, emit, view_wanted
from dcode.cli.versions import own_version
from dcode.errors import InputError
from dcode.model.checkpoint import Checkpoint, find
from dcode.settings import KEYS, Settings, resolve
from dcode.text.frame import Frame
from dcode.text.result import Result

NOT_ABOUT_THE_RESULT = ("show", "color", "exclude", "hook_mode", "hook_soft_ms", "hook_hard_ms")


@dataclass(frozen=True, slots=True)
class Request:
    """The settings of a run, whether a person or a program reads along, and when it began.

    `trace` is a file for every Frame, with `force` in place of one that is there.
    """

    settings: Settings
    quiet: bool
    json: bool
    trace: Path | None = None
    force: bool = False
    begun: float = field(default_factory=time.monotonic)

    @property
    def deadline(self) -> float | None:
        """The time.monotonic() value at which the time budget ends, counted from the start of the command."""
        budget = self.settings.time_budget
        return None if budget is None else self.begun + budget / 1000

    def note(self, text: str) -> None:
        """Say something that is not the result, unless silence was asked for."""
        if not self.quiet:
            complain(text)


@dataclass(frozen=True, slots=True)
class Ready:
    """A model in memory and the plan to sample it with; None where there was nothing to do for them."""

    model: Any
    plan: Any


What = Literal["holes", "programs", "changes"]
"""What a job writes: text for holes, whole programs, or what was there anew."""

Job = Callable[[Ready], Iterator[Frame | Result]]


@dataclass(frozen=True, slots=True)
class Work:
    """What came of a job: its candidates, best first, with what, and how long the parts took."""

    ready: Ready
    results: tuple[Result, ...]
    seconds: Mapping[str, float]


def request(
    general: General,
    *groups: Sampling | Limits | Screen,
    json: bool = False,
    trace: Path | None = None,
    force: bool = False,
) -> Request:
    """The settings that hold for a command line with these groups of options."""
    if trace is not None:
        from dcode.text.record import is_trace

        places.refuse_taken(trace, force=force)
        if trace.exists() and not is_trace(trace):
            raise InputError(f"{trace} is no trace", hint="--force overwrites traces alone: name another file")
    given = {f.name: getattr(group, f.name) for group in groups for f in fields(group)}
    return Request(resolve(given, config=general.config).settings, general.quiet, json, trace, force)


def perform(asked: Request, job: Job, what: What = "holes") -> Work:
    """Load the model, run the job with a live view if one is wanted, and collect its results.

    `what` the job writes decides how it is sampled.
    """
    with _view(asked) as show, _recorder(asked) as record:
        begun = time.monotonic()
        ready = get_ready(asked.settings, what)
        loaded = time.monotonic()
        results = []
        for item in job(ready):
            if isinstance(item, Result):
                results.append(item)
            else:
                show(item)
                record(item)
    now = time.monotonic()
    assert results, "a job gave no result and no reason"
    seconds = {"load": loaded - begun, "decode": now - loaded, "total": now - asked.begun}
    return Work(ready, tuple(results), seconds)


def get_ready(settings: Settings, what: What = "holes") -> Ready:
    """The model of these settings and its plan for what is to be written."""
    find(settings.model)  # a wrong name is told at once, not after torch
    from dcode.model.load import load

    model = load(settings.model, device=settings.device, threads=settings.threads, precision=settings.precision)
    return Ready(model, get_plan(settings, model.checkpoint, what))


def get_plan(settings: Settings, row: Checkpoint, what: What = "holes") -> Any:
    """What was set, else what suits the model."""
    from dcode.diffusion.plan import Plan

    own = {"holes": {}, "programs": row.programs, "changes": row.changes}[what]
    chosen: dict[str, Any] = {"steps": settings.steps, "temperature": settings.temperature, "seed": settings.seed}
    asked = {name: value for name, value in chosen.items() if value is not None}
    return Plan.preset(settings.preset, {**row.defaults, **own}, row.presets if what == "holes" else {}, **asked)


def report(
    command: str,
    asked: Request,
    work: Work,
    outcomes: Sequence[Outcome],
    parameters: Mapping[str, Any],
    exit_code: int,
) -> None:
    """The JSON object of a run on stdout; `parameters` are those of this command alone."""
    settings = {key: getattr(asked.settings, key) for key in KEYS if key not in NOT_ABOUT_THE_RESULT}
    model, plan = work.ready.model, work.ready.plan
    every = {**settings, **parameters, "plan": {} if plan is None else asdict(plan)}
    name, digest = (asked.settings.model, None) if model is None else (model.checkpoint.name, model.digest)
    run = Run(command, own_version(), name, digest, every, work.seconds)
    emit(document(run, outcomes, exit_code).encode())


@contextmanager
def _recorder(asked: Request) -> Iterator[Callable[[Frame], None]]:
    """What keeps Frames in the trace, or keeps none; those of a run that fails are kept as well."""
    if asked.trace is None:
        yield lambda frame: None
        return
    from dcode.text.record import head, line

    with places.create_private(asked.trace, force=asked.force) as file:
        file.write(head())

        def keep(frame: Frame) -> None:
            file.write(line(frame))

        yield keep


def _view(asked: Request) -> AbstractContextManager[Callable[[Frame], None]]:
    """The live view, or one that shows nothing."""
    if not view_wanted(asked.settings.show, quiet=asked.quiet or asked.json):
        return nullcontext(lambda frame: None)
    from dcode.cli.view import live

    return live(asked.settings.color)
