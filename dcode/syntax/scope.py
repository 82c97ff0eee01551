"""Named nodes of a file: their qualified names and their bodies.

It knows no language: `definitions.scm` says what is a definition.
"""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tree_sitter import Node, Query, QueryCursor

from dcode.errors import InputError
from dcode.syntax.grammar import DEFINITIONS, Grammar
from dcode.syntax.lines import line_end
from dcode.syntax.parse import language, parse
from dcode.text.span import Span

Captures = dict[str, list[Node]]


@dataclass(frozen=True, slots=True)
class Definition:
    """A named node: its path from the outermost one, where it and its body lie, and its line, from 1.

    `span` is without decorators; `head` is what of it stands before the body's node; `body` is without its brackets,
    the blanks around it and a docstring.
    """

    path: tuple[str, ...]
    span: Span
    head: Span
    body: Span
    line: int

    @property
    def name(self) -> str:
        """The path, with dots."""
        return ".".join(self.path)


def node_body(grammar: Grammar, view: bytes, name: str) -> Span:
    """The body of the definition called `name`; see `named`."""
    return named(grammar, view, name).body


def named(grammar: Grammar, view: bytes, name: str) -> Definition:
    """The definition called `name`, qualified or not; InputError if there is not exactly one.

    A whole path goes before the end of one: `f` is the outermost `f`, and only then `Class.f`.
    """
    known = definitions(grammar, view)
    path = _path(grammar, name)
    found = [one for one in known if one.path == path]
    found = found or [one for one in known if one.path[-len(path) :] == path]
    if len(found) > 1:
        places = ", ".join(f"{one.name} in line {one.line}" for one in found)
        raise InputError(f"{name!r} is ambiguous: {places}", hint="name it in full, or give its lines")
    if not found:
        raise InputError(f"no definition called {name!r}", hint=_suggestion(name, known))
    return found[0]


def definitions(grammar: Grammar, view: bytes) -> tuple[Definition, ...]:
    """Every definition that has a body, in order of position, outer ones first."""
    query = Query(language(grammar), grammar.query(DEFINITIONS))
    tree = parse(grammar, view)
    matches = [captures for _, captures in QueryCursor(query).matches(tree.root_node)]
    nodes = [one["docstring"][0] for one in matches if "docstring" in one]
    docstrings = {node.start_byte: node for node in nodes}
    found: dict[int, Definition] = {}
    around: list[Definition] = []
    for captures in sorted((one for one in matches if "definition" in one), key=_position):
        node = captures["definition"][0]
        if node.id in found:
            continue
        while around and around[-1].span.end <= node.start_byte:
            around.pop()
        path = (*(around[-1].path if around else ()), *_names(grammar, captures))
        block = captures["body"][0]
        head = _trimmed(view, Span(node.start_byte, max(node.start_byte, block.start_byte)))
        body = _body(grammar, view, block, docstrings)
        around.append(Definition(path, _span(node), head, body, node.start_point.row + 1))
        found[node.id] = around[-1]
    return tuple(found.values())


def _suggestion(name: str, known: Sequence[Definition]) -> str:
    near = difflib.get_close_matches(name, dict.fromkeys(one.name for one in known), n=3)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return "the file has no named function, class or similar" if not known else "give its lines instead"


def _position(captures: Captures) -> tuple[int, int]:
    node = captures["definition"][0]
    return node.start_byte, -node.end_byte


def _names(grammar: Grammar, captures: Captures) -> tuple[str, ...]:
    """What a definition adds to a path: its own name, behind the type it belongs to if the query says so."""
    nodes = [*captures.get("scope", [])[:1], captures["name"][0]]
    texts = ((node.text or b"").decode(errors="replace") for node in nodes)
    return tuple(part for text in texts for part in _path(grammar, text))


def _path(grammar: Grammar, name: str) -> tuple[str, ...]:
    return tuple(re.split("|".join(map(re.escape, grammar.separators)), name))


def _body(grammar: Grammar, view: bytes, node: Node, docstrings: dict[int, Node]) -> Span:
    docstring = docstrings.get(node.start_byte)
    if docstring is not None:
        return _after(view, node, docstring)
    return _trimmed(view, _inside(grammar, node))


def _after(view: bytes, block: Node, docstring: Node) -> Span:
    """What follows a docstring in its block; an empty place at the end of its line if nothing does."""
    for node in block.children:
        later = node.start_byte >= docstring.end_byte
        own_line = node.start_point.row > docstring.end_point.row
        if later and (own_line or (node.is_named and not node.is_extra)):
            return _trimmed(view, Span(node.start_byte, block.end_byte))
    end = line_end(view, docstring.end_byte)
    return Span(end, end)


def _inside(grammar: Grammar, node: Node) -> Span:
    """A block without the tokens that open and close it; any other node as it is."""
    kinds = [child.type for child in node.children]
    if not grammar.block_open or grammar.block_open not in kinds:
        return _span(node)
    opening, closing = node.children[kinds.index(grammar.block_open)], node.children[-1]
    closed = closing.type == grammar.block_close and not closing.is_missing
    return Span(opening.end_byte, closing.start_byte if closed else node.end_byte)


def _trimmed(view: bytes, span: Span) -> Span:
    """Without blanks at either end; what is all blank shrinks to its start."""
    text = view[span.start : span.end]
    start = span.start + len(text) - len(text.lstrip() or text)
    return Span(start, start + len(text.strip()))


def _span(node: Node) -> Span:
    return Span(node.start_byte, node.end_byte)
