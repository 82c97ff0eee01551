"""What commands that change a file share: open one file, and after the job choose, print, check or write. No torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Never

import typer

from dcode.cli import places, work
from dcode.cli.choice import Rules, summary
from dcode.cli.options import Target
from dcode.cli.output import Outcome
from dcode.cli.streams import emit, emit_diff
from dcode.errors import NothingPassed, UsageError
from dcode.syntax.grammar import Grammar, grammar, grammar_for
from dcode.text.result import Result
from dcode.text.source import Source

DEFAULT_LANGUAGE = "python"
CHANGES_FOUND = 1


@dataclass(frozen=True, slots=True)
class Opened:
    """A file, or stdin, that is to be changed: what the person called it, its text and its language."""

    file: str
    source: Source
    language: Grammar

    @property
    def is_stdin(self) -> bool:
        """Whether it came from standard input."""
        return self.file == places.STDIN


def opened(file: str, target: Target, lang: str | None, stdin_filename: Path | None) -> Opened:
    """Read the file; what would make writing impossible is said now, before any work is done."""
    if file == places.STDIN and target.write:
        raise UsageError("-w cannot write to standard input", hint="leave -w out, or use -o FILE")
    name = file if file != places.STDIN else str(stdin_filename or "<stdin>")
    language = language_of(lang, name)
    source = places.read_source(file, name, language)
    if target.write:
        places.refuse_unwritable(Path(file), source.data)
    if target.output is not None:
        places.refuse_existing(target.output, force=target.force)
    return Opened(file, source, language)


def finish(
    command: str, asked: work.Request, place: Opened, done: work.Work, target: Target, parameters: Mapping[str, Any]
) -> Never:
    """Report, print, check or write the best candidate, and leave with the exit code; NothingPassed if none passed."""
    to_write = target.write or target.output is not None
    rules = Rules(place.source, place.language, asked.settings.allow_fallback, to_write)
    passed = rules.usable(done.results)
    chosen = passed[0] if passed else None
    path = None if place.is_stdin else places.diff_name(Path(place.file))
    outcome = Outcome(place.source, place.source.data, path, place.language.name, done.results, chosen)
    code = deliver(command, asked, outcome, place.file, target) if passed else NothingPassed.exit_code
    outcome = delivered(outcome, target)
    if target.json:
        work.report(command, asked, done, [outcome], parameters, code)
    if chosen is None:
        raise rules.refusal(done.results[0]) or AssertionError("no candidate, no reason")
    if not target.json:
        display(asked, outcome, passed, target, whole=place.is_stdin)
    asked.note(summary(chosen, done.seconds["total"]))
    raise typer.Exit(code)


def language_of(lang: str | None, name: str) -> Grammar:
    """The language asked for, else that of the file's name; standard input without a name is the default."""
    if lang is not None:
        return grammar(lang)
    return grammar(DEFAULT_LANGUAGE) if name == "<stdin>" else grammar_for(name)


def deliver(command: str, asked: work.Request, outcome: Outcome, file: str, target: Target) -> int:
    """Write what is to be written; the exit code."""
    assert outcome.chosen is not None
    after = outcome.after(outcome.chosen)
    changed = after != outcome.source.data
    if target.check:
        if changed:
            asked.note(f"{outcome.source.name} would change")
        return CHANGES_FOUND if changed else 0
    if target.output is not None:
        places.write(target.output, places.present(target.output), after, command, asked.note)
    elif target.write and changed:
        places.write(Path(file), outcome.source.data, after, command, asked.note)
    return 0


def delivered(outcome: Outcome, target: Target) -> Outcome:
    """The outcome with whether a file got it, once it was delivered."""
    changed = outcome.chosen is not None and outcome.after(outcome.chosen) != outcome.source.data
    written = outcome.chosen is not None and not target.check and (target.output is not None or target.write)
    return replace(outcome, written=written and (changed or target.output is not None))


def display(asked: work.Request, outcome: Outcome, passed: Sequence[Result], target: Target, *, whole: bool) -> None:
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
