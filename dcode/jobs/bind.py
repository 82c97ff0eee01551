"""The imports that a program turns out to lack, above it: certain ones, else a hole, the request in front."""

import time
from collections.abc import Generator
from contextlib import suppress
from dataclasses import replace

from dcode.diffusion.plan import Plan
from dcode.errors import OutOfTime
from dcode.jobs.infill import infill
from dcode.model.load import Model
from dcode.syntax.grammar import Grammar
from dcode.syntax.unbound import begins_with_import, library_imports, only_imports, unbound
from dcode.text.frame import Frame
from dcode.text.result import Result
from dcode.text.source import Source
from dcode.text.span import Span

SLOTS = 16
"""Of 23 programs whose imports were taken out, 20 got them back with 12 or 16 slots, 17 with 8; with 24 other
statements came with them."""


def bound(
    program: Result, prompt: str, model: Model, grammar: Grammar, plan: Plan, deadline: float | None
) -> Generator[Frame, None, Result]:
    """The program below the imports it lacked: those of the library that are certain, then what the model writes.

    The model's lines stay if they are imports alone and leave fewer names unbound; what they cost is counted anyway.
    """
    if certain := library_imports(grammar, program.view):
        program = _with(program, certain + _gap(grammar, program.view)[1:] + program.view, grammar)
    if not program.unbound:
        return program
    source = Source.of(_gap(grammar, program.view) + program.view, f"new{grammar.suffixes[0]}")
    begun, tried = time.monotonic(), None
    events = infill(source, [Span(0, 0)], model, grammar, plan, hints=[prompt], slots=SLOTS, deadline=deadline)
    with suppress(OutOfTime):
        for seen in events:
            if isinstance(seen, Result):
                tried = seen
            else:
                yield seen
    if tried is None:
        return program
    program = replace(
        program,
        forwards=program.forwards + tried.forwards,
        repairs=program.repairs + tried.repairs,
        seconds={"total": program.seconds["total"] + time.monotonic() - begun},
    )
    if tried.verdict != "verified" or not only_imports(grammar, tried.regions[0].new):
        return program
    return min(program, _with(program, tried.view, grammar), key=lambda one: len(one.unbound))


def _gap(grammar: Grammar, view: bytes) -> bytes:
    """What stands between a line of imports and the program."""
    return b"\n" if begins_with_import(grammar, view) else b"\n\n\n"


def _with(program: Result, view: bytes, grammar: Grammar) -> Result:
    region = replace(program.regions[0], new=view)
    return replace(program, regions=(region,), view=view, unbound=unbound(grammar, view))
