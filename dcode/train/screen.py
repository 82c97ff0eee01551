"""Which Python files are worth learning from: written by people, in code, in English, and not seen before.

It knows one text at a time and what it has seen; no packages, no folders.
"""

import ast
import hashlib
import re
import warnings
import zlib
from collections.abc import Iterator

import numpy as np

MIN_BYTES, MAX_BYTES = 200, 200_000
MAX_MEAN_LINE, MAX_LINE = 100, 400  # characters
MAX_DIGIT_SHARE = 0.10
MAX_LITERAL_SHARE = 0.4  # lines within large collection displays or long strings that are no docstrings
MAX_FOREIGN_SHARE = 0.01  # characters beyond ASCII
MAX_CONTAINMENT = 0.7  # shingles of a file that were seen before
_LARGE_DISPLAY = 12  # elements
_LONG_STRING = 15  # lines
_SHINGLE = 8  # lexical tokens
_SAMPLED = 8  # of this many shingles, one is remembered

_EVALUATION = re.compile(r"human[_\- ]?eval|mbpp|dcode[_-]", re.IGNORECASE)
_UNWANTED_PART = re.compile(
    r"(^|_)(tests?|testing|testdata|vendor(ed|ized)?|fixtures?|generated|benchmarks?|asv_bench)$"
    r"|^(_?extern(al|als)?|third_party|locale|migrations|conftest\.py|setup\.py|_?version\.py|__about__\.py)$"
    r"|^test_|_tests?\.py$|_pb2(_grpc)?\.py$|_generated|_?_version_?_?\.py$|(lex|yacc|parse)tab\.py$"
)
_GENERATED = re.compile(
    r"generated (by|from|using|with|file|code|automatically|parser)|auto-?matically generated|auto-?generated"
    r"|do not (edit|modify)|@generated",
    re.IGNORECASE,
)
_LEXEME = re.compile(r"\w+|[^\w\s]")


def wanted_path(path: str) -> bool:
    """Whether a path within a package ("/" between parts) promises a person's library code."""
    return not _EVALUATION.search(path) and not any(map(_UNWANTED_PART.search, path.split("/")))


def wanted_text(text: str) -> bool:
    """Whether a file's text has the size, shape and language of written code, by its surface alone."""
    lines = text.splitlines()
    return (
        MIN_BYTES <= len(text.encode()) <= MAX_BYTES
        and max(map(len, lines)) <= MAX_LINE
        and len(text) <= MAX_MEAN_LINE * len(lines)
        and sum(map(text.count, "0123456789")) <= MAX_DIGIT_SHARE * len(text)
        and (text.isascii() or sum(c > "\x7f" for c in text) <= MAX_FOREIGN_SHARE * len(text))
        and not _GENERATED.search("\n".join(lines[:12]))
        and not _EVALUATION.search(text)
    )


def parsed(text: str) -> ast.Module | None:
    """The tree of a file that this Python can read, or None."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def is_data(tree: ast.Module, lines: int) -> bool:
    """Whether more than `MAX_LITERAL_SHARE` of a file's lines are tables and long strings, not code."""
    return sum(map(_height, _large_literals(tree))) > MAX_LITERAL_SHARE * lines


def _large_literals(node: ast.AST) -> Iterator[ast.expr]:
    """The outermost large displays and long strings; a string that stands as a statement is prose."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue
        if isinstance(child, ast.expr) and _is_large(child):
            yield child
        else:
            yield from _large_literals(child)


def _is_large(node: ast.expr) -> bool:
    if isinstance(node, ast.Dict):
        return len(node.values) >= _LARGE_DISPLAY
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return len(node.elts) >= _LARGE_DISPLAY
    return isinstance(node, ast.Constant | ast.JoinedStr) and _height(node) >= _LONG_STRING


def _height(node: ast.expr) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


class Novelty:
    """Remembers the texts it accepted; refuses a text that says the same again, or mostly the same."""

    def __init__(self) -> None:
        self._digests: set[bytes] = set()
        self._shingles: set[int] = set()
        self._words: dict[str, int] = {}

    def is_repeated(self, text: str) -> bool:
        """Whether the text was accepted before, white space aside: cheap, no shingles are made."""
        return _digest(text) in self._digests

    def accept(self, text: str) -> bool:
        """Whether the text is new; if so, it is remembered."""
        shingles = self._sample(text)
        seen = sum(shingle in self._shingles for shingle in shingles)
        if self.is_repeated(text) or seen > MAX_CONTAINMENT * len(shingles):
            return False
        self._digests.add(_digest(text))
        self._shingles.update(shingles)
        return True

    def _sample(self, text: str) -> list[int]:
        """The hashes, of every run of eight lexical tokens, that fall in a fixed eighth of all hashes."""
        words = _LEXEME.findall(text)
        for word in set(words) - self._words.keys():
            self._words[word] = zlib.crc32(word.encode(errors="replace"))
        ids = np.fromiter(map(self._words.__getitem__, words), dtype=np.uint64, count=len(words))
        if len(ids) < _SHINGLE:
            return []
        hashes = np.zeros(len(ids) - _SHINGLE + 1, dtype=np.uint64)
        for offset in range(_SHINGLE):
            hashes = hashes * np.uint64(0x9E3779B97F4A7C15) + ids[offset : offset + len(hashes)]
        hashes ^= hashes >> np.uint64(29)  # a product's low bits depend on low bits only
        kept: list[int] = np.unique(hashes[hashes % np.uint64(_SAMPLED) == 0]).tolist()
        return kept


def _digest(text: str) -> bytes:
    return hashlib.sha256(" ".join(text.split()).encode(errors="replace")).digest()[:16]
