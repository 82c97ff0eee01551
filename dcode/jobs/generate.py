"""A whole program from a request: an empty file with one hole, and the request in front of it."""

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace

from dcode.diffusion.canvas import Canvas
from dcode.diffusion.plan import Plan
from dcode.errors import InputError, OutOfTime
from dcode.jobs.fill import FENCE, Outcome, fill, is_late, verdict, vocabulary
from dcode.jobs.infill import candidate_plan, ranked
from dcode.jobs.request import SLOTS as LONGEST
from dcode.jobs.request import Written, answers, asked
from dcode.model.framing import Framing
from dcode.model.load import Model
from dcode.syntax.check import GrammarChecker, file_faults
from dcode.syntax.evident import brought
from dcode.syntax.grammar import Grammar
from dcode.syntax.unbound import unbound
from dcode.text.frame import Frame
from dcode.text.prompt import request_header
from dcode.text.result import Region, Result, Verdict
from dcode.text.source import Source
from dcode.text.span import Span

SLOTS = 128

RETRIES = 2
"""How many more candidates are made, warmer, when too few of those asked for pass."""


def generate(
    prompt: str,
    model: Model,
    grammar: Grammar,
    plan: Plan,
    *,
    slots: int | None = None,
    count: int = 1,
    context: Sequence[Source] = (),
    feedback: bool = True,
    deadline: float | None = None,
) -> Iterator[Frame | Result]:
    """Write a program for `prompt`; Frames while it works, then up to `count` Results, best first.

    A candidate that does not parse is tried again with another seed, a few times; all are counted. The imports that are
    certain are written above it, but beside files of context, which may bring them.

    The files of `context` stand in front of the request, as far as the window reaches. Raises InputError for an empty
    prompt or one that leaves no room, OutOfTime if the deadline (time.monotonic) leaves no result.
    """
    header = request_header(prompt, grammar.comment)
    if not header:
        raise InputError(f"the prompt {prompt!r} is empty", hint='say what to write: dcode gen "reverse a string"')
    if model.is_causal and model.framing is not None:
        yield from _from_the_left(
            prompt, model, model.framing, grammar, plan, slots, count, context, feedback, deadline
        )
        return
    slots = slots or SLOTS
    chats = model.checkpoint.prompt == "chat" and model.tokenizer.template is not None
    request = _chat(prompt, model, grammar) if chats else None
    pieces = _context(request or model.tokenizer.encode(header.encode()), model, slots, context)
    plan = replace(plan, block=model.block or plan.block)
    if model.block == 1:  # no slot says anything before its turn: a void needs not wait for those behind it
        plan = replace(plan, void_tail=0.0)
    checker = GrammarChecker(grammar, b"", (Span(0, 0),)) if feedback else None
    canvas = Canvas.of(pieces, (slots,), (b"", b"\n"), vocabulary(model, ends=True))
    whole = feedback and not context  # what a program lacks, a file it is written for may bring
    made: list[Result] = []
    while _lacks(made, count) and not (made and is_late(deadline)):
        try:
            one = yield from _candidate(
                canvas, model, grammar, candidate_plan(plan, len(made)), checker, deadline, len(made)
            )
            made.append(with_imports(one, grammar) if whole and one.verdict != "failed" else one)
        except OutOfTime:
            if not made:
                raise
            break
    given = ranked([one for one in made if one.verdict != "failed"])[:count] or made[:1]
    wasted = sum(one.forwards for one in made) - sum(one.forwards for one in given)
    yield replace(given[0], forwards=given[0].forwards + wasted)
    yield from given[1:]


def _from_the_left(
    prompt: str,
    model: Model,
    framing: Framing,
    grammar: Grammar,
    plan: Plan,
    slots: int | None,
    count: int,
    context: Sequence[Source],
    feedback: bool,
    deadline: float | None,
) -> Iterator[Frame | Result]:
    """Programs by a left-to-right base, which is asked in its own words."""
    begun = time.monotonic()
    files = (asked(framing.known, grammar, name=one.name, text=one.view.decode()) for one in context)
    words = "".join(files) + asked(framing.ask, grammar, request=prompt.strip())

    def judge(one: Written) -> Result:
        return _program(one, grammar, feedback, bool(context), begun)

    def passes(one: Result) -> bool:
        return one.verdict != "failed"

    return answers(words, model, grammar, plan, count, slots or LONGEST, deadline, judge, passes)


