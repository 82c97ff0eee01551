"""The lessons' held-out splits as questions: requests that no training row asks, executed against the families' tests.

They are drawn again from the families and a seed; no corpus is needed. It knows no model.
"""

import ast
from collections.abc import Collection, Sequence
from functools import partial
from math import ceil
from random import Random

from dcode.evaluate.passes import Question
from dcode.lessons.answer import answered
from dcode.lessons.check import MEMORY_MB, missing
from dcode.lessons.compose import composed
from dcode.lessons.family import Family, read_families
from dcode.lessons.heldout import held_out
from dcode.lessons.sandbox import Outcome, run
from dcode.lessons.stream import OF_HELD, Row, Split, measuring

TIMEOUT_S = 20.0
"""Enough for a program that imports a plotting library on a busy machine."""

SPLITS = ("wording", "pattern", "values", "family", "composed", "edit", "repair")
"""What a row of `lessons.jsonl` may measure; "composed" are the held-out families among those made of parts."""


def questions(
    split: str,
    number: int,
    seed: int,
    families: Sequence[Family] | None = None,
    domains: Collection[str] = (),
) -> tuple[Question, ...]:
    """About `number` questions of a split, drawn over families as evenly as can be; `seed` decides all of them.

    Families whose modules are not installed here are left out, and those outside `domains`, if any are named.
    """
    assert split in SPLITS, split
    kind: Split = "family" if split == "composed" else split  # type: ignore[assignment]
    made = (composed() if split == "composed" else read_families()) if families is None else families
    every = tuple(made)
    held = held_out(every)
    measured = [family for family in every if (family.name in held) == (kind in OF_HELD)]
    measured = [family for family in measured if not domains or family.domain in domains]
    wanted = {family.name for family in measured if not missing(family)}
    # Twice the even share: some families have fewer requests to give.
    per_family = 2 * ceil(number / max(1, len(measured)))
    found: dict[str, list[Row]] = {}
    for row in measuring(every, kind, per_family, seed):
        if row.family in wanted:
            found.setdefault(row.family, []).append(row)
    names = sorted(found)
    Random(f"{seed}:{split}").shuffle(names)
    turns = ((name, at) for at in range(max(map(len, found.values()), default=0)) for name in names)
    chosen = [(found[name][at], at) for name, at in turns if at < len(found[name])][:number]
    return tuple(_question(row, split, at, seed) for row, at in chosen)


def _question(row: Row, split: str, at: int, seed: int) -> Question:
    name = f"{split}/{row.family}/{seed}/{at}"
    return Question(name, row.request, split, row.family, partial(execute, row), row.old)


def execute(row: Row, answer: str) -> Outcome:
    """How the family's test ends after this answer.

    Code that was to be changed passes its test before the change as well, so there the form must be the wanted one.
    """
    if row.split == "edit" and not alike(answer, row.code):
        return Outcome("failed", "", "the change is not the one that was asked for", 0.0)
    program = answered(answer, row.code, row.setup, row.test)
    return run(program, timeout_s=TIMEOUT_S, memory_mb=MEMORY_MB)


def alike(one: str, other: str) -> bool:
    """Whether two programs have the same syntax tree, whatever their docstrings say."""
    try:
        return _form(one) == _form(other)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def _form(program: str) -> str:
    tree = ast.parse(program)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            node.body[0] = ast.Expr(ast.Constant("documented"))
    return ast.dump(tree)
