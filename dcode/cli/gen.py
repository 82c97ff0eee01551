"""`dcode gen`: new code from a request, to stdout or into a new file."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from dcode.cli import places, work
from dcode.cli.choice import Rules, summary
from dcode.cli.options import (
    Count,
    Force,
    General,
    Json,
    Language,
    Limits,
    Output,
    Sampling,
    Screen,
    Trace,
    check_output,
    command,
)
from dcode.cli.output import Outcome
from dcode.cli.streams import emit
from dcode.errors import InputError, NothingPassed
from dcode.syntax.grammar import Grammar, grammar, grammar_for
from dcode.text.frame import Frame
from dcode.text.result import Result
from dcode.text.source import Source

DEFAULT_LANGUAGE = "python"

DOUBTED, MORE = "the model doubts this: say it in other words", ", or see more with -n 4"
"""Of a program that lacks a name: few of them do what was asked."""

Prompt = Annotated[str, Argument(metavar="PROMPT", help="What the code shall do; - reads it from stdin.")]
Context = Annotated[list[Path] | None, Option("--context", metavar="FILE", help="A file to know of; repeatable.")]


def gen(
    prompt: Prompt,
    sampling: Sampling,
    limits: Limits,
    screen: Screen,
    general: General,
    lang: Language = None,
    count: Count = 1,
    context: Context = None,
    output: Output = None,
    force: Force = False,
    json: Json = False,
    trace: Trace = None,
) -> None:
    """Write new code from a request.

    Only the code goes to standard output. With -n every candidate that passes is printed, best first, each
    below a comment line that counts them; -o writes the best one.

    \b
    dcode gen "read a csv file and print its rows"
    dcode gen "sum of a list" -o total.py
    """
    check_output(
        output, trace, force=force, instead="without -o the code goes to standard output; gen needs no --stdout"
    )
    asked = work.request(general, sampling, limits, screen, json=json, trace=trace, force=force)
    language = _language(lang, output)
    text = places.read_request(prompt)
    if output is not None:
        places.refuse_existing(output, force=force)
    known = [_known(path, language) for path in context or ()]
    done = work.perform(asked, _job(asked, text, language, known, count), "programs")
    empty = Source.of(b"", f"new{language.suffixes[0]}" if output is None else places.diff_name(output))
    rules = Rules(empty, language, asked.settings.allow_fallback, to_write=output is not None)
    passed = rules.usable(done.results)
    outcome = Outcome(
        source=empty,
        before=None if output is None else places.present(output),
        path=None if output is None else str(output),
        language=language.name,
        results=done.results,
        chosen=passed[0] if passed else None,
    )
    if output is not None and passed:
        places.write(output, outcome.before, outcome.after(passed[0]), "gen", asked.note)
        outcome = replace(outcome, written=True)
    if json:
        parameters = {"prompt": text, "language": language.name, "count": count, "context": context or []}
        code = 0 if passed else NothingPassed.exit_code
        work.report("gen", asked, done, [outcome], parameters, code)
    if not passed:
        raise rules.refusal(done.results[0]) or AssertionError("no candidate, no reason")
    if output is None and not json:
        emit(_listing(outcome, passed, language.comment) if count > 1 else outcome.after(passed[0]))
    asked.note(summary(passed[0], done.seconds["total"]))
    if passed[0].unbound:
        asked.note(DOUBTED + MORE * (count == 1))


def _language(lang: str | None, output: Path | None) -> Grammar:
    """The language asked for, else that of the file to write, else the default."""
    if lang is not None:
        return grammar(lang)
    return grammar_for(output) if output is not None and output.suffix else grammar(DEFAULT_LANGUAGE)


def _known(path: Path, language: Grammar) -> Source:
    """A file to know of, in the encoding that it declares as its own language does, or else as the new code's."""
    try:
        own = grammar_for(path)
    except InputError:
        own = language
    return Source.read(path, own.cookie)


def _job(asked: work.Request, text: str, language: Grammar, known: Sequence[Source], count: int) -> work.Job:
    slots = {} if asked.settings.slots is None else {"slots": asked.settings.slots}

    def job(ready: work.Ready) -> Iterator[Frame | Result]:
        from dcode.jobs.generate import generate

        return generate(
            text,
            ready.model,
            language,
            ready.plan,
            count=count,
            context=known,
            feedback=asked.settings.feedback,
            deadline=asked.deadline,
            **slots,
        )

    return job


def _listing(outcome: Outcome, passed: Sequence[Result], comment: str) -> bytes:
    """All candidates that passed, each below a comment that counts them, if the language has comments."""
    parts = []
    for number, result in enumerate(passed, start=1):
        head = f"{comment} --- {number} of {len(passed)}, {result.verdict} ---\n" if comment else ""
        parts.append(head.encode() + outcome.after(result).rstrip(b"\n") + b"\n")
    return b"\n".join(parts)


app = command(gen)
