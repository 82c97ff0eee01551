"""Unbound names of a program that are slips for names which it brings and never uses: `rows`, where `row` came in.

It is for whole programs that a model wrote: a person may have meant something else.
"""

import ast
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from functools import partial
from itertools import accumulate, product

from dcode.syntax.grammar import Grammar
from dcode.syntax.unbound import program, tables, unbound

LEAST_LETTERS = 3
"""Shorter words are shared by too many names to say which one was meant."""


def reconciled(grammar: Grammar, view: bytes) -> bytes:
    """The program with the likest of its unused names in place of each unbound one that shares a word with it.

    As it was where no name is unbound, nobody knows the language's names, or two are taken for the same one.
    """
    lacking, known = unbound(grammar, view), SLIPS.get(grammar.strict)
    return known(view, lacking) if known and lacking else view


def _by_symbols(view: bytes, lacking: Sequence[str]) -> bytes:
    idle = _idle(view)
    meant = {name: max(like, key=partial(_likeness, name)) for name in lacking if (like := _alike(name, idle))}
    if not meant or len({*meant.values()}) < len(meant):
        return view
    lines = [0, *accumulate(map(len, view.splitlines(keepends=True)))]
    nodes = [node for node in ast.walk(program(view)) if isinstance(node, ast.Name) and node.id in meant]
    for at, old in sorted(
        ((lines[node.lineno - 1] + node.col_offset, node.id.encode()) for node in nodes), reverse=True
    ):
        # Nodes in strings that are formatted may be elsewhere than they say.
        if view.startswith(old, at):
            view = view[:at] + meant[old.decode()].encode() + view[at + len(old) :]
    return view


def _idle(view: bytes) -> tuple[str, ...]:
    """The names that a program brings and that nothing in it uses."""
    symbols = [symbol for table in tables(view) for symbol in table.get_symbols()]
    used = {symbol.get_name() for symbol in symbols if symbol.is_referenced()}
    brought = {symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_parameter()}
    return tuple(sorted(brought - used))


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


SLIPS: Mapping[str, Callable[[bytes, Sequence[str]], bytes]] = {"compile": _by_symbols}
"""By the name of a grammar's strict check, as for `dcode.syntax.unbound.NAMES`."""
