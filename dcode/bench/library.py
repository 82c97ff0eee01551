"""The text that the benches work on: functions of the running interpreter's standard library, found anew each time.

Nothing of it is stored. Files are dealt into two halves: one to count words in, one to cut functions from, so that no
function was counted. It knows files and definitions, no benches.
"""

import ast
import random
import sysconfig
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dcode.errors import InputError
from dcode.syntax.check import file_faults
from dcode.syntax.grammar import Grammar

LINES = range(5, 61)
"""How long a function is."""

LEFT_OUT = frozenset({"site-packages", "test", "tests", "idle_test"})
"""Folders that are not the library proper, or not there in every installation."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function without the indent it had; its first `head` bytes are the lines before the body's first line."""

    name: str
    view: bytes
    head: int


def standard_library() -> Path:
    """The folder of the running interpreter's standard library."""
    return Path(sysconfig.get_path("stdlib"))


def halves(folder: Path, seed: int) -> tuple[list[Path], list[Path]]:
    """All files below a folder, in a seeded order, in two halves."""
    files = sorted(path for path in folder.rglob("*.py") if not LEFT_OUT & set(path.relative_to(folder).parts))
    if len(files) < 2:
        raise InputError(f"{folder} has no Python files to work on")
    random.Random(seed).shuffle(files)
    return files[: len(files) // 2], files[len(files) // 2 :]


def texts(files: Sequence[Path], most_bytes: int) -> Iterator[bytes]:
    """The views of those files that are UTF-8, until there is enough."""
    for path in files:
        text = _text(path)
        if text is None:
            continue
        yield text.encode()
        most_bytes -= len(text)
        if most_bytes <= 0:
            return


def functions(grammar: Grammar, files: Sequence[Path], count: int, seed: int) -> list[Function]:
    """So many functions without a fault, one of each file in turn, so that long files do not prevail.

    Fewer are the first of more. InputError if there are not enough.
    """
    waiting: dict[Path, list[Function]] = {}
    found: list[Function] = []
    while turn := [path for path in files if waiting.get(path, True)]:
        for path in turn:
            if path not in waiting:
                waiting[path] = _shuffled(path, seed)
            if waiting[path]:
                function = waiting[path].pop()
                found += () if file_faults(grammar, function.view) else (function,)
            if len(found) == count:
                return found
    raise InputError(f"{count} functions were wanted, the library has {len(found)}")


def _shuffled(path: Path, seed: int) -> list[Function]:
    own = list(_cut(path))
    random.Random(f"{seed} {path.name}").shuffle(own)
    return own


def _cut(path: Path) -> Iterator[Function]:
    text = _text(path)
    if text is None:
        return
    lines = text.split("\n")
    for node in _definitions(text):
        first, last = node.lineno - 1, node.end_lineno or node.lineno
        body = node.body[0].lineno - 1
        if body > first and last - first in LINES:
            view = textwrap.dedent("\n".join(lines[first:last]) + "\n")
            head = "".join(f"{line}\n" for line in view.split("\n")[: body - first])
            yield Function(f"{path.stem}.{node.name}:{node.lineno}", view.encode(), len(head.encode()))


def _definitions(text: str) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError):
            return []
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def _text(path: Path) -> str | None:
    """A file's text with LF; None if it cannot be read as UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
