"""Text to tree, and the places where a tree is broken. It knows no language: only what a Grammar names.

Broken text gives a tree with error nodes, no failure. The work is linear in the length but for some hostile inputs
(ten thousand here-documents in a shell script), where it is quadratic: they are given up, and the user is told.
"""

import importlib
from collections.abc import Iterator
from functools import cache
from itertools import count, pairwise
from time import thread_time

from tree_sitter import Language, Node, Parser, Tree, TreeCursor

from dcode.errors import InputError
from dcode.syntax.grammar import Grammar
from dcode.text.fault import Fault
from dcode.text.span import Span

HARMLESS_BYTES = 8192
"""Text as short as this takes no parser long."""

SLOWEST_BYTES_A_SECOND = 250_000
"""Ordinary text is parsed twenty times as fast, broken text four times, where the processor is slow."""

CALLS_A_LOOK = 64
"""How often a parser reports before the clock is looked at, which costs more than the report."""

CHUNK_BYTES = 1 << 16

_SHOWN = 30
"""Characters of the text at a fault that its message repeats."""


@cache
def language(grammar: Grammar) -> Language:
    """The compiled grammar; this is what imports its wheel."""
    wheel = importlib.import_module(grammar.wheel)
    return Language(getattr(wheel, grammar.function)())


def parse(grammar: Grammar, view: bytes) -> Tree:
    """The tree of `view` (UTF-8, LF), broken or not; InputError if it takes far longer than text of its length does."""
    if len(view) > HARMLESS_BYTES:
        shape(grammar, view)
    return Parser(language(grammar)).parse(view)


def shape(grammar: Grammar, view: bytes) -> Tree:
    """The same tree, whose nodes may not know their text: cheaper in long files."""
    if len(view) <= HARMLESS_BYTES:
        return Parser(language(grammar)).parse(view)
    begun = thread_time()
    patience_s = 1 + len(view) / SLOWEST_BYTES_A_SECOND

    def read(at: int, point: object) -> bytes:
        return view[at : at + CHUNK_BYTES]

    asked = count(1)

    def is_too_much(at: int, has_error: bool) -> bool:
        return next(asked) % CALLS_A_LOOK == 0 and thread_time() - begun > patience_s

    try:
        return Parser(language(grammar)).parse(read, progress_callback=is_too_much)
    except ValueError:
        what = f"the {grammar.title} parser takes too long for this text: over {patience_s:.0f} s"
        raise InputError(what, hint="no hand-written file is like this; infill and gen take --no-feedback") from None


def distribution(grammar: Grammar) -> str:
    """The wheel's name on the package index: the name under which it reports faults."""
    return grammar.wheel.replace("_", "-")


def tree_faults(grammar: Grammar, view: bytes) -> Iterator[Fault]:
    """Every place where the tree is broken, outer nodes first."""
    checker = distribution(grammar)
    for node, parent in broken(shape(grammar, view)):
        span = Span(node.start_byte, node.end_byte)
        if node.is_error:
            yield Fault(span, "error", f"unexpected {_excerpt(view, span)}", checker, parent)
        elif node.is_missing:
            yield Fault(span, "missing", f"missing {node.type}", checker, parent)
        else:
            at = _gap(node)
            yield Fault(Span(at, at), "missing", f"incomplete {node.type}", checker, node.type)


def top_level(grammar: Grammar, view: bytes) -> tuple[Span, ...]:
    """The nodes at the top of the tree, in order."""
    return tuple(Span(node.start_byte, node.end_byte) for node in shape(grammar, view).root_node.children)


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
