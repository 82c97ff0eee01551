"""What a hole must close and open, so that the brackets and strings before it and behind it are whole.

It knows a grammar's pairs and quotes; nothing is parsed.
"""

from collections.abc import Iterator, Sequence

from dcode.syntax.grammar import Grammar
from dcode.syntax.lexer import is_quote, lexemes
from dcode.text.span import Span

CLOSE, OPEN = b"<close>", b"<open>"
"""Where a filler has what closes that which is open before a hole, and what opens that which is closed behind it."""

CALL = {b"(": b"x("}
"""A bracket that is legal wherever an expression is once a name stands before it."""


def balanced(grammar: Grammar, view: bytes, holes: Sequence[Span]) -> tuple[bytes, ...]:
    """The grammar's balancers that bring what a hole lacks."""
    asked = holes if grammar.balancers else ()
    return tuple(dict.fromkeys(filler for hole in asked for filler in _balanced(grammar, view, hole)))


def any_balanced(grammar: Grammar) -> tuple[bytes, ...]:
    """The grammar's balancers with one bracket or long quote each, whatever a hole lacks."""
    quotes = [(quote, quote) for quote in grammar.quotes if _is_long(quote)]
    pairs = [*grammar.brackets, *quotes]
    return tuple(
        _marked(filler, close, CALL.get(opened, opened)) for filler in grammar.balancers for opened, close in pairs
    )


def _balanced(grammar: Grammar, view: bytes, hole: Span) -> Iterator[bytes]:
    before, behind = view[: hole.start], view[hole.end :]
    # Where quotes stand in strings and comments nobody can be sure whether a text begins in a string.
    quotes = [b"", *(quote for quote in grammar.quotes if _is_long(quote) and quote in behind)]
    for close, opened in dict.fromkeys(lacking(grammar, before, behind, quote) for quote in quotes):
        for filler in grammar.balancers:
            if (close or CLOSE not in filler) and (opened or OPEN not in filler):
                yield _marked(filler, close, opened)


def _marked(filler: bytes, close: bytes, opened: bytes) -> bytes:
    return filler.replace(CLOSE, close).replace(OPEN, opened)


def lacking(grammar: Grammar, before: bytes, behind: bytes, quote: bytes = b"") -> tuple[bytes, bytes]:
    """What closes that which is open before a hole and not closed behind it, and what opens that which is closed.

    `quote`: of the string in which the text behind the hole is taken to begin; b"": as it looks.
    """
    opened, ends = _open(grammar, before)
    closed, begins = _closed(grammar, behind, quote)
    closes = dict(grammar.brackets)
    # What was opened first is closed last.
    shared = 0
    while shared < min(len(opened), len(closed)) and closes[opened[shared]] == closed[-1 - shared]:
        shared += 1
    if ends == begins:
        ends = begins = b""
    inner = closed[: len(closed) - shared]
    opens = {closing: opening for opening, closing in grammar.brackets}
    inside = b"".join(CALL.get(opens[one], opens[one]) for one in reversed(inner))
    return ends + b"".join(closes[one] for one in reversed(opened[shared:])), inside + begins


def _open(grammar: Grammar, text: bytes) -> tuple[list[bytes], bytes]:
    """The brackets that are open at the end of a text, outermost first, and the quote of the string that is."""
    closes = dict(grammar.brackets)
    found: list[bytes] = []
    for span in lexemes(grammar, text, Span(0, len(text))):
        lexeme = text[span.start : span.end]
        if is_quote(grammar, lexeme) and _is_long(lexeme):
            return found, lexeme
        if lexeme in closes:
            found.append(lexeme)
        elif found and lexeme == closes[found[-1]]:
            found.pop()
    return found, b""


def _closed(grammar: Grammar, text: bytes, quote: bytes = b"") -> tuple[list[bytes], bytes]:
    """The closing brackets whose opening ones are before a text, in order, and the quote of the string it begins in."""
    closes = dict(grammar.brackets)
    waiting: list[bytes] = []
    found: list[bytes] = []
    for span in lexemes(grammar, text, Span(text.find(quote) + len(quote), len(text))):
        lexeme = text[span.start : span.end]
        if is_quote(grammar, lexeme) and _is_long(lexeme) and not quote:
            # A string that nothing ends: so the text began in one.
            return _closed(grammar, text, lexeme)
        if lexeme in closes:
            waiting.append(lexeme)
        elif lexeme in closes.values():
            if waiting and closes[waiting[-1]] == lexeme:
                waiting.pop()
            elif not waiting:
                found.append(lexeme)
    return found, quote


def _is_long(quote: bytes) -> bool:
    """Whether this quote begins a string that may have several lines."""
    return len(quote) > 1
