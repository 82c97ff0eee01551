"""What a reader of one place in a long file needs of the rest: the scopes around it, imports, signatures.

It knows no language: the grammar's table names imports, its query definitions.
"""

from dcode.syntax.grammar import Grammar
from dcode.syntax.lines import line_end, line_start
from dcode.syntax.parse import parse
from dcode.syntax.scope import definitions
from dcode.text.span import Span


def outline(grammar: Grammar, view: bytes, at: int) -> tuple[Span, ...]:
    """Whole lines of the view in front of byte `at`, most needed first.

    The first lines of the definitions around `at`, inner ones first; then imports; then the first lines of all other
    definitions, nearest first.
    """
    known = [one for one in definitions(grammar, view) if one.span.start < at]
    around = [one for one in known if at <= one.span.end]
    others = [one for one in known if one.span.end < at]
    imports = (node for node in parse(grammar, view).root_node.children if node.type in grammar.imports)
    spans = (
        *(one.head for one in reversed(around)),
        *(Span(node.start_byte, node.end_byte) for node in imports),
        *(one.head for one in reversed(others)),
    )
    lines = dict.fromkeys(_lines(view, span) for span in spans)
    return tuple(span for span in lines if span.end <= at)


def _lines(view: bytes, span: Span) -> Span:
    """The whole lines of a span that may or may not end with their newline."""
    end = line_end(view, max(span.start, span.end - 1))
    return Span(line_start(view, span.start), min(len(view), end + 1))
