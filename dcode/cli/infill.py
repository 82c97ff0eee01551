"""`dcode infill`: fill holes in a file or in stdin, or markers in many; print a diff or the new text, or write it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Never

from typer import Argument, Exit, Option

from dcode.cli import places, work
from dcode.cli.choice import Rules, summary
from dcode.cli.holes import Hole, Named
from dcode.cli.inplace import Opened, deliver, display, finish, opened
from dcode.cli.options import Count, General, Language, Limits, Sampling, Screen, StdinFilename, Target, command
from dcode.cli.output import Outcome
from dcode.cli.several import finish_each, meant, nothing, told
from dcode.errors import DcodeError, InputError, NothingPassed, OutOfTime, UsageError
from dcode.text.frame import Frame
from dcode.text.ranges import marker_spans
from dcode.text.result import Result

Files = Annotated[list[str], Argument(metavar="FILE|-", help="The file; - reads stdin. --marker takes several.")]
Lines = Annotated[list[str] | None, Option("--lines", metavar="A-B", help="Lines to replace: 12, 10-30 or 10-.")]
At = Annotated[list[str] | None, Option("--at", metavar="LINE:COL", help="A place to insert at.")]
Node = Annotated[list[str] | None, Option("--node", metavar="NAME", help="The body of a function or class.")]
Marker = Annotated[bool, Option("--marker", help="Every <FILL> and every comment 'dcode: hint'.")]
Hint = Annotated[list[str] | None, Option("--hint", metavar="TEXT", help="What shall stand there; one, or one a hole.")]
WholeLines = Annotated[bool, Option("--whole-lines", help="Replace the first indent too.")]

Marked = tuple[Opened, list[Hole]]


def infill(
    files: Files,
    sampling: Sampling,
    limits: Limits,
    target: Target,
    screen: Screen,
    general: General,
    lines: Lines = None,
    at: At = None,
    node: Node = None,
    marker: Marker = False,
    hint: Hint = None,
    whole_lines: WholeLines = False,
    count: Count = 1,
    lang: Language = None,
    stdin_filename: StdinFilename = None,
) -> None:
    """Fill holes in a file, several at once.

    Prints a unified diff, or with - as the file the whole new text. Holes are named by --lines, --at, --node
    and --marker, as often as there are holes. With -n every candidate's diff is shown, best first; everything
    else uses the best one. Nothing outside the holes changes by a byte. With --marker alone it takes several files
    and folders; in folders, files that git ignores, vendored, generated and large ones are skipped.

    \b
    dcode infill app.py --lines 10-30
    dcode infill app.py --node Parser.read --hint "skip empty lines" -w
    dcode infill src tests --marker -w
    dcode infill - --marker < app.py
    """
    asked = work.request(
        general, sampling, limits, screen, json=target.agreed().json, trace=target.trace, force=target.force
    )
    places.check_stdin_name(files, stdin_filename)
    if whole_lines and not lines:
        raise UsageError("--whole-lines says nothing without --lines", hint="it takes their first indent too")
    named = Named(lines or (), at or (), node or (), marker, hint or (), whole_lines)
    if len(files) > 1 or (named.only_markers and Path(files[0]).is_dir()):
        _fill_all(asked, named, meant(files, target, lang, asked.settings), target, lang, count)
    place = opened(files[0], target, lang, stdin_filename)
    holes = named.holes(place.source, place.language)
    done = work.perform(asked, _job(asked, place, holes, count))
    parameters = {"holes": [hole.to_json() for hole in holes], "whole_lines": whole_lines, "count": count}
    finish("infill", asked, place, done, target, parameters)


def _job(asked: work.Request, place: Opened, holes: Sequence[Hole], count: int) -> work.Job:
    def job(ready: work.Ready) -> Iterator[Frame | Result]:
        from dcode.jobs.infill import infill as fill

        return fill(
            place.source,
            [hole.span for hole in holes],
            ready.model,
            place.language,
            ready.plan,
            hints=[hole.hint for hole in holes],
            leads=[hole.lead for hole in holes],
            slots=asked.settings.slots,
            count=count,
            feedback=asked.settings.feedback,
            deadline=asked.deadline,
        )

    return job


def _fill_all(
    asked: work.Request, named: Named, found: Mapping[str, bool], target: Target, lang: str | None, count: int
) -> Never:
    """Fill the markers of several files, each all or nothing; the worst exit code."""
    if not named.only_markers or count > 1:
        raise UsageError("a place or -n goes with one file", hint="--marker takes several, and folders")
    codes, marked = [0], []
    for name, was_named in found.items():
        try:
            marked += _marked(name, was_named, named, target, lang)
        except DcodeError as error:
            codes.append(told(error))
    failures: dict[str, DcodeError] = {}
    try:
        done = work.perform(asked, _jobs(asked, marked, failures)) if marked else nothing(asked)
    except (InputError, OutOfTime):  # of every file
        done = nothing(asked)
    codes += map(told, failures.values())
    pairs = zip([one for one, _ in marked if one.file not in failures], done.results, strict=True)
    outcomes, ended = finish_each(asked, pairs, target, _finish)
    codes += ended
    if target.json:
        parameters = {"paths": [*found], "count": count}
        work.report("infill", asked, done, outcomes, parameters, max(codes))
    if not marked and codes == [0]:
        asked.note(f"{len(found)} file{'' if len(found) == 1 else 's'}, no marker")
    raise Exit(max(codes))


def _marked(name: str, was_named: bool, named: Named, target: Target, lang: str | None) -> list[Marked]:
    """A file with its markers; none for one that was found in a folder and has no marker."""
    file = opened(name, replace(target, write=False), lang, None)
    if not was_named and not marker_spans(file.source.view, file.language.comment):
        return []
    if target.write:
        places.refuse_unwritable(Path(name), file.source.data)
    try:
        return [(file, named.holes(file.source, file.language))]
    except UsageError as error:  # which file is not in it: where there is one, the person knows
        raise UsageError(f"{file.source.name}: {error.what}", hint=error.hint) from None


def _jobs(asked: work.Request, marked: Sequence[Marked], failures: dict[str, DcodeError]) -> work.Job:
    """One file after the other; `failures` gets what is wrong with a file, and it is raised if it is so with all."""

    def job(ready: work.Ready) -> Iterator[Frame | Result]:
        for file, holes in marked:
            try:
                yield from _job(asked, file, holes, 1)(ready)
            except (InputError, OutOfTime) as error:
                failures[file.file] = error
                if len(failures) == len(marked):
                    raise

    return job


def _finish(asked: work.Request, file: Opened, result: Result, one: Outcome, target: Target) -> int:
    """Print, check or write one file of several, and say what was done to it; the exit code."""
    if one.chosen is None:
        refusal = Rules(file.source, file.language, asked.settings.allow_fallback, target.write).refusal(result)
        assert refusal is not None, "no candidate, no reason"
        raise NothingPassed(f"{file.source.name}: {refusal.what}", hint=refusal.hint)
    code = deliver("infill", asked, one, file.file, target)
    if not target.json:
        display(asked, one, [result], target, whole=False)
    asked.note(f"{file.source.name}: {summary(result, result.seconds['total'])}")
    return code


app = command(infill)
