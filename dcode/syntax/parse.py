"""Text to tree, and the places where a tree is broken. It knows no language: only what a Grammar names.

Parsing never fails and never stops early: broken text gives a tree with error nodes. The work is linear in
the length, but for some hostile inputs (ten thousand unclosed blocks) it is quadratic: seconds.
"""

import importlib
from collections.abc import Iterator
from functools import cache
from itertools import pairwise

from tree_sitter import Language, Node, Parser, Tree, TreeCursor

from dcode.syntax.grammar import Grammar
from dcode.text.fault import Fault
from dcode.text.span import Span

_SHOWN = 30
"""Characters of the text at a fault that its message repeats."""


@cache
def language(grammar: Grammar) -> Language:
    """The compiled grammar; this is what imports its wheel."""
    wheel = importlib.import_module(grammar.wheel)
    return Language(getattr(wheel, grammar.function)())


def parse(grammar: Grammar, view: bytes) -> Tree:
    """The tree of `view` (UTF-8, LF), broken or not."""
    return Parser(language(grammar)).parse(view)


def distribution(grammar: Grammar) -> str:
    """The wheel's name on the package index: the name under which it reports faults."""
    return grammar.wheel.replace("_", "-")


def tree_faults(grammar: Grammar, view: bytes) -> Iterator[Fault]:
    """Every place where the tree is broken, outer nodes first."""
    checker = distribution(grammar)
    for node, parent in broken(parse(grammar, view)):
        span = Span(node.start_byte, node.end_byte)
        if node.is_error:
            yield Fault(span, "error", f"unexpected {_excerpt(view, span)}", checker, parent)
        elif node.is_missing:
            yield Fault(span, "missing", f"missing {node.type}", checker, parent)
        else:
            at = _gap(node)
            yield Fault(Span(at, at), "missing", f"incomplete {node.type}", checker, node.type)


def broken(tree: Tree) -> Iterator[tuple[Node, str]]:
    """Every error node, missing node and node that hides a missing one, with its parent's kind ("" for the root).

    Grammars hide tokens such as the end of a line: where one is missing, only its parent tells. Trees may be
    very deep.
    """
    cursor, parents = tree.walk(), [""]
    while True:
        node = cursor.node
        assert node is not None
        if node.is_error or node.is_missing or _hides_missing(node):
            yield node, parents[-1]
        if node.has_error and cursor.goto_first_child():
            parents.append(node.type)
        elif not _onwards(cursor, parents):
            return


def path_to(tree: Tree, span: Span) -> Iterator[Node]:
    """The nodes that contain a span, from the root inwards."""
    cursor = tree.walk()
    while (node := cursor.node) is not None and node.start_byte <= span.start and span.end <= node.end_byte:
        yield node
        if cursor.goto_first_child_for_byte(span.start) is None:
            return


def _onwards(cursor: TreeCursor, parents: list[str]) -> bool:
    """Move to the next node that is not below this one; False at the end of the tree."""
    while not cursor.goto_next_sibling():
        if not cursor.goto_parent():
            return False
        parents.pop()
    return True


def _hides_missing(node: Node) -> bool:
    return node.has_error and not any(child.has_error for child in node.children)


def _gap(node: Node) -> int:
    """Where a hidden token is most likely missing: between two named children in a line, else at the end."""
    for before, after in pairwise(node.children):
        if before.is_named and after.is_named and before.end_point.row == after.start_point.row:
            return before.end_byte
    return node.end_byte


def _excerpt(view: bytes, span: Span) -> str:
    text = view[span.start : span.end].decode(errors="replace").strip()
    line = text.split("\n", 1)[0][:_SHOWN]
    return repr(line if line == text else f"{line}…")
