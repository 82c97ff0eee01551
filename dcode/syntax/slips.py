"""Unbound names of a program that are slips for names which it brings.

Mistyped ones are a letter from what was meant, whoever wrote them. Between names that share a word, `rows` where `row`
came in, only a program that a model wrote may be reconciled: a person may have meant something else.
"""

import ast
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from functools import partial
from itertools import product

from dcode.syntax.grammar import Grammar
from dcode.syntax.unbound import line_offsets, program, tables, unbound

LEAST_LETTERS = 3
"""Shorter words are shared by too many names to say which one was meant."""


def retyped(grammar: Grammar, view: bytes) -> bytes:
    """The program with the only one of its names that is a letter from it in place of each unbound one: a letter too
    many, too few, or wrong, or two that changed places.

    As it was where no name is unbound, or nobody knows the language's names.
    """
    return _put_right(grammar, view, _mistyped)


def reconciled(grammar: Grammar, view: bytes) -> bytes:
    """The program with the likest of its unused names in place of each unbound one that shares a word with it.

    As `retyped`, and where two are taken for the same one.
    """
    return _put_right(grammar, view, _shared)


Meant = Callable[[bytes, Sequence[str]], Mapping[str, str]]
"""The view of a program and its unbound names in; what is meant by some of them out."""


def _put_right(grammar: Grammar, view: bytes, find: Meant) -> bytes:
    lacking, rename = unbound(grammar, view), RENAMES.get(grammar.strict)
    return rename(view, find(view, lacking)) if lacking and rename else view


def _mistyped(view: bytes, lacking: Sequence[str]) -> Mapping[str, str]:
    known, _ = _brought(view)
    found = {name: [one for one in known if _is_slip(name, one)] for name in lacking}
    return {name: near[0] for name, near in found.items() if len(near) == 1}


def _shared(view: bytes, lacking: Sequence[str]) -> Mapping[str, str]:
    _, idle = _brought(view)
    meant = {name: max(like, key=partial(_likeness, name)) for name in lacking if (like := _alike(name, idle))}
    return meant if len({*meant.values()}) == len(meant) else {}


def _brought(view: bytes) -> tuple[list[str], list[str]]:
    """The names that a program brings, and those of them that are not imported and that nothing in it uses."""
    symbols = [symbol for table in tables(view) for symbol in table.get_symbols()]
    own = {one.get_name() for one in symbols if one.is_assigned() or one.is_parameter()}
    imported = {one.get_name() for one in symbols if one.is_imported()}
    used = {one.get_name() for one in symbols if one.is_referenced()}
    return sorted(own | imported), sorted(own - used)


def _renamed(view: bytes, meant: Mapping[str, str]) -> bytes:
    lines = line_offsets(view)
    nodes = [node for node in ast.walk(program(view)) if isinstance(node, ast.Name) and node.id in meant]
    for at, old in sorted(
        ((lines[node.lineno - 1] + node.col_offset, node.id.encode()) for node in nodes), reverse=True
    ):
        # Nodes in strings that are formatted may be elsewhere than they say.
        if view.startswith(old, at):
            view = view[:at] + meant[old.decode()].encode() + view[at + len(old) :]
    return view


def _is_slip(one: str, other: str) -> bool:
    """Whether a letter of two words, not their first, is too many, too few or wrong, or two changed places."""
    short, long = sorted((one, other), key=len)
    if len(short) < LEAST_LETTERS or len(long) > len(short) + 1 or short[0] != long[0]:
        return False
    at = next((at for at, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    rest, behind = short[at:], long[at:]
    if len(long) > len(short):
        return rest == behind[1:]
    return rest[1:] == behind[1:] or (rest[2:] == behind[2:] and rest[:2] == behind[1::-1])


def _alike(name: str, others: Iterable[str]) -> list[str]:
    """Those of the others that share a word with a name, or the beginning of one."""
    words = _words(name)
    return [one for one in others if any(a.startswith(b) or b.startswith(a) for a, b in product(words, _words(one)))]


def _words(name: str) -> list[str]:
    return [
        word for word in re.findall("[a-z]+", re.sub("([A-Z])", r"_\1", name).lower()) if len(word) >= LEAST_LETTERS
    ]


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio()


RENAMES: Mapping[str, Callable[[bytes, Mapping[str, str]], bytes]] = {"compile": _renamed}
"""By the name of a grammar's strict check, as for `dcode.syntax.unbound.NAMES`."""
