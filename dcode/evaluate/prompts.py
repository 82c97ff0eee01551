"""Requests that bring their own tests (JSON lines) as questions; the judgement itself is `judge`'s or HumanEval's.

A row: `prompt`, and `kind` "function" with `cases` of `args` and `want`, or "files" with `setup`, `calls` and `check`.
These measure and never teach. It knows no model.
"""

import ast
import importlib.util
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from dcode.errors import InputError
from dcode.evaluate import judge
from dcode.evaluate.passes import Question
from dcode.evaluate.tasks import InfillTask, program
from dcode.lessons.sandbox import Outcome, run

TIMEOUT_S, MEMORY_MB = 20.0, 4096

COMPLETE = "complete this function:\n\n{0}"
"""How a person asks for a function whose head is there."""

KINDS: dict[str, dict[str, type]] = {
    "function": {"prompt": str, "cases": list},
    "files": {"prompt": str, "setup": str, "calls": list, "check": str},
}


def read_prompts(path: Path) -> tuple[Question, ...]:
    """The rows of a file as questions; InputError names the line that is none, or a module that is missing here."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {error}", hint="give a .jsonl file of requests with tests") from None
    rows = [_row(line, f"{path}:{number}") for number, line in enumerate(lines, 1) if line.strip()]
    return tuple(_question(row, number) for number, row in enumerate(rows))


def humaneval(tasks: Sequence[InfillTask], way: str) -> tuple[Question, ...]:
    """The functions of HumanEval as questions: by the `way` "gen" a person asks for the whole function, showing its
    head; by "infill" the body is a hole behind the head."""
    ask = COMPLETE if way == "gen" else "{0}"
    return tuple(
        Question(task.task_id, ask.format(task.prefix), way, task.task_id, partial(execute_body, task, way))
        for task in tasks
    )


def execute_body(task: InfillTask, way: str, answer: str) -> Outcome:
    """How HumanEval's own test of an answer ends: a body, or a function below the head, whose imports and helpers
    it may use."""
    # The dots end the head's function: a whole function is asked for, and a body alone is none.
    text = f"    pass\n\n\n...\n{answer}" if way == "gen" else answer
    return run(program(task, text), timeout_s=TIMEOUT_S, memory_mb=MEMORY_MB)


def execute(test: dict[str, Any], answer: str) -> Outcome:
    """How the judgement of an answer ends; it passes if it ends at its last line."""
    source = Path(judge.__file__).read_text("utf-8")
    return run(f"{source}\njudge({answer!r}, {test!r})\n", timeout_s=TIMEOUT_S, memory_mb=MEMORY_MB)


def _question(row: dict[str, Any], number: int) -> Question:
    return Question(f"prompt/{number}", row["prompt"], row["kind"], str(number), partial(execute, row))


def _row(line: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise InputError(f"{where} is not JSON: {error}") from None
    wanted = KINDS.get(row.get("kind", "")) if isinstance(row, dict) else None
    if wanted is None:
        raise InputError(f"{where} is of no known kind", hint=f"kinds: {', '.join(KINDS)}")
    for name, kind in wanted.items():
        if not isinstance(row.get(name), kind):
            raise InputError(f"{where} has no {kind.__name__} in {name!r}")
    if row["kind"] == "files":
        _prove_files(row, where)
    return dict(row)


def _prove_files(row: dict[str, Any], where: str) -> None:
    try:
        judge.find_check(row["check"])
    except LookupError:
        hint = "dcode/evaluate/judge.py lists the sentences it knows"
        raise InputError(f"{where} has a check that nobody can decide: {row['check']!r}", hint=hint) from None
    for node in ast.walk(ast.parse(row["setup"])):
        module = node.module if isinstance(node, ast.ImportFrom) else None
        if module and importlib.util.find_spec(module.partition(".")[0]) is None:
            raise InputError(f"{where} needs {module}, which is not installed", hint="pip install pillow")
