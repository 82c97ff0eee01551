"""Whether a change added to a syntax tree what its rule adds, and nothing else.

Both trees are walked side by side. In the new one, what lies in the inserted spans is left out and must be of the
kinds that the rule names; all the rest must be the same nodes with the same text in the same order. No language is
known here.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest

from tree_sitter import Node, Tree

from dcode.syntax.grammar import Grammar
from dcode.syntax.parse import parse
from dcode.syntax.rules import Insertion, Rule
from dcode.text.span import Span

Shape = tuple[str, bytes | None]
"""A leaf with its text, a node that opens (no text), or ("", None) for one that closes."""


def unlike(
    grammar: Grammar, rule: Rule, before: bytes, after: bytes, inserted: Sequence[tuple[Span, Insertion]]
) -> str:
    """What is wrong with the tree of `after`, in words; "" if it is that of `before` and what the rule adds.

    `inserted` are the spans of `after` that are new, each with the insertion it comes from.
    """
    new = parse(grammar, after)
    for span, insertion in inserted:
        if complaint := _beyond(new, rule, insertion.adds, span):
            return complaint
    spans = [span for span, _ in inserted]
    pairs = zip_longest(_shapes(parse(grammar, before), rule.alike, []), _shapes(new, rule.alike, spans))
    changed = next((pair for pair in pairs if pair[0] != pair[1]), None)
    return "" if changed is None else f"it changes the tree beyond that: {_named(changed[0])} to {_named(changed[1])}"


def same_around(grammar: Grammar, before: bytes, after: bytes, span: Span) -> bool:
    """Whether all leaves outside `span` of `before`, which is all that changed, are in `after` what they were."""
    grown = len(after) - len(before)
    old = _leaves_around(parse(grammar, before), span)
    return old == _leaves_around(parse(grammar, after), Span(span.start, span.end + grown))


def writes_code(grammar: Grammar, after: bytes, span: Span) -> bool:
    """Whether there is anything in `span` but comments and the like."""
    leaves = _leaves(parse(grammar, after).root_node)
    return any(
        _within(node, [span]) and not node.is_extra and not (node.parent and node.parent.is_extra) for node in leaves
    )


def _leaves_around(tree: Tree, span: Span) -> list[str]:
    """The kinds of all leaves that do not reach into a span; their text is known to be the same."""
    return [node.type for node in _leaves(tree.root_node) if node.end_byte <= span.start or node.start_byte >= span.end]


def _beyond(tree: Tree, rule: Rule, adds: Sequence[str], span: Span) -> str:
    """What stands in an inserted span and should not."""
    tops = [*_inside(tree, span)]
    if [node.type for node in tops] != [*adds]:
        return f"it adds {' '.join(node.type for node in tops) or 'nothing'}, not {' '.join(adds)}"
    for node in (node for top in tops for node in _nodes(top)):
        if node.type not in rule.within:
            return f"it adds a {node.type}"
        text = (node.text or b"").decode(errors="replace")
        if node.child_count == 0 and text not in rule.only.get(node.type, (text,)):
            return f"it adds the {node.type} {text!r}"
    return ""


def _inside(tree: Tree, span: Span) -> Iterator[Node]:
    """The outermost nodes that lie in a span, in order."""
    waiting = [tree.root_node]
    while waiting:
        node = waiting.pop()
        if _within(node, [span]):
            yield node
        elif node.start_byte < span.end and span.start < node.end_byte:
            waiting += reversed(node.children)


def _shapes(tree: Tree, alike: Mapping[str, str], left_out: Sequence[Span]) -> Iterator[Shape]:
    """The tree, node by node, without what lies in the given spans."""
    waiting: list[Node | None] = [tree.root_node]
    while waiting:
        node = waiting.pop()
        if node is None:
            yield "", None
        elif not _within(node, left_out):
            kind = alike.get(node.type, node.type)
            if node.child_count == 0:
                yield kind, node.text
                continue
            if kind:
                yield kind, None
                waiting.append(None)
            waiting += reversed(node.children)


def _nodes(node: Node) -> Iterator[Node]:
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        waiting += reversed(one.children)


def _leaves(node: Node) -> Iterator[Node]:
    return (one for one in _nodes(node) if one.child_count == 0)


def _within(node: Node, spans: Sequence[Span]) -> bool:
    return any(span.start <= node.start_byte < node.end_byte <= span.end for span in spans)


def _named(shape: Shape | None) -> str:
    return "nothing" if shape is None else shape[0] or "an end"
