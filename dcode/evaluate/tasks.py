"""Infilling tasks: a program with a gap, and the test that the filled program must pass.

Reads the format of HumanEval-Infilling (arXiv 2207.14255) and knows nothing of models. These tasks measure and
never teach: nothing in `dcode.train` or `dcode.lessons` may read them.
"""

import gzip
import json
import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dcode.errors import InputError

FIELDS = ("task_id", "prompt", "suffix", "canonical_solution", "test", "entry_point")


@dataclass(frozen=True, slots=True)
class InfillTask:
    """A gap between `prefix` and `suffix`, the text that stood there, and the test that a fill must pass.

    In the single-line and multi-line sets the prefix ends with a newline, and the canonical fill is whole lines
    from indentation to newline.
    """

    task_id: str
    prefix: str
    suffix: str
    canonical: str
    test: str
    entry_point: str


def read_infill(path: Path, *, whole: bool = False) -> list[InfillTask]:
    """The tasks of a `.jsonl` or `.jsonl.gz` file; InputError names the line that is not one.

    `whole`: they are HumanEval's (arXiv 2107.03374), where the body of a function is the gap, and nothing is behind it.
    """
    try:
        data = path.read_bytes()
        lines = (gzip.decompress(data) if path.suffix == ".gz" else data).split(b"\n")
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"cannot read {path}: {error}", hint="give a .jsonl or .jsonl.gz file") from None
    tasks = [_task(line, f"{path}:{number}", whole) for number, line in enumerate(lines, 1) if line.strip()]
    if len({task.task_id for task in tasks}) < len(tasks):
        raise InputError(f"{path} has two rows of the same task_id")
    return tasks


def program(task: InfillTask, fill: str) -> str:
    """The program that runs to its end if, and only if, `fill` is right."""
    return f"{filled(task, fill)}\n{task.test}\ncheck({task.entry_point})\n"


def filled(task: InfillTask, fill: str) -> str:
    """The file with its gap filled, without the test."""
    return task.prefix + fill + task.suffix


def sample(tasks: Sequence[InfillTask], n: int, seed: int) -> list[InfillTask]:
    """`n` tasks drawn without replacement, in file order; all of them if there are no more than `n`."""
    chosen = random.Random(seed).sample(range(len(tasks)), min(n, len(tasks)))
    return [tasks[index] for index in sorted(chosen)]


def _task(line: bytes, where: str, whole: bool) -> InfillTask:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise InputError(f"{where} is not JSON: {error}") from None
    if whole and isinstance(row, dict):
        row = {**row, "suffix": ""}
    for name in FIELDS:
        if not isinstance(row, dict) or not isinstance(row.get(name), str):
            raise InputError(f"{where} has no text in {name!r}", hint=f"a row needs {', '.join(FIELDS)}")
    return InfillTask(*(row[name] for name in FIELDS))
