"""Options that several commands share, each defined once, and how a command takes whole groups of them.

A command declares one parameter per group (`sampling: Sampling`); `command` shows typer the fields of the
group as options of the command itself. What an option means is decided elsewhere.
"""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any

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

    def agreed(self) -> "Target":
        """Itself, if its options do not contradict each other; else UsageError."""
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
    groups: dict[str, Any] = {p.name: p.annotation for p in signature.parameters.values() if is_dataclass(p.annotation)}
    parameters = [p for p in signature.parameters.values() if p.name not in groups]
    for kind in groups.values():
        parameters += [
            inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=f.default, annotation=f.type)
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


def _nothing() -> None:
    """A group does nothing by itself."""
