"""Bytes to lexemes by a grammar's facts alone: good enough to point at a wrong one, in text that no parser takes.

It knows quotes, comments, brackets and the common fillers of a language, not its rules: a string that is not closed
in its line is a bare quote and what follows it.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from functools import cache

from dcode.syntax.grammar import Grammar
from dcode.text.span import Span

_WORD = rb"[0-9][\w.]*|[\w\x80-\xff]+"


def lexemes(grammar: Grammar, view: bytes, within: Span) -> tuple[Span, ...]:
    """The lexemes of a part of the view that begins where a lexeme may; no blanks, no comments."""
    found = _pattern(grammar).finditer(view, within.start, within.end)
    return tuple(Span(*match.span()) for match in found if match.lastgroup != "comment")


def is_word(text: bytes) -> bool:
    """Whether this is a name, a keyword or a number."""
    return re.fullmatch(_WORD, text) is not None


def is_quote(grammar: Grammar, text: bytes) -> bool:
    """Whether this is a quote that no other one closes."""
    return text in grammar.quotes


def unmatched(grammar: Grammar, view: bytes, spans: Sequence[Span], before: int) -> tuple[Span, ...]:
    """Of these lexemes: brackets and quotes open at byte `before`, and closing ones without a partner; inner first."""
    closes = {closing: opening for opening, closing in grammar.brackets}
    opens = set(closes.values())
    waiting: list[Span] = []
    for span in spans[: bisect_left(spans, Span(before, before))]:
        text = view[span.start : span.end]
        if text in opens or is_quote(grammar, text):
            waiting.append(span)
        elif text in closes:
            partner = view[waiting[-1].start : waiting[-1].end] if waiting else b""
            if partner == closes[text]:
                waiting.pop()
            else:
                waiting.append(span)
    return tuple(reversed(waiting))


@cache
def _pattern(grammar: Grammar) -> re.Pattern[bytes]:
    """Comments, strings, words, operators of several signs, then any sign; the longest quotes go first."""
    parts = [rb"(?P<comment>" + re.escape(grammar.comment.encode()) + rb"[^\n]*)"] if grammar.comment else []
    for quote in grammar.quotes:
        parts += [_string(quote), re.escape(quote)]
    signs = (one for one in grammar.lexemes if len(one) > 1 and _is_operator(grammar, one))
    parts += [_WORD, *map(re.escape, sorted(signs, key=len, reverse=True)), rb"[^\s]"]
    return re.compile(b"|".join(parts), re.DOTALL)


def _string(quote: bytes) -> bytes:
    """What is closed by its own quote, in its line if that is one byte; no byte of it is looked at twice."""
    whole, first, rest = (re.escape(part) for part in (quote, quote[:1], quote[1:]))
    ends = first if rest else first + rb"\n"
    odd = rb"\\.|" + first + rb"(?!" + rest + rb")" if rest else rb"\\."
    plain = rb"[^\\" + ends + rb"]*+"
    return whole + plain + rb"(?:(?:" + odd + rb")" + plain + rb")*+" + whole


def _is_operator(grammar: Grammar, text: bytes) -> bool:
    marks = b"".join((*grammar.quotes, *(mark for pair in grammar.brackets for mark in pair)))
    return not any(byte in marks or bytes([byte]).isalnum() or byte in b" _\n" for byte in text)
