"""Options that several commands share, each defined once, and how a command takes whole groups of them.

A command declares one parameter per group (`sampling: Sampling`); `command` shows typer the fields of the
group as options of the command itself. A command that some of them mean nothing to takes the group `Without` those.
What an option means is decided elsewhere.
"""

import functools
import inspect
import os
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import typer
from typer import Option

from dcode.cli.lean import Command, Group
from dcode.errors import UsageError


@dataclass(slots=True)
class Reporting:
    """How much the person wants to know when something goes wrong; filled while options are read."""

    verbose: bool = False


def _remember(ctx: typer.Context, verbose: bool) -> bool:
    ctx.find_root().obj.verbose = verbose
    return verbose


Model = Annotated[str | None, Option("-m", "--model", metavar="NAME", help="Model, by name or folder.")]
Device = Annotated[str | None, Option(metavar="DEVICE", help="cpu, cuda, cuda:1, mps or auto.")]
Precision = Annotated[str | None, Option(metavar="P", help="float32, bfloat16 or int8; else what suits the model.")]
Preset = Annotated[str | None, Option(metavar="PRESET", help="fast, balanced or best: many slots a step, or one.")]
Threads = Annotated[int | None, Option(metavar="N", help="CPU threads.")]
Steps = Annotated[int | None, Option(metavar="N", help="Denoising steps at most.")]
Slots = Annotated[int | None, Option(metavar="N", help="Token slots per hole.")]
Seed = Annotated[int | None, Option(metavar="N", help="Seed of all randomness.")]
Temperature = Annotated[float | None, Option(metavar="T", help="0 always takes the likeliest token.")]
TimeBudget = Annotated[int | None, Option(metavar="MS", help="Milliseconds until the best so far must do.")]
Feedback = Annotated[bool | None, Option("--feedback/--no-feedback", help="Let the parser steer.")]
AllowFallback = Annotated[
    bool | None, Option("--allow-fallback/--no-allow-fallback", help="Accept a filler that only parses.")
]
Diff = Annotated[bool, Option("--diff", help="Print a unified diff.")]
Stdout = Annotated[bool, Option("--stdout", help="Print the whole new file.")]
Write = Annotated[bool, Option("-w", "--write", help="Write the file (dcode undo takes it back).")]
Output = Annotated[Path | None, Option("-o", "--output", metavar="FILE", help="Write to a new FILE.")]
Check = Annotated[bool, Option("--check", help="Write nothing; exit 1 if there would be changes.")]
Json = Annotated[bool, Option("--json", help="Print one JSON object (schema dcode.result/1).")]
StdinFilename = Annotated[
    Path | None, Option("--stdin-filename", metavar="FILE", help="What to take standard input for.")
]
Language = Annotated[str | None, Option("-l", "--lang", metavar="LANG", help="Language; see dcode langs.")]
Count = Annotated[int, Option("-n", "--count", metavar="N", min=1, max=64, help="How many candidates.")]
Show = Annotated[str | None, Option(metavar="WHEN", help="Live view: auto, always or never.")]
Force = Annotated[bool, Option("--force", help="Overwrite an existing file.")]
Trace = Annotated[
    Path | None, Option("--trace", metavar="FILE", help="Record every step in a new FILE, as JSON lines.")
]
Yes = Annotated[bool, Option("-y", "--yes", help="Do not ask.")]
Quiet = Annotated[bool, Option("-q", "--quiet", help="Say nothing but errors.")]
Verbose = Annotated[bool, Option("-v", "--verbose", callback=_remember, help="Errors with traceback.")]
Color = Annotated[str | None, Option(metavar="WHEN", help="Colour: auto, always or never.")]
Config = Annotated[Path | None, Option("--config", metavar="FILE", help="A configuration file of yours.")]


