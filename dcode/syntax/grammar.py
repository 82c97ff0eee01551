"""What dcode knows about a language: one folder `grammars/<name>`, read and proven complete.

All facts about a language are data; no code here or elsewhere names one. Nothing here parses, and nothing is
imported to know a language: its wheel is loaded by `dcode.syntax.parse`, when there is something to parse.
"""

import difflib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePath
from typing import Any, Literal

from dcode.errors import DcodeError, InputError, UsageError
from dcode.resources import data_path

DEFINITIONS = "definitions"
"""The query that every language has: its named nodes, for `--node`."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """One language. Node kinds are those of its tree-sitter grammar; bytes are UTF-8 with LF."""

    name: str
    """What the user types: the folder's name."""
    title: str
    suffixes: tuple[str, ...]
    """Of file names, with the dot."""
    names: tuple[str, ...]
    """Whole file names without a telling suffix."""
    identify: tuple[str, ...]
    """The tags by which pre-commit knows such files."""
    wheel: str
    """The module to import for the parser."""
    function: str
    """Its function that returns the language."""
    comment: str
    """What starts a comment to the end of the line; "" if nothing does."""
    cookie: re.Pattern[bytes] | None
    """A line that declares the file's encoding, in its one group."""
    block: Literal["indent", "brace"]
    block_open: str
    """The token that opens a block; "" where indentation does."""
    block_close: str
    strict: str
    """The name of a check beyond tree-sitter (see `dcode.syntax.strict`), or ""."""
    brackets: tuple[tuple[bytes, bytes], ...]
    quotes: tuple[bytes, ...]
    """What starts and ends a string, longest first."""
    continues: tuple[bytes, ...]
    """Words that begin a line which goes on with, or ends, what a line above began, as closing brackets do."""
    openers: tuple[tuple[bytes, bytes], ...]
    """Where indentation makes blocks: by such a word, the line of a block that may stand before it; under b"" that of
    any block, under b"*" of one around others. Else none."""
    closers: tuple[tuple[bytes, bytes], ...]
    """Where indentation makes blocks: by such a word, the line of a block without which the one it begins is not
    whole. Else none."""
    separators: tuple[str, ...]
    """What stands between the parts of a qualified name."""
    imports: tuple[str, ...]
    """Node kinds, at the top of a file, that say what it uses."""
    lexemes: tuple[bytes, ...]
    """Common fillers for one wrong token, likeliest first."""
    witnesses: tuple[bytes, ...]
    """Trivial fillers for a hole of unknown shape, likeliest to parse first."""
    balancers: tuple[bytes, ...]
    """Fillers with marks for what closes and what opens brackets and strings (see `dcode.syntax.balance`)."""
    frames: tuple[str, ...]
    """What may stand around some of a file's lines (at "…") so that they parse alone. A leading blank stands for the
    first sign of their own indent."""
    brings: tuple[tuple[bytes, bytes], ...]
    """Names that nearly everybody takes from one place, each with the line that brings it."""
    folder: Path

    def query(self, name: str) -> str:
        """The text of the tree-sitter query `<name>.scm` of this language."""
        return (self.folder / f"{name}.scm").read_text(encoding="utf-8")

    def knows(self, filename: str) -> bool:
        """Whether a file of this name is in this language."""
        return filename in self.names or PurePath(filename).suffix in self.suffixes


@cache
def languages() -> tuple[str, ...]:
    """The names of all known languages, sorted."""
    return tuple(sorted(table.parent.name for table in data_path("grammars").glob("*/grammar.toml")))


def grammar(name: str) -> Grammar:
    """The language of this name; UsageError, with the nearest name, if there is none."""
    if name not in languages():
        raise UsageError(f"unknown language {name!r}", hint=_suggestion(name))
    return load(data_path("grammars") / name)


def grammar_for(filename: str | PurePath) -> Grammar:
    """The language of a file, by its name or suffix alone; InputError if that says nothing."""
    name = PurePath(filename).name
    known = [grammar(language) for language in languages()]
    for spelling in (name, name.lower()):
        for candidate in known:
            if candidate.knows(spelling):
                return candidate
    raise InputError(f"no known language for {str(filename)!r}", hint=f"known: {' '.join(languages())}")


