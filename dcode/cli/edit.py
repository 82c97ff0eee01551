"""`dcode edit`: rewrite a region of a file as an instruction says; print a diff or the new text, or write it."""

from collections.abc import Iterator
from typing import Annotated

from typer import Argument, Option

from dcode.cli import places, work
from dcode.cli.inplace import Opened, finish, opened
from dcode.cli.options import Count, General, Language, Limits, Sampling, Screen, StdinFilename, Target, command
from dcode.errors import UsageError
from dcode.syntax.grammar import Grammar
from dcode.text.frame import Frame
from dcode.text.ranges import lines_span
from dcode.text.result import Result
from dcode.text.source import Source
from dcode.text.span import Span

File = Annotated[str, Argument(metavar="FILE|-", help="The file; - reads standard input.")]
Instruction = Annotated[str, Argument(metavar="INSTRUCTION", help="What to change.")]
Lines = Annotated[str | None, Option("--lines", metavar="A-B", help="The lines to rewrite: 12, 10-30 or 10-.")]
Node = Annotated[str | None, Option("--node", metavar="NAME", help="The function or class to rewrite.")]
Strength = Annotated[float, Option(metavar="S", help="Share of the region to rewrite: 1 all, 0.2 a fifth.")]


def edit(
    file: File,
    instruction: Instruction,
    sampling: Sampling,
    limits: Limits,
    target: Target,
    screen: Screen,
    general: General,
    lines: Lines = None,
    node: Node = None,
    strength: Strength = 1.0,
    count: Count = 1,
    lang: Language = None,
    stdin_filename: StdinFilename = None,
) -> None:
    """Rewrite a region as you say.

    Prints a unified diff, or with - as the file the whole new text. Where something is plainly wrong with the region,
    the smallest change that puts it right may be the answer. With --strength below 1 only the least likely share of the
    region is written anew, and the rest keeps its bytes. Nothing outside the region changes.

    \b
    dcode edit app.py --node Parser.read "add type hints"
    dcode edit app.py --node Parser.read "fix it"
    dcode edit app.py --lines 10-30 "use a list comprehension" -w
    """
    if not 0 < strength <= 1:
        raise UsageError(f"--strength {strength:g} is not over 0 and at most 1")
    asked = work.request(
        general, sampling, limits, screen, json=target.agreed().json, trace=target.trace, force=target.force
    )
    places.check_stdin_name([file], stdin_filename)
    place = opened(file, target, lang, stdin_filename)
    region = _region(place.source, place.language, lines, node)
    done = work.perform(asked, _job(asked, place, region, instruction, strength, count), "changes")
    name = f"--lines {lines}" if lines else f"--node {node}"
    parameters = {"place": name, "instruction": instruction, "strength": strength, "count": count}
    finish("edit", asked, place, done, target, parameters)


def _region(source: Source, language: Grammar, lines: str | None, node: str | None) -> Span:
    """The region that was named; UsageError unless it was named once."""
    from dcode.syntax.scope import named

    if (lines is None) == (node is None):
        raise UsageError("which part is to be changed?", hint="give either --lines 10-30 or --node NAME")
    return lines_span(source.view, lines) if lines else named(language, source.view, node or "").span


def _job(asked: work.Request, place: Opened, region: Span, instruction: str, strength: float, count: int) -> work.Job:
    def job(ready: work.Ready) -> Iterator[Frame | Result]:
        from dcode.jobs.edit import edit as rewrite

        return rewrite(
            place.source,
            region,
            instruction,
            ready.model,
            place.language,
            ready.plan,
            strength=strength,
            slots=asked.settings.slots,
            count=count,
            feedback=asked.settings.feedback,
            deadline=asked.deadline,
        )

    return job


app = command(edit)