@dataclass(frozen=True, slots=True)
class Sampling:
    """What decides the answer: the model, and how it is sampled. None: not given."""

    model: Model = None
    device: Device = None
    precision: Precision = None
    threads: Threads = None
    preset: Preset = None
    steps: Steps = None
    slots: Slots = None
    seed: Seed = None
    temperature: Temperature = None
    feedback: Feedback = None


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop, and what to be content with. None: not given."""

    time_budget: TimeBudget = None
    allow_fallback: AllowFallback = None


@dataclass(frozen=True, slots=True)
class Without:
    """Beside a group in `Annotated`: options of it that mean nothing to a command, so that it refuses them."""

    names: tuple[str, ...]


Repairing = Annotated[Sampling, Without(("slots", "feedback"))]
"""How a repair is sampled: it is as long as what is doubted, and there is none without the parser."""

RepairLimits = Annotated[Limits, Without(("allow_fallback",))]
"""When to stop repairing: a filler that only parses is no repair."""

Scoring = Annotated[Sampling, Without(("preset", "steps", "slots", "temperature", "feedback"))]
"""What decides a score of text that is there: the model and the seed; nothing is sampled."""


@dataclass(frozen=True, slots=True)
class Screen:
    """How a terminal is used. None: not given."""

    show: Show = None
    color: Color = None


@dataclass(frozen=True, slots=True)
class General:
    """What every command with settings takes. None: not given."""

    quiet: Quiet = False
    verbose: Verbose = False
    config: Config = None


@dataclass(frozen=True, slots=True)
class Target:
    """Where the result goes: at most one thing to stdout, at most one place that is written."""

    diff: Diff = False
    stdout: Stdout = False
    write: Write = False
    output: Output = None
    check: Check = False
    json: Json = False
    force: Force = False
    trace: Trace = None

    def agreed(self) -> "Target":
        """Itself, if its options mean something together; else UsageError."""
        check_output(self.output, self.trace, force=self.force, instead="--stdout prints the whole new file")
        place = {"--write": self.write, "--output": self.output is not None, "--check": self.check}
        self._one(place)
        self._one({"--diff": self.diff, "--stdout": self.stdout, "--json": self.json})
        for name, given in place.items():
            self._one({"--stdout": self.stdout, name: given})
        return self

    @staticmethod
    def _one(options: dict[str, bool]) -> None:
        given = [name for name, is_given in options.items() if is_given]
        if len(given) > 1:
            raise UsageError(f"{given[0]} and {given[1]} contradict each other", hint="give one of them")


def check_output(output: Path | None, trace: Path | None, *, force: bool, instead: str) -> None:
    """UsageError for what -o, --trace and --force cannot mean; `instead`: how the text gets to standard output."""
    if str(output) == "-":
        raise UsageError("-o - would make a file called -", hint=instead)
    if trace is not None and output is not None and os.path.realpath(trace) == os.path.realpath(output):
        raise UsageError("--output and --trace name the same file", hint="name two")
    if force and output is None and trace is None:
        raise UsageError("--force says nothing without -o", hint="it lets -o FILE overwrite FILE")


def command(function: Callable[..., None]) -> typer.Typer:
    """A typer application of one command, whose parameters that are groups of options are spread out."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(cls=Command)(spread(function))
    return app


def group(*functions: Callable[..., None], help: str) -> typer.Typer:
    """A typer application of several commands, named after their functions."""
    app = typer.Typer(cls=Group, add_completion=False, rich_markup_mode=None, help=help)
    app.callback()(_nothing)
    for function in functions:
        app.command(function.__name__.rstrip("_"), cls=Command)(spread(function))
    return app


def spread(function: Callable[..., None]) -> Callable[..., None]:
    """The function with the fields of its option groups in its signature, in place of the groups."""
    signature = inspect.signature(function)
    parts = {p.name: _parts(p.annotation) for p in signature.parameters.values()}
    groups: dict[str, Any] = {name: kind for name, (kind, _) in parts.items() if is_dataclass(kind)}
    parameters = [p for p in signature.parameters.values() if p.name not in groups]
    for name, kind in groups.items():
        parameters += [
            inspect.Parameter(
                f.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=f.default,
                annotation=_refused(f.type) if f.name in parts[name][1] else f.type,
            )
            for f in fields(kind)
        ]

    @functools.wraps(function)
    def collected(**values: Any) -> None:
        for name, kind in groups.items():
            values[name] = kind(**{f.name: values.pop(f.name) for f in fields(kind)})
        function(**values)

    del collected.__wrapped__
    collected.__annotations__ = {}
    collected.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return collected


def _parts(annotation: Any) -> tuple[Any, tuple[str, ...]]:
    """What a parameter is, and which of its options are refused if it is a group `Without` them."""
    kind, *marks = get_args(annotation) if get_origin(annotation) is Annotated else (annotation,)
    return kind, tuple(name for mark in marks if isinstance(mark, Without) for name in mark.names)


def _refused(annotation: Any) -> Any:
    """An option that no help shows and that may not be given."""
    kind, option = get_args(annotation)
    option = copy(option)
    option.hidden, option.callback = True, _refuse
    return Annotated[kind, option]


def _refuse(ctx: typer.Context, param: typer.CallbackParam, value: Any) -> None:
    if value is not None:
        name = "/".join((*param.opts, *param.secondary_opts))
        raise UsageError(f"{ctx.command_path} has no use for {name}", hint=f"see {ctx.command_path} --help")


def _nothing() -> None:
    """A group does nothing by itself."""