@cache
def load(folder: Path) -> Grammar:
    """The language in `folder`; DcodeError if its table is damaged, lacks a key or has one too many."""
    path = folder / "grammar.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        if odd := sorted(table.keys() ^ SCHEMA.keys()):
            raise ValueError(f"missing or unknown: {', '.join(odd)}")
        facts = {key: read(table[key]) for key, read in SCHEMA.items()}
    except (OSError, ValueError) as error:
        raise DcodeError(f"{path} is damaged: {error}", hint="reinstall dcode-diffusion") from error
    return Grammar(name=folder.name, folder=folder, **facts)


def _suggestion(name: str) -> str:
    near = difflib.get_close_matches(name.lower(), languages(), n=1)
    by_suffix = [known for known in languages() if grammar(known).knows(f"x.{name.lower()}")]
    meant = (near or by_suffix)[:1]
    return f"did you mean {meant[0]}?" if meant else f"known: {' '.join(languages())}"


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a string")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError(f"{value!r} is not a list")
    texts = tuple(_text(entry) for entry in value)
    if len(set(texts)) < len(texts):
        raise ValueError(f"{next(text for text in texts if texts.count(text) > 1)!r} twice")
    return texts


def _fillers(value: Any) -> tuple[bytes, ...]:
    return tuple(text.encode() for text in _texts(value))


def _pairs(value: Any) -> tuple[tuple[bytes, bytes], ...]:
    pairs = _texts(value)
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError(f"{value!r} are not pairs")
    return tuple((pair[0].encode(), pair[1].encode()) for pair in pairs)


def _openers(value: Any) -> tuple[tuple[bytes, bytes], ...]:
    if value and not {b"", b"*"} <= dict(_lines(value)).keys():
        raise ValueError('openers need "" and "*"')
    return _lines(value)


def _lines(value: Any) -> tuple[tuple[bytes, bytes], ...]:
    if not isinstance(value, dict):
        raise ValueError(f"{value!r} is not a table of lines by word")
    return tuple((word.encode(), _text(line).encode()) for word, line in value.items())


def _brings(value: Any) -> tuple[tuple[bytes, bytes], ...]:
    if not isinstance(value, dict):
        raise ValueError(f"{value!r} is not a table of names by what stands before them")
    names = [(name.encode(), f"{before} {name}".encode()) for before, each in value.items() for name in _texts(each)]
    if len(dict(names)) < len(names):
        raise ValueError("a name is brought twice")
    return tuple(names)


def _frames(value: Any) -> tuple[str, ...]:
    if odd := [text for text in _texts(value) if text.count("…") != 1]:
        raise ValueError(f"{odd[0]!r} needs one …")
    return _texts(value)


def _pattern(value: Any) -> re.Pattern[bytes] | None:
    try:
        return re.compile(_text(value).encode()) if value else None
    except re.error as error:
        raise ValueError(f"{value!r}: {error}") from error


def _block(value: Any) -> str:
    if value not in ("indent", "brace"):
        raise ValueError(f"block = {value!r}")
    return _text(value)


SCHEMA: Mapping[str, Callable[[Any], Any]] = {
    "title": _text,
    "suffixes": _texts,
    "names": _texts,
    "identify": _texts,
    "wheel": _text,
    "function": _text,
    "comment": _text,
    "cookie": _pattern,
    "block": _block,
    "block_open": _text,
    "block_close": _text,
    "strict": _text,
    "brackets": _pairs,
    "quotes": _fillers,
    "continues": _fillers,
    "openers": _openers,
    "closers": _lines,
    "separators": _texts,
    "imports": _texts,
    "lexemes": _fillers,
    "witnesses": _fillers,
    "balancers": _fillers,
    "frames": _frames,
    "brings": _brings,
}
"""Every key of a grammar.toml, and how its value is read: all are required, no other is allowed."""