def _program(one: Written, grammar: Grammar, feedback: bool, known: bool, begun: float) -> Result:
    """What was written, as a file: with the imports that are certain, unless it is written for others."""
    view = one.text.strip(b"\n") + b"\n"
    faults = file_faults(grammar, view) if feedback else ()
    said: Verdict = "verified" if feedback else "unchecked"
    if faults or says_nothing(view, grammar.comment):
        said = "failed"
    region, seconds = Region(Span(0, 0), b"", view, said, one.confidence), {"total": time.monotonic() - begun}
    result = Result((region,), view, (), faults, 0, 0, seconds, one.stopped)
    return result if known or said == "failed" else with_imports(result, grammar)


def _lacks(made: Sequence[Result], count: int) -> bool:
    """Whether too few of the candidates pass, and another may be made."""
    return sum(one.verdict != "failed" for one in made) < count and len(made) < count + RETRIES


def says_nothing(text: bytes, comment: str) -> bool:
    """Whether there is nothing but blank lines and comment lines."""
    lines = (line.strip() for line in text.split(b"\n"))
    return all(not line or (comment and line.startswith(comment.encode())) for line in lines)


def _chat(prompt: str, model: Model, grammar: Grammar) -> list[int]:
    """The request in the model's own chat template, and the answer's code fence, open: the hole is code alone."""
    assert model.tokenizer.template is not None
    asked = f"Write {grammar.title} code, and nothing else: {prompt.strip()}"
    fence = FENCE + grammar.name.encode() + b"\n"
    return [*model.tokenizer.template(asked), *model.tokenizer.encode(fence)]


def _context(
    request: Sequence[int], model: Model, slots: int, context: Sequence[Source]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    tokenizer = model.tokenizer
    room = model.window - slots - len(request) - 2
    if room < 0:
        raise InputError(
            f"the prompt's {len(request)} tokens and {slots} slots exceed the model's window of {model.window}",
            hint="shorten the prompt, or give fewer --slots",
        )
    shown = tokenizer.encode(b"\n".join(source.view for source in context))
    return (tokenizer.begin_id, *shown[len(shown) - min(room, len(shown)) :], *request), (tokenizer.end_id,)


def _candidate(
    canvas: Canvas,
    model: Model,
    grammar: Grammar,
    plan: Plan,
    checker: GrammarChecker | None,
    deadline: float | None,
    attempt: int,
) -> Generator[Frame, None, Result]:
    begun = time.monotonic()
    outcome: Outcome | None = None
    for seen in fill(canvas, model, plan, checker, deadline, attempt):
        if isinstance(seen, Outcome):
            outcome = seen
        else:
            yield seen
    assert outcome is not None
    said = verdict(outcome, checker)
    text = outcome.fills[0]
    # A filler that only parses is no program, so there is no fallback; nor is an empty one an answer.
    if says_nothing(text, grammar.comment):
        said = "failed"
    view = text.rstrip(b"\n") + b"\n"
    result = Result(
        regions=(Region(Span(0, 0), b"", view, said, outcome.confidence[0]),),
        view=view,
        faults_before=(),
        faults_after=file_faults(grammar, view) if checker else (),
        forwards=outcome.forwards,
        repairs=outcome.repairs,
        stopped=outcome.stopped,
    )
    return replace(result, seconds={"total": time.monotonic() - begun})


def with_imports(program: Result, grammar: Grammar) -> Result:
    """The program with the imports and names that are certain; it says which are unbound still."""
    program = replace(program, unbound=unbound(grammar, program.view))
    return _fewer(program, brought(grammar, program.view), grammar) if program.unbound else program


def _fewer(program: Result, view: bytes, grammar: Grammar) -> Result:
    """The program with this text, if it leaves fewer names unbound and has no fault; else as it was."""
    lacking = unbound(grammar, view)
    if len(lacking) >= len(program.unbound) or file_faults(grammar, view):
        return program
    region = replace(program.regions[0], new=view)
    return replace(program, regions=(region,), view=view, unbound=lacking)
