"""Where the rules of a language have something to say about a file, in the lines that changed.

It finds places and writes nothing: what is to stand there is asked of a model elsewhere. No language is named
here; rules are data (see `dcode.syntax.rules`).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from tree_sitter import Node, Query, QueryCursor, Tree

from dcode.syntax.check import file_faults
from dcode.syntax.grammar import Grammar
from dcode.syntax.identity import touch
from dcode.syntax.lines import line_start, with_next_line
from dcode.syntax.parse import language, parse, path_to
from dcode.syntax.rules import Insertion, Rule, rules
from dcode.syntax.scope import definitions
from dcode.text.ranges import marker_spans
from dcode.text.span import Span


@dataclass(frozen=True, slots=True)
class Gap:
    """Replace `span` of the view by `head`, what the model writes, and `tail`; `insertion` is the rule's."""

    span: Span
    head: bytes = b""
    tail: bytes = b""
    insertion: Insertion | None = None


@dataclass(frozen=True, slots=True)
class Opportunity:
    """A rule matches: `about` is what it matches on, `gaps` what is to be written, in order.

    For an edit the one gap is the code to rewrite, and `marker` the comment that asks, which goes; `hint` is what
    was asked for, "" for nothing.
    """

    rule: Rule
    about: Span
    gaps: tuple[Gap, ...] = ()
    hint: str = ""
    marker: Span | None = None


def opportunities(grammar: Grammar, view: bytes, changed: Sequence[Span]) -> list[Opportunity]:
    """Every place in the changed spans where a rule matches, by rule and position.

    A file with a fault there can only be filled, where a marker asks for it, and fixed, if a fault lies elsewhere:
    nothing else is known for sure about it.
    """
    known = rules(grammar)
    tree = parse(grammar, view)
    found = [one for rule in known for one in _matches(grammar, view, tree, rule)]
    near = [one for one in found if any(touch(span, one.about) for span in changed)]
    faults = _at(view, [fault.span for fault in file_faults(grammar, view)], changed)
    if not faults:
        return near
    fills = [one for one in near if one.rule.kind == "fill"]
    if len(_at(view, faults, [one.about for one in fills])) == len(faults):
        return fills
    return [*fills, *(Opportunity(rule, _hull(changed)) for rule in known if rule.kind == "fix")]


def _at(view: bytes, faults: Sequence[Span], places: Sequence[Span]) -> list[Span]:
    """The faults that lie at one of the places or in the line behind it."""
    return [fault for fault in faults if any(touch(with_next_line(view, place), fault) for place in places)]


def _hull(spans: Sequence[Span]) -> Span:
    return Span(min(span.start for span in spans), max(span.end for span in spans))


def _matches(grammar: Grammar, view: bytes, tree: Tree, rule: Rule) -> Iterator[Opportunity]:
    if rule.kind == "insert":
        yield from _insertions(grammar, view, tree, rule)
    elif rule.kind == "fill" and grammar.comment:
        yield from _fills(grammar, view, tree, rule)
    elif rule.kind == "edit" and grammar.comment:
        for marker, hint, target in _markers(grammar, view, tree):
            if target and hint:
                yield Opportunity(rule, Span(marker.start, target.end), (Gap(target),), hint, marker)


def _fills(grammar: Grammar, view: bytes, tree: Tree, rule: Rule) -> Iterator[Opportunity]:
    """Markers that stand where code is missing, with the placeholder below or before them."""
    nodes = _captured(grammar, tree, rule.query).get("placeholder", []) if rule.query else []
    starts = {node.start_byte: node.end_byte for node in nodes}
    for marker, hint, target in _markers(grammar, view, tree):
        if target is None:
            end = starts.get(_next_text(view, marker.end), marker.end)
            yield Opportunity(rule, Span(marker.start, end), (Gap(Span(marker.start, end)),), hint)
    trailing = re.compile(rb"[ \t]*%b[ \t]*dcode:([^\n]*)" % re.escape(grammar.comment.encode()))
    for start, end in starts.items():
        if match := trailing.match(view, end):
            span = Span(start, match.end())
            yield Opportunity(rule, span, (Gap(span),), match[1].strip().decode())


def _markers(grammar: Grammar, view: bytes, tree: Tree) -> Iterator[tuple[Span, str, Span | None]]:
    """The comments that ask for something, what they ask for, and the definition right below; no <FILL>."""
    sign = grammar.comment.encode()
    marked = [(span, hint) for span, hint in marker_spans(view, grammar.comment) if view.startswith(sign, span.start)]
    known = [one.span for one in definitions(grammar, view)] if marked else []
    for span, hint in marked:
        yield span, hint, _target(view, tree, known, _next_text(view, span.end))


def _target(view: bytes, tree: Tree, known: Sequence[Span], start: int) -> Span | None:
    """The definition that begins at `start`, with what belongs in front of it (decorators, export)."""
    column = start - line_start(view, start)
    level = [span for span in known if _column(view, span.start) == column]
    for node in reversed([*path_to(tree, Span(start, start + 1))]):
        starts_here = node.parent is not None and node.start_byte == start
        if starts_here and any(start <= span.start and span.end <= node.end_byte for span in level):
            return Span(start, node.end_byte)
    return None


def _column(view: bytes, at: int) -> int:
    """How far the line of byte `at` is indented."""
    line = line_start(view, at)
    return len(view[line:at]) - len(view[line:at].lstrip())


def _insertions(grammar: Grammar, view: bytes, tree: Tree, rule: Rule) -> Iterator[Opportunity]:
    """One for each node captured as @about, with all that is to be inserted there."""
    found: dict[Span, list[Gap]] = {}
    excluded: set[Span] = set()
    for _, captures in _cursor(grammar, rule.query).matches(tree.root_node):
        excluded |= {_span(node) for node in captures.get("not", [])}
        for about in captures.get("about", []):
            gaps = found.setdefault(_span(about), [])
            for name, insertion in rule.insertions.items():
                gaps += filter(None, (_gap(view, node, insertion) for node in captures.get(name, [])))
    for span, gaps in found.items():
        if gaps and span not in excluded:
            yield Opportunity(rule, span, tuple(sorted(dict.fromkeys(gaps), key=lambda gap: gap.span)))


def _gap(view: bytes, node: Node, insertion: Insertion) -> Gap | None:
    """The insertion at a node; none where it would need a line of its own and the node does not begin one."""
    at = node.start_byte if insertion.is_before else node.end_byte
    indent = view[line_start(view, at) : at]
    if "<indent>" in insertion.head + insertion.tail and indent.strip():
        return None
    head, tail = (part.encode().replace(b"<indent>", indent) for part in (insertion.head, insertion.tail))
    return Gap(Span(at, at), head, tail, insertion)


def _captured(grammar: Grammar, tree: Tree, query: str) -> dict[str, list[Node]]:
    return _cursor(grammar, query).captures(tree.root_node)


def _cursor(grammar: Grammar, query: str) -> QueryCursor:
    return QueryCursor(_compiled(grammar, query))


@cache
def _compiled(grammar: Grammar, query: str) -> Query:
    return Query(language(grammar), query)


def _span(node: Node) -> Span:
    return Span(node.start_byte, node.end_byte)


def _next_text(view: bytes, at: int) -> int:
    """The first byte from `at` on that is not blank."""
    while at < len(view) and view[at : at + 1].isspace():
        at += 1
    return at
