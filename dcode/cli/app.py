"""The `dcode` command: the table of its commands, and the one place where an ending becomes an exit code.

A command's module is imported only when that command runs, so help and completion stay quick. Nothing here
knows what a command does.
"""

import errno
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from types import FrameType
from typing import Annotated, Any

import typer
from typer import completion
from typer.exceptions import TyperException

from dcode.cli.lean import Command, Group
from dcode.cli.options import Reporting
from dcode.cli.patience import TERMINATED
from dcode.cli.streams import complain, give_up_stdout, open_streams
from dcode.cli.versions import DISTRIBUTION, own_version
from dcode.errors import DcodeError

BUG, INTERRUPTED = 123, 130
TROUBLE_WITH_THE_SYSTEM = 4
EXTRAS = {"matplotlib": "[train]"}

TURNS = "1000"
"""How often a thread of torch looks whether the others are done before it sleeps; what its OpenMP takes where threads
outnumber CPUs. It cannot know of other programs: beside five busy ones on two CPUs `gen` took 138 s, with this 18 s. On
idle CPUs a forward takes up to 12 % longer."""

COMMANDS: dict[str, tuple[str, str]] = {
    "gen": ("gen", "Write new code from a request."),
    "infill": ("infill", "Fill holes in a file, several at once."),
    "edit": ("edit", "Rewrite a region as you say."),
    "fix": ("fix", "Repair what does not parse."),
    "apply": ("apply", "Make the changes of proposals or patches, all or none."),
    "undo": ("undo", "Take back a write, byte for byte."),
    "log": ("log", "List the writes that can be undone, newest first."),
    "hook": ("hook", "Proposals about what you commit."),
    "models": ("models", "List, describe, pull, add and choose models."),
    "langs": ("langs", "List the languages and how they are checked."),
    "doctor": ("doctor", "Check this installation."),
    "config": ("config", "Show what is set, and where."),
    "train": ("train", "Make the embedded model again."),
    "eval": ("evaluate", "Measure a model."),
    "bench": ("bench", "Measure how broken text is mended, how fast slots fill."),
}
"""Each command's module in `dcode.cli`, and its first line of help."""


class Lazy(Group):
    """A group that lists its commands from the table and imports the one that is run or completed."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {name: Command(name, help=text) for name, (_, text) in COMMANDS.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The real command in place of the one that only lists it."""
        name, listed, rest = super().resolve_command(ctx, args)
        return name, listed and load(listed.name or ""), rest


def load(name: str) -> Any:
    """The command called `name`, imported now."""
    command = typer.main.get_command(import_module(f"dcode.cli.{COMMANDS[name][0]}").app)
    command.name = name
    return command


# typer's own options for completion are not plain flags: with them every start would import pydantic.
app = typer.Typer(
    cls=Lazy,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


Version = Annotated[bool, typer.Option("-V", "--version", help="Print the version.")]
InstallCompletion = Annotated[bool, typer.Option("--install-completion", help="Add completion to your shell.")]
ShowCompletion = Annotated[bool, typer.Option("--show-completion", help="Print what that would add.")]


@app.callback(invoke_without_command=True)
def root(
    ctx: typer.Context,
    version: Version = False,
    install_completion: InstallCompletion = False,
    show_completion: ShowCompletion = False,
) -> None:
    """Write and fill code at the terminal with masked-diffusion language models."""
    if version:
        typer.echo(f"dcode {own_version()}")
        raise typer.Exit
    if install_completion or show_completion:
        act = completion.install_callback if install_completion else completion.show_callback
        act(ctx, None, True)  # type: ignore[arg-type]
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help(), err=True)
        raise typer.Exit(2)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended: its exit code, and the line that says so ("" when nothing is to be said)."""

    code: int
    line: str = ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code; every problem becomes one line on stderr."""
    open_streams()
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", TURNS)  # read when torch is loaded
    reporting = Reporting()
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        code = _run(list(sys.argv[1:] if arguments is None else arguments), reporting)
        sys.stdout.flush()
        return code
    except BaseException as error:
        ending = end(error)
        if ending.line:
            complain(ending.line)
        if ending.line and reporting.verbose:
            complain("".join(traceback.format_exception(error)).rstrip(), prefix="")
        if isinstance(error, OSError):
            give_up_stdout()
        return ending.code
    finally:
        signal.signal(signal.SIGTERM, before)


def end(error: BaseException) -> Ending:
    """The exit code of an error and its line."""
    match error:
        case SystemExit():
            return Ending(error.code if isinstance(error.code, int) else int(error.code is not None))
        case KeyboardInterrupt():
            return Ending(INTERRUPTED, "interrupted")
        case DcodeError():
            return Ending(error.exit_code, str(error))
        case TyperException():
            return Ending(2, _usage(error))
        case typer.Abort():
            return Ending(INTERRUPTED, "interrupted")
        case OSError() if error.errno in (errno.EPIPE, errno.ESHUTDOWN):
            return Ending(0)
        case OSError():
            return Ending(TROUBLE_WITH_THE_SYSTEM, str(error))
        case ModuleNotFoundError() if (missing := (error.name or "dcode").partition(".")[0]) != "dcode":
            extra = EXTRAS.get(missing, "")
            return Ending(2, f"{missing} is not installed (pip install '{DISTRIBUTION}{extra}')")
    what = f"{type(error).__name__}: {error}".strip().splitlines()[0]
    return Ending(BUG, f"a bug in dcode, not in what you typed: {what} (-v shows where)")


def _run(arguments: list[str], reporting: Reporting) -> int:
    command = typer.main.get_command(app)
    if "_DCODE_COMPLETE" in os.environ:
        completion.get_completion_inspect_parameters()  # registers the shells
        command.main(arguments, prog_name="dcode")
    try:
        with command.make_context("dcode", arguments, obj=reporting) as context:
            command.invoke(context)
    except typer.Exit as leave:
        return leave.exit_code
    return 0


def _usage(error: TyperException) -> str:
    """What the command line got wrong, in one line, and where its options are listed."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "dcode"
    near = ", ".join(getattr(error, "possibilities", None) or ())
    message = error.message if near else error.format_message()
    what, meant, other = " ".join(message.split()).partition(". Did you mean ")
    hint = f"did you mean {near or other.rstrip('?')}?" if near or meant else f"see {path} --help"
    return f"{what[:1].lower()}{what[1:].rstrip('.')} ({hint})"


def _terminate(_number: int, _frame: FrameType | None) -> None:
    """End like an error does, so that files, cursor and temporary names are left in order."""
    sys.exit(TERMINATED)
