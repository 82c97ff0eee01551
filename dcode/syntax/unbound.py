"""Names that a program uses and that nothing in it brings: no import, no definition, no builtin.

A parser does not mind them; whoever runs the program does. It is for whole programs: what looks unbound in a part of a
file may be brought by the rest.
"""

import ast
import builtins
import re
import symtable
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import partial
from itertools import accumulate, product

from tree_sitter import Node

from dcode.syntax.grammar import Grammar
from dcode.syntax.parse import parse
from dcode.syntax.strict import REFUSALS

_ALWAYS = frozenset(dir(builtins)) | {"__file__", "__path__", "__builtins__", "__annotations__", "__class__"}

LEAST_LETTERS = 3
"""Shorter words are shared by too many names to say which one was meant."""


def unbound(grammar: Grammar, view: bytes) -> tuple[str, ...]:
    """The unbound names of a whole program, sorted; none for a language whose names nobody here can tell."""
    known = NAMES.get(grammar.strict)
    return known.unbound(view) if known else ()


def reconciled(grammar: Grammar, view: bytes) -> bytes:
    """The program with each unbound name that is a slip for one which is brought and never used in its place."""
    known = NAMES.get(grammar.strict)
    return known.reconciled(view) if known else view


def library_imports(grammar: Grammar, view: bytes) -> bytes:
    """The lines that bring what is unbound and can only be a module of the language's own library; b"" for none."""
    known = NAMES.get(grammar.strict)
    return known.library(view) if known else b""


def import_place(grammar: Grammar, view: bytes) -> tuple[int, bytes]:
    """Where lines of imports go, in front of the first statement, and what stands between them and it."""
    statements = _statements(grammar, view)
    at = statements[0].start_byte if statements else len(view)
    return at, b"\n" if statements and statements[0].type in grammar.imports else b"\n\n\n"


def only_imports(grammar: Grammar, text: bytes) -> bool:
    """Whether there are statements, and all of them say what the program uses."""
    statements = _statements(grammar, text)
    return bool(statements) and all(node.type in grammar.imports for node in statements)


def _statements(grammar: Grammar, view: bytes) -> list[Node]:
    return [node for node in parse(grammar, view).root_node.named_children if not node.is_extra]


def _by_symbols(view: bytes) -> tuple[str, ...]:
    """By this Python's own symbol tables; a star import may bring anything."""
    try:
        module = _table(view)
    except REFUSALS:
        return ()
    tables = list(_all(module))
    used = {
        symbol.get_name()
        for table in tables
        for symbol in table.get_symbols()
        if symbol.is_referenced() and (symbol.is_global() or table is module)
    }
    brought = {
        symbol.get_name()
        for table in tables
        for symbol in table.get_symbols()
        if (table is module or symbol.is_declared_global()) and (symbol.is_assigned() or symbol.is_imported())
    }
    return () if b"import *" in view else tuple(sorted(used - brought - _ALWAYS))


def _table(view: bytes) -> symtable.SymbolTable:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return symtable.symtable(view.decode(), "<view>", "exec")


def _all(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    """The table and those of everything inside it, no deeper than the compiler goes."""
    yield table
    for child in table.get_children():
        yield from _all(child)


def _modules(view: bytes) -> bytes:
    """Unbound names of this Python's modules that are used for what is in them, and for nothing else."""
    wanted = sys.stdlib_module_names.intersection(_by_symbols(view))
    nodes = list(ast.walk(ast.parse(view))) if wanted else []
    owners = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
    loose = {node.id for node in nodes if isinstance(node, ast.Name) and id(node) not in owners}
    return b"".join(b"import %s\n" % name.encode() for name in sorted(wanted - loose))


def _without_slips(view: bytes) -> bytes:
    lacking = _by_symbols(view)
    idle = _idle(view) if lacking else ()
    meant = {name: max(like, key=partial(_likeness, name)) for name in lacking if (like := _alike(name, idle))}
    if not meant or len({*meant.values()}) < len(meant):
        return view
    lines = [0, *accumulate(map(len, view.splitlines(keepends=True)))]
    nodes = [node for node in ast.walk(ast.parse(view)) if isinstance(node, ast.Name) and node.id in meant]
    for at, old in sorted(
        ((lines[node.lineno - 1] + node.col_offset, node.id.encode()) for node in nodes), reverse=True
    ):
        # Nodes in strings that are formatted may be elsewhere than they say.
        if view.startswith(old, at):
            view = view[:at] + meant[old.decode()].encode() + view[at + len(old) :]
    return view


def _idle(view: bytes) -> tuple[str, ...]:
    """The names that a program brings and that nothing in it uses."""
    symbols = [symbol for table in _all(_table(view)) for symbol in table.get_symbols()]
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


@dataclass(frozen=True, slots=True)
class _Names:
    unbound: Callable[[bytes], tuple[str, ...]]
    library: Callable[[bytes], bytes]
    reconciled: Callable[[bytes], bytes]


NAMES: Mapping[str, _Names] = {"compile": _Names(_by_symbols, _modules, _without_slips)}
"""By the name of a grammar's strict check: who compiles a language knows its names."""
