"""What is plainly wrong with a program that parses, put right without a model: names that nothing brings, and values
that a function computes last and gives to nobody.
"""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence

from dcode.syntax.check import file_faults
from dcode.syntax.grammar import Grammar
from dcode.syntax.slips import reconciled, retyped
from dcode.syntax.unbound import import_place, library_imports, line_offsets, program, unbound

Function = ast.FunctionDef | ast.AsyncFunctionDef

_USED = (ast.Call, ast.Await, ast.Yield, ast.YieldFrom, ast.Constant, ast.NamedExpr)
"""Expressions that do something, or say something, also where nobody gets their value."""


def put_right(grammar: Grammar, view: bytes) -> bytes:
    """Anybody's program with imports above it, slips in place and values returned, where there is hardly a doubt."""
    return returned(grammar, _brought(grammar, view, (_imported, retyped)))


def brought(grammar: Grammar, view: bytes) -> bytes:
    """A model's program with what its unbound names must mean: imports above it, slips in place."""
    return _brought(grammar, view, (_imported, retyped, reconciled))


def _brought(grammar: Grammar, view: bytes, steps: Sequence[Callable[[Grammar, bytes], bytes]]) -> bytes:
    """A step that leaves as many names unbound, or brings a fault, is not taken."""
    for step in steps:
        lacking = unbound(grammar, view)
        after = step(grammar, view) if lacking else view
        if len(unbound(grammar, after)) < len(lacking) and not file_faults(grammar, after):
            view = after
    return view


def returned(grammar: Grammar, view: bytes) -> bytes:
    """The program with a return before every expression that ends a function which returns nothing, where it does
    nothing else."""
    known = UNRETURNED.get(grammar.strict)
    if known is None or file_faults(grammar, view):
        return view
    after = view
    for at in sorted(known(view), reverse=True):
        after = after[:at] + b"return " + after[at:]
    return view if file_faults(grammar, after) else after


def _imported(grammar: Grammar, view: bytes) -> bytes:
    at, gap = import_place(grammar, view)
    lines = library_imports(grammar, view)
    return view[:at] + lines + gap[1:] + view[at:]


def _unreturned(view: bytes) -> Iterator[int]:
    """Where such expressions begin."""
    lines = line_offsets(view)
    for node in ast.walk(program(view)):
        if isinstance(node, Function) and not any(_gives(one) for one in _own(node)):
            last = node.body[-1]
            while isinstance(last, ast.With | ast.AsyncWith):
                last = last.body[-1]
            if isinstance(last, ast.Expr) and not isinstance(last.value, _USED):
                yield lines[last.lineno - 1] + last.col_offset


def _own(function: Function) -> Iterator[ast.AST]:
    """The nodes of a function, those of functions in it left out."""
    waiting: list[ast.AST] = [*function.body]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, Function | ast.Lambda | ast.ClassDef):
            waiting += ast.iter_child_nodes(node)


def _gives(node: ast.AST) -> bool:
    return isinstance(node, ast.Yield | ast.YieldFrom) or (isinstance(node, ast.Return) and node.value is not None)


UNRETURNED: Mapping[str, Callable[[bytes], Iterator[int]]] = {"compile": _unreturned}
"""By the name of a grammar's strict check, as for `dcode.syntax.unbound.NAMES`."""
