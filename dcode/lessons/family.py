"""A family of lessons: one everyday task, many ways to ask for it, a program with slots, and a test.

One TOML file a domain, one table a family:

    ask    phrasings; [a|b|] stands for one of its branches, $name for a slot's value, $$ for a dollar sign
    slots  name = list of texts (a choice) · "int LOW HIGH" · "float LOW HIGH" · "word" · "identifier" · "key" ·
           "person" · "char" (a letter) · "file SUFFIX" · "calc EXPRESSION" (over other slots)
    code   the program that teaches · test: asserts that follow it · setup: what runs before it, in an empty folder
    needs  modules beyond the standard library · kind: function, script or class · same: families with the same test

This file reads and proves the form; it does not draw values, run anything or decide what is held out.
"""

import ast
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any, Literal, NoReturn

from dcode.errors import InputError

FOLDER = Path(__file__).resolve().parent
WORDS = "words.toml"

Kind = Literal["choice", "int", "float", "word", "identifier", "key", "file", "char", "person", "calc"]
LISTED = ("word", "identifier", "key", "char", "person")  # kinds without arguments
SHAPES = ("function", "script", "class")

GROUP = re.compile(r"\[([^\[\]]*)\]")  # an alternation of an ask: [a|b|], no nesting


@dataclass(frozen=True, slots=True)
class Slot:
    """A value that changes from lesson to lesson: `options` of a choice, bounds of a number, or an argument.

    `text` is the suffix of a file ("csv") or the expression of a `calc`.
    """

    kind: Kind
    options: tuple[str, ...] = ()
    low: float = 0
    high: float = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """What a TOML table says; `asks` are phrasings with [a|b] alternations, all texts may hold $slots."""

    name: str
    domain: str
    asks: tuple[str, ...]
    code: str
    test: str
    slots: Mapping[str, Slot] = field(default_factory=dict)
    setup: str = ""
    needs: tuple[str, ...] = ()
    kind: str = "function"
    same: tuple[str, ...] = ()


def read_families(paths: Iterable[Path] | None = None) -> tuple[Family, ...]:
    """The families of these files, or of all files of the package; InputError names file and family."""
    chosen = sorted(FOLDER.glob("*.toml")) if paths is None else list(paths)
    found: dict[str, Family] = {}
    for path in chosen:
        if path.name == WORDS:
            continue
        for family in _read(path):
            if family.name in found:
                _refuse(path, family.name, f"has the name of a family in {found[family.name].domain}.toml")
            found[family.name] = family
    return tuple(found.values())


def _read(path: Path) -> list[Family]:
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path} is not TOML: {error}") from None
    return [_family(path, name, table) for name, table in tables.items()]


_TEXTS = {"code", "test", "setup", "kind"}
_KEYS = _TEXTS | {"ask", "slots", "needs", "same"}


def _family(path: Path, name: str, table: Any) -> Family:
    if not isinstance(table, dict) or set(table) - _KEYS or not {"ask", "code", "test"} <= set(table):
        keys = ", ".join(sorted(set(table) - _KEYS)) if isinstance(table, dict) else ""
        _refuse(path, name, f"needs ask, code and test{f' and does not know {keys}' if keys else ''}")
    for key in _TEXTS & set(table):
        if not isinstance(table[key], str):
            _refuse(path, name, f"has no text in {key!r}")
    slots = table.get("slots", {})
    family = Family(
        name=name,
        domain=path.stem,
        asks=_texts(path, name, "ask", table["ask"]),
        code=_block(table["code"]),
        test=_block(table["test"]),
        slots={key: read_slot(path, name, key, value) for key, value in slots.items()},
        setup=_block(table.get("setup", "")),
        needs=_texts(path, name, "needs", table.get("needs", [])),
        kind=table.get("kind", "function"),
        same=_texts(path, name, "same", table.get("same", [])),
    )
    _prove(path, family)
    return family


def _prove(path: Path, family: Family) -> None:
    if family.kind not in SHAPES:
        _refuse(path, family.name, f"is of kind {family.kind!r}", f"known: {', '.join(SHAPES)}")
    options = [option for slot in family.slots.values() for option in slot.options]
    for text in (*family.asks, family.code, family.test, family.setup, *options):
        unknown = names_in(text, path, family.name) - family.slots.keys()
        if unknown:
            _refuse(path, family.name, f"uses ${sorted(unknown)[0]}, which is no slot", "write $$ for a dollar sign")
    for ask in family.asks:
        if any("|" not in group for group in GROUP.findall(ask)) or re.search(r"[\[\]|]", GROUP.sub("", ask)):
            _refuse(path, family.name, f"has a stray bracket or bar in {ask!r}", "alternations are [a|b|c], not nested")


def names_in(text: str, path: Path = FOLDER, name: str = "") -> set[str]:
    """The slots that a text uses."""
    template = Template(text)
    if not template.is_valid():
        _refuse(path, name, "has a stray $", "write $$ for a dollar sign")
    return set(template.get_identifiers())


def read_slot(path: Path, name: str, key: str, value: Any) -> Slot:
    """What a slot's value in a TOML file says; InputError names file and family."""
    if isinstance(value, list):
        return Slot("choice", _texts(path, name, f"slots.{key}", value))
    kind, _, rest = str(value).partition(" ")
    rest = rest.strip()
    if kind in LISTED and not rest:
        return Slot(kind)  # type: ignore[arg-type]
    if kind in ("int", "float"):
        low, high = _bounds(path, name, key, kind, rest)
        return Slot("int" if kind == "int" else "float", low=low, high=high)
    if kind == "file" and rest:
        return Slot("file", text=rest.removeprefix("."))
    if kind == "calc" and _is_expression(rest):
        return Slot("calc", text=rest)
    return _refuse(path, name, f"has a slot {key} = {value!r} of no known kind")


def _bounds(path: Path, name: str, key: str, kind: str, rest: str) -> tuple[float, float]:
    number = int if kind == "int" else float
    try:
        low, high = map(number, rest.split())
    except ValueError:
        _refuse(path, name, f"has a slot {key} = '{kind} {rest}'", f'write "{kind} LOW HIGH"')
    if low >= high:
        _refuse(path, name, f"has a slot {key} whose bounds {rest} leave no choice")
    return low, high


def _is_expression(text: str) -> bool:
    try:
        ast.parse(text, mode="eval")
    except SyntaxError:
        return False
    return True


def _texts(path: Path, name: str, key: str, value: Any) -> tuple[str, ...]:
    texts = [value] if isinstance(value, str) else value
    wanted = isinstance(texts, list) and all(isinstance(text, str) for text in texts)
    if not wanted or (not texts and key not in ("needs", "same")):
        _refuse(path, name, f"has no list of texts in {key!r}")
    return tuple(texts)


def _block(text: str) -> str:
    stripped = text.strip("\n").rstrip()
    return f"{stripped}\n" if stripped else ""


def _refuse(path: Path, name: str, what: str, hint: str = "") -> NoReturn:
    raise InputError(f"{path.name}: [{name}] {what}", hint=hint)
