"""Texts that a model has not learned from, by package: a corpus's held-out split, or any folder of source files.

It knows files, no tokens and no models.
"""

import ast
import json
import random
import textwrap
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from dcode.errors import InputError

CORPUS = "files.jsonl"
HELD = "held"
SUFFIX = ".py"
MOST_BYTES = 256_000


def held_texts(place: Path) -> dict[str, tuple[str, ...]]:
    """The texts of every package: of the split "held" in a corpus folder, else of the source files below a folder.

    Below a folder a package is a folder in it; files that lie in it directly are one package named like it.
    """
    if (place / CORPUS).is_file():
        pairs = list(_corpus(place / CORPUS))
    elif place.is_dir():
        pairs = list(_folder(place))
    else:
        raise InputError(f"there is no folder {place}", hint="give what dcode train corpus wrote, or source files")
    found: dict[str, list[str]] = {}
    for package, text in pairs:
        found.setdefault(package, []).append(text)
    if not found:
        raise InputError(f"{place} holds no held-out text", hint="give what dcode train corpus wrote, or source files")
    return {package: tuple(texts) for package, texts in sorted(found.items())}


def functions(texts: Mapping[str, Sequence[str]], seed: int) -> Iterator[tuple[str, str]]:
    """(package, source) of every function, dedented, in an order that the seed decides."""
    found = [(package, function) for package, group in texts.items() for text in group for function in _functions(text)]
    random.Random(seed).shuffle(found)
    yield from found


def _corpus(path: Path) -> Iterator[tuple[str, str]]:
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            row = json.loads(line)
            if row["split"] == HELD:
                yield row["package"], row["text"]


def _folder(place: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(place.rglob(f"*{SUFFIX}")):
        parts = path.relative_to(place).parts
        if path.stat().st_size <= MOST_BYTES:
            try:
                text = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
            if text.strip():
                yield (parts[0] if len(parts) > 1 else place.resolve().name), text


def _functions(text: str) -> Iterator[str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    lines = text.splitlines(keepends=True)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield textwrap.dedent("".join(lines[node.lineno - 1 : node.end_lineno]))
