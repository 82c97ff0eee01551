"""The names that a program turns out to lack: certain imports and slips, else a hole above it, the request in front."""

import time
from collections.abc import Generator
from contextlib import suppress
from dataclasses import replace

from dcode.diffusion.plan import Plan
from dcode.errors import OutOfTime
from dcode.jobs.infill import infill
from dcode.model.load import Model
from dcode.syntax.check import file_faults
from dcode.syntax.evident import brought
from dcode.syntax.grammar import Grammar
from dcode.syntax.unbound import import_place, only_imports, unbound
from dcode.text.frame import Frame
from dcode.text.result import Result
from dcode.text.source import Source
from dcode.text.span import Span

SLOTS = 16
"""Of 23 programs whose imports were taken out, 20 got them back with 12 or 16 slots, 17 with 8; with 24 other
statements came with them."""


def bound(
    program: Result, prompt: str, model: Model, grammar: Grammar, plan: Plan, deadline: float | None, attempt: int = 0
) -> Generator[Frame, None, Result]:
    """The program with the names it lacked: imports that are certain are written above it, slips for names that it
    brings are put right, then the model may write imports above it.

    It says which names are unbound still, and is as it was if none are.
    The model's lines stay if they are imports alone and leave fewer names unbound; what they cost is counted anyway.
    """
    program = with_imports(program, grammar)
    if not program.unbound or model.block:  # what sees nothing behind a hole cannot fill one
        return program
    at, gap = import_place(grammar, program.view)
    source = Source.of(program.view[:at] + gap + program.view[at:], f"new{grammar.suffixes[0]}")
    begun, tried, spent = time.monotonic(), None, 0
    events = infill(source, [Span(at, at)], model, grammar, plan, hints=[prompt], slots=SLOTS, deadline=deadline)
    with suppress(OutOfTime):
        for seen in events:
            if isinstance(seen, Result):
                tried = seen
            else:
                spent = seen.index
                yield replace(seen, attempt=attempt)
    program = replace(
        program,
        forwards=program.forwards + (tried.forwards if tried else spent),
        repairs=program.repairs + (tried.repairs if tried else 0),
        seconds={"total": program.seconds["total"] + time.monotonic() - begun},
    )
    if tried is None or tried.verdict != "verified" or not only_imports(grammar, tried.regions[0].new):
        return program
    return _fewer(program, tried.view, grammar)


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
