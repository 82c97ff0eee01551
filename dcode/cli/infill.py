"""`dcode infill`: fill holes in a file or in stdin; print a diff or the new text, or write it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from dcode.cli import places, work
from dcode.cli.choice import Rules, summary
from dcode.cli.options import Count, General, Language, Limits, Sampling, Screen, StdinFilename, Target, command
from dcode.cli.output import Outcome
from dcode.cli.streams import emit, emit_diff
from dcode.errors import InputError, NothingPassed, UsageError
from dcode.syntax.grammar import Grammar, grammar, grammar_for
from dcode.text.frame import Frame
from dcode.text.ranges import at_span, check_disjoint, lead, lines_span, marker_spans
from dcode.text.result import Result
from dcode.text.source import Source
from dcode.text.span import Span

DEFAULT_LANGUAGE = "python"
CHANGES_FOUND = 1

File = Annotated[str, Argument(metavar="FILE|-", help="The file; - reads standard input.")]
Lines = Annotated[list[str] | None, Option("--lines", metavar="A-B", help="Lines to replace: 12, 10-30 or 10-.")]
At = Annotated[list[str] | None, Option("--at", metavar="LINE:COL", help="A place to insert at.")]
Node = Annotated[list[str] | None, Option("--node", metavar="NAME", help="The body of a function or class.")]
Marker = Annotated[bool, Option("--marker", help="Every <FILL> and every comment 'dcode: hint'.")]
Hint = Annotated[list[str] | None, Option("--hint", metavar="TEXT", help="What shall stand there; one, or one a hole.")]
WholeLines = Annotated[bool, Option("--whole-lines", help="Replace the first indent too.")]


@dataclass(frozen=True, slots=True)
class Hole:
    """A place to fill, what the person called it, what shall stand there ("" if they did not say), its indent."""

    span: Span
    name: str
    hint: str = ""
    lead: bytes = b""

    def to_json(self) -> dict[str, str]:
        """Plain values: the place in the person's words, and the hint."""
        return {"place": self.name, "hint": self.hint}


