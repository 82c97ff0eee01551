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
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, takewhile

from tree_sitter import Node

from dcode.syntax.grammar import Grammar
from dcode.syntax.parse import parse
from dcode.syntax.strict import REFUSALS

_ALWAYS = frozenset(dir(builtins)) | {"__file__", "__path__", "__builtins__", "__annotations__", "__class__"}
_PLAIN = re.compile(rb"[rRuU]?[\"']")


def unbound(grammar: Grammar, view: bytes) -> tuple[str, ...]:
    """The unbound names of a whole program, sorted; none for a language whose names nobody here can tell."""
    known = NAMES.get(grammar.strict)
    return known.unbound(view) if known else ()


def library_imports(grammar: Grammar, view: bytes) -> bytes:
    """The lines that bring what is unbound and can only be a module of the language's own library, or is a name that
    nearly everybody takes from one place; b"" for none."""
    known = NAMES.get(grammar.strict)
    return known.library(grammar, view) if known else b""


def import_place(grammar: Grammar, view: bytes) -> tuple[int, bytes]:
    """Where lines of imports go, in front of the first statement that need not be the first, and what stands between
    them and it."""
    known, every = NAMES.get(grammar.strict), _statements(grammar, view)
    statements = every[known.opening(every) :] if known else every
    at = statements[0].start_byte if statements else len(view)
    return at, b"\n" if statements and statements[0].type in grammar.imports else b"\n\n\n"


def only_imports(grammar: Grammar, text: bytes) -> bool:
    """Whether there are statements, and all of them say what the program uses."""
    statements = _statements(grammar, text)
    return bool(statements) and all(node.type in grammar.imports for node in statements)


def program(view: bytes) -> ast.Module:
    """Python's own tree; what it refuses, it raises. A declaration of an encoding is ignored: the view is UTF-8."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(view.decode())


def line_offsets(view: bytes) -> list[int]:
    """Where the lines that Python's own tree counts begin, in bytes, and the end."""
    return [0, *accumulate(map(len, view.splitlines(keepends=True)))]


def tables(view: bytes) -> list[symtable.SymbolTable]:
    """Python's own symbol tables: the program's, then those of everything inside it; what it refuses, it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return list(_all(symtable.symtable(view.decode(), "<view>", "exec")))


def _all(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    """No deeper than the compiler goes."""
    yield table
    for child in table.get_children():
        yield from _all(child)


def _statements(grammar: Grammar, view: bytes) -> list[Node]:
    return [node for node in parse(grammar, view).root_node.named_children if not node.is_extra]


def _by_symbols(view: bytes) -> tuple[str, ...]:
    """By this Python's own symbol tables; a star import may bring anything."""
    try:
        module, *inner = tables(view)
    except REFUSALS:
        return ()
    used = {
        symbol.get_name()
        for table in (module, *inner)
        for symbol in table.get_symbols()
        if symbol.is_referenced() and (symbol.is_global() or table is module)
    }
    brought = {
        symbol.get_name()
        for table in (module, *inner)
        for symbol in table.get_symbols()
        if (table is module or symbol.is_declared_global()) and (symbol.is_assigned() or symbol.is_imported())
    }
    return () if b"import *" in view else tuple(sorted(used - brought - _ALWAYS))


def _library(grammar: Grammar, view: bytes) -> bytes:
    """Unbound names of this Python's modules that are used for what is in them, and for nothing else; the grammar's own
    names where they are used as what they are: a small one that is subscripted is somebody's variable."""
    missing = set(_by_symbols(view))
    nodes = list(ast.walk(program(view))) if missing else []
    owners = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
    holders = {node.value.id for node in nodes if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name)}
    loose = {node.id for node in nodes if isinstance(node, ast.Name) and id(node) not in owners}
    modules = {b"import %s\n" % name.encode() for name in missing & sys.stdlib_module_names - loose}
    variables = {name for name in holders if name.islower()}
    brought = {line + b"\n" for name, line in grammar.brings if name.decode() in missing - variables}
    lines = sorted(modules | brought, key=lambda line: (line.startswith(b"from"), line))
    return b"".join(lines)


def _docstring_and_futures(statements: Sequence[Node]) -> int:
    """How many statements no import may stand in front of: a string that says what the program is, then what it takes
    from the language's future."""
    docstrings = int(bool(statements) and _is_plain_string(statements[0]))
    futures = takewhile(lambda node: node.type == "future_import_statement", statements[docstrings:])
    return docstrings + len([*futures])


def _is_plain_string(node: Node) -> bool:
    """Whether a statement is a string, maybe in several pieces, that uses no names."""
    is_joined = [one.type for one in node.named_children] == ["concatenated_string"]
    pieces = node.named_children[0].named_children if is_joined else node.named_children
    strings = [one for one in pieces if one.type == "string" and _PLAIN.match(one.text or b"")]
    return node.type == "expression_statement" and bool(strings) and len(strings) == len(pieces)


@dataclass(frozen=True, slots=True)
class _Names:
    unbound: Callable[[bytes], tuple[str, ...]]
    library: Callable[[Grammar, bytes], bytes]
    opening: Callable[[Sequence[Node]], int]
    """How many statements must stay the first ones."""


NAMES: Mapping[str, _Names] = {"compile": _Names(_by_symbols, _library, _docstring_and_futures)}
"""By the name of a grammar's strict check: who compiles a language knows its names."""
