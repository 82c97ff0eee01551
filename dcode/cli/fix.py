"""`dcode fix`: repair what does not parse in files, folders or stdin; print a diff or the new text, or write it.

A model is loaded only if something does not parse. What is wrong with one file does not keep the others waiting.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from typer import Argument, Exit

from dcode.cli import places, work
from dcode.cli.choice import Rules, summary
from dcode.cli.inplace import Opened, deliver, display, opened
from dcode.cli.options import General, Language, Repairing, RepairLimits, Screen, StdinFilename, Target, command
from dcode.cli.output import Outcome
from dcode.cli.several import finish_each, meant, nothing, told
from dcode.errors import DcodeError, NothingPassed
from dcode.syntax.check import file_faults
from dcode.text.frame import Frame
from dcode.text.result import Result

Paths = Annotated[list[str], Argument(metavar="PATH|-...", help="Files and folders; - reads standard input.")]

FIXED = {"slots": None, "feedback": True, "allow_fallback": False}
"""Settings of other commands, and what holds for every repair: it is as long as what is doubted, and it parses."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A file that was read: whether it was named itself or found in a folder, and whether it parses."""

    opened: Opened
    named: bool
    parses: bool


def fix(
    paths: Paths,
    sampling: Repairing,
    limits: RepairLimits,
    target: Target,
    screen: Screen,
    general: General,
    lang: Language = None,
    stdin_filename: StdinFilename = None,
) -> None:
    """Repair what does not parse.

    Of the smallest changes that make a file parse the one that the model finds likeliest is made; files that parse
    are left alone. Prints a unified diff, or with - the whole new text. In folders, files that git ignores, vendored,
    generated and large ones are skipped. What cannot be repaired stays as it was, and the exit code is 3.

    \b
    dcode fix app.py
    dcode fix src tests -w
    dcode fix - --stdin-filename app.py < broken.py
    """
    asked = work.request(
        general, sampling, limits, screen, json=target.agreed().json, trace=target.trace, force=target.force
    )
    places.check_stdin_name(paths, stdin_filename)
    codes, files = [0], []
    for name, named in meant(paths, target, lang, asked.settings).items():
        try:
            files.append(_look(name, named, target, lang, stdin_filename))
        except DcodeError as error:
            codes.append(told(error))
    broken = [file.opened for file in files if not file.parses]
    done = work.perform(asked, _job(asked, broken)) if broken else nothing(asked)
    left = iter(done.results)
    pairs = [(file.opened, _intact(file.opened) if file.parses else next(left)) for file in files]
    shown = [pair for pair, file in zip(pairs, files, strict=True) if file.named or not file.parses]
    outcomes, ended = finish_each(asked, shown, target, _finish)
    codes += ended
    if target.json:
        parameters = {"paths": [*paths], "count": 1, **FIXED}
        work.report("fix", asked, done, outcomes, parameters, max(codes))
    if not broken:
        asked.note(f"{len(files)} file{'' if len(files) == 1 else 's'}, nothing to repair")
    raise Exit(max(codes))


def _look(name: str, named: bool, target: Target, lang: str | None, stdin_filename: Path | None) -> Looked:
    """Read a file and see whether it parses; what would keep a repair from being written is said now."""
    file = opened(name, replace(target, write=target.write and name == places.STDIN), lang, stdin_filename)
    parses = not file_faults(file.language, file.source.view)
    if target.write and not parses:
        places.refuse_unwritable(Path(name), file.source.data)
    return Looked(file, named, parses)


def _job(asked: work.Request, broken: Sequence[Opened]) -> work.Job:
    def job(ready: work.Ready) -> Iterator[Frame | Result]:
        from dcode.jobs.fix import fix as repair

        for file in broken:
            yield from repair(file.source, ready.model, file.language, ready.plan, deadline=asked.deadline)

    return job


def _intact(file: Opened) -> Result:
    return Result((), file.source.view, (), (), 0, 0, {"total": 0.0})


def _finish(asked: work.Request, file: Opened, result: Result, outcome: Outcome, target: Target) -> int:
    """Print, check or write one file, and say what was done to it; the exit code."""
    if outcome.chosen is None:
        raise _why(asked, file, result, target)
    code = deliver("fix", asked, outcome, file.file, target) if result.edits or target.output else 0
    if not target.json and (result.edits or target.stdout or file.is_stdin):
        display(asked, outcome, [result], target, whole=file.is_stdin)
    if result.edits:
        count = len(result.edits)
        changed = f"{count} change{'' if count == 1 else 's'}"
        asked.note(f"{file.source.name}: {changed}, {summary(result, result.seconds['total'])}")
    return code


def _why(asked: work.Request, file: Opened, result: Result, target: Target) -> DcodeError:
    """Why a file stays as it was."""
    rules = Rules(file.source, file.language, asked.settings.allow_fallback, target.write)
    if result.verdict != "failed" and (refusal := rules.refusal(result)):
        return refusal
    fault = result.faults_before[0]
    line = file.source.view.count(b"\n", 0, fault.span.start) + 1
    return NothingPassed(
        f"{file.source.name} stays as it was: line {line}, {fault.message}",
        hint="--time-budget allows more" if result.stopped == "time" else "no small change mends it",
    )


app = command(fix)