def infill(
    file: File,
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
    else uses the best one. Nothing outside the holes changes by a byte.

    \b
    dcode infill app.py --lines 10-30
    dcode infill app.py --node Parser.read --hint "skip empty lines" -w
    dcode infill - --marker < app.py
    """
    asked = work.request(general, sampling, limits, screen, json=target.agreed().json)
    if file == places.STDIN and target.write:
        raise UsageError("-w cannot write to standard input", hint="leave -w out, or use -o FILE")
    name = file if file != places.STDIN else str(stdin_filename or "<stdin>")
    language = _language(lang, name)
    source = places.read_source(file, name, language)
    if target.write:
        places.refuse_unwritable(Path(file), source.data)
    if target.output is not None:
        places.refuse_existing(target.output, force=target.force)
    named = Named(lines or (), at or (), node or (), marker, whole_lines)
    holes = _hinted(_holes(source, language, named), hint or ())
    done = work.perform(asked, _job(asked, source, language, holes, count))
    to_write = target.write or target.output is not None
    rules = Rules(source, language, asked.settings.allow_fallback, to_write)
    passed = rules.usable(done.results)
    chosen = passed[0] if passed else None
    path = None if file == places.STDIN else places.diff_name(Path(file))
    outcome = Outcome(source, source.data, path, language.name, done.results, chosen)
    code = _write(asked, outcome, file, target) if passed else NothingPassed.exit_code
    if target.json:
        parameters = {"holes": [hole.to_json() for hole in holes], "whole_lines": whole_lines, "count": count}
        work.report("infill", asked, done, outcome, parameters, code, written=to_write)
    if chosen is None:
        raise rules.refusal(done.results[0]) or AssertionError("no candidate, no reason")
    if not target.json:
        _print(asked, outcome, passed, target, whole=file == places.STDIN)
    asked.note(summary(chosen, done.seconds["total"]))
    raise typer.Exit(code)


@dataclass(frozen=True, slots=True)
class Named:
    """The holes as the person named them."""

    lines: Sequence[str]
    at: Sequence[str]
    node: Sequence[str]
    marker: bool
    whole_lines: bool


def _language(lang: str | None, name: str) -> Grammar:
    """The language asked for, else that of the file's name; standard input without a name is the default."""
    if lang is not None:
        return grammar(lang)
    return grammar(DEFAULT_LANGUAGE) if name == "<stdin>" else grammar_for(name)


def _holes(source: Source, language: Grammar, named: Named) -> list[Hole]:
    """Every hole in file order; UsageError if none was named, InputError if two share a byte."""
    from dcode.syntax.scope import node_body

    view = source.view
    holes = [_lines(view, text, named.whole_lines) for text in named.lines]
    holes += [Hole(at_span(view, text), f"--at {text}") for text in named.at]
    holes += [Hole(node_body(language, view, name), f"--node {name}") for name in named.node]
    if named.marker:
        marked = marker_spans(view, language.comment)
        if not marked:
            sign = f" and no '{language.comment} dcode: hint' line" if language.comment else ""
            raise InputError(f"{source.name} has no <FILL>{sign}", hint="put one where code is missing")
        holes += [Hole(span, "--marker", hint) for span, hint in marked]
    if not holes:
        raise UsageError("which part is to be filled?", hint="--lines 10-30, --at 12:5, --node NAME or --marker")
    check_disjoint([hole.span for hole in holes], [hole.name for hole in holes])
    return sorted(holes, key=lambda hole: hole.span)


def _lines(view: bytes, text: str, whole: bool) -> Hole:
    """A range of lines; in a blank one the fill begins with the indent of what follows."""
    span = lines_span(view, text, whole)
    return Hole(span, f"--lines {text}", lead=b"" if whole else lead(view, span))


def _hinted(holes: Sequence[Hole], hints: Sequence[str]) -> list[Hole]:
    """Each hole with its hint: what its marker says, else the one given, else the one in its place."""
    if len(hints) not in (0, 1, len(holes)):
        raise UsageError(f"{len(hints)} times --hint for {len(holes)} holes", hint="give one, or one for each")
    given = [*hints] * (1 if len(hints) > 1 else len(holes)) if hints else [""] * len(holes)
    return [replace(hole, hint=hole.hint or hint) for hole, hint in zip(holes, given, strict=True)]


def _job(asked: work.Request, source: Source, language: Grammar, holes: Sequence[Hole], count: int) -> work.Job:
    def job(ready: work.Ready) -> Iterator[Frame | Result]:
        from dcode.jobs.infill import infill as fill

        return fill(
            source,
            [hole.span for hole in holes],
            ready.model,
            language,
            ready.plan,
            hints=[hole.hint for hole in holes],
            leads=[hole.lead for hole in holes],
            slots=asked.settings.slots,
            count=count,
            feedback=asked.settings.feedback,
            deadline=asked.deadline,
        )

    return job


def _write(asked: work.Request, outcome: Outcome, file: str, target: Target) -> int:
    """Write what is to be written; the exit code."""
    assert outcome.chosen is not None
    after = outcome.after(outcome.chosen)
    changed = after != outcome.source.data
    if target.check:
        if changed:
            asked.note(f"{outcome.source.name} would change")
        return CHANGES_FOUND if changed else 0
    if target.output is not None:
        places.write(target.output, places.present(target.output), after, "infill", asked.note)
    elif target.write and changed:
        places.write(Path(file), outcome.source.data, after, "infill", asked.note)
    return 0


def _print(asked: work.Request, outcome: Outcome, passed: Sequence[Result], target: Target, *, whole: bool) -> None:
    """The diff or the whole new text on stdout, unless the result went elsewhere."""
    if outcome.after(passed[0]) == outcome.source.data:
        asked.note(f"{outcome.source.name} stays as it is")
    elsewhere = target.write or target.check or target.output is not None
    encoding, color = outcome.source.encoding, asked.settings.color
    if target.stdout or (whole and not target.diff and not elsewhere):
        emit(outcome.after(passed[0]), encoding=encoding)
    elif target.diff or not elsewhere:
        for number, result in enumerate(passed, start=1):
            if len(passed) > 1:
                emit(f"# {number} of {len(passed)}, {result.verdict}\n".encode())
            emit_diff(outcome.diff(outcome.after(result)), encoding=encoding, color=color)


app = command(infill)
