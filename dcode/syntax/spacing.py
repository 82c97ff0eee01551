"""How a changed lexeme sits between its neighbours: which blanks go with it, as the rest of the file has them.

It knows bytes, lexemes and brackets, and judges nothing.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from dcode.syntax.grammar import Grammar
from dcode.syntax.lexer import is_word, lexemes
from dcode.syntax.lines import indent, line_end, line_start, lines_around
from dcode.text.edit import Edit
from dcode.text.span import Span

RARE, KNOWN = 0.1, 4
"""What a file does in less than this share of at least so many cases, and one case, is odd in it."""

NEIGHBOURS = 8
"""How many lines on each side say how deep a line may be."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How often each lexeme of a file has a blank before it and behind it, inside brackets and outside."""

    counts: Mapping[tuple[bytes, bool, bool], Counter[bool]]
    starts: Sequence[int]
    inside: Sequence[bool]

    @staticmethod
    def of(grammar: Grammar, view: bytes) -> "Habits":
        """Count them in a whole view; the ends of a line say nothing."""
        opens = {opening for opening, _ in grammar.brackets}
        closes = {closing for _, closing in grammar.brackets}
        counts: dict[tuple[bytes, bool, bool], Counter[bool]] = {}
        starts, inside, depth = [], [], 0
        for span in lexemes(grammar, view, Span(0, len(view))):
            text = view[span.start : span.end]
            starts.append(span.start)
            inside.append(depth > 0)
            for behind, sign in enumerate((view[span.start - 1 : span.start], view[span.end : span.end + 1])):
                if sign not in (b"", b"\n"):
                    counts.setdefault((text, depth > 0, bool(behind)), Counter())[sign == b" "] += 1
            depth = max(0, depth + (text in opens) - (text in closes))
        return Habits(counts, starts, inside)

    def blank(self, text: bytes, at: int, *, behind: bool) -> bool | None:
        """Whether a lexeme mostly has a blank on that side in such a place, else anywhere; None if nothing is known."""
        index = bisect_right(self.starts, at) - 1
        here = index >= 0 and self.inside[index]
        for where in (here, not here):
            if found := self.counts.get((text, where, behind)):
                return found.most_common(1)[0][0]
        return None

    def is_odd(self, text: bytes, blank: bool, *, behind: bool) -> bool:
        """Whether the file hardly ever has a blank there, or hardly ever none."""
        found = self.counts.get((text, False, behind), Counter()) + self.counts.get((text, True, behind), Counter())
        return found.total() >= KNOWN and found[blank] <= RARE * found.total() + 1


def oddities(grammar: Grammar, line: bytes, habits: Habits) -> int:
    """How many blanks in a line are too many or missing, going by the rest of the file; where one was deleted, there
    are often some."""
    code = lexemes(grammar, line, Span(0, len(line)))
    found = int(line != line.rstrip())
    for span in code:
        text, left, right = (
            line[span.start : span.end],
            line[span.start - 1 : span.start],
            line[span.end : span.end + 1],
        )
        found += bool(left and line[: span.start].strip() and habits.is_odd(text, left == b" ", behind=False))
        found += bool(right and habits.is_odd(text, right == b" ", behind=True))
    found += sum(line[one.end : two.start].startswith(b"  ") for one, two in pairwise(code))
    return found


def place(view: bytes, span: Span) -> Span:
    """A suspect, moved to where a missing lexeme would stand: an empty one among blanks goes into their middle."""
    if len(span):
        return span
    start, end = _blanks(view, span)
    if start == line_start(view, start):
        own = end - start
        return Span(end - 1, end - 1) if own and own not in _depths(view, start) else Span(end, end)
    if end == line_end(view, end):
        return Span(end, end)
    middle = start + (end - start > 1)
    return Span(middle, middle)


def spaced(view: bytes, span: Span, filler: bytes, habits: Habits) -> Edit:
    """Put a lexeme (b"" deletes) at a place, with the blanks that the file usually has beside it.

    Blanks that stand there already are kept unless the new lexeme is never written so.
    """
    start, end = _blanks(view, span)
    at_start, at_end = start == line_start(view, start), end == line_end(view, end)
    if not filler:
        if not len(span):
            return Edit(span, b"")
        if at_start:
            return Edit(Span(span.start, end), b"")
        if start < span.start:
            return Edit(Span(span.start - 1, span.end), _between(view, span.start - 1, span.end))
        return Edit(span, _between(view, span.start, span.end))
    if len(span) == 0 and end - start > 1:
        return Edit(span, filler + (b" " if at_start and span.start == end else b""))
    old = view[span.start : span.end]
    before, behind = start < span.start, span.end < end
    usual = before, behind
    if len(span) == 0 and behind and is_word(filler) and is_word(view[start - 1 : start]):
        usual = True, is_word(view[end : end + 1])
    elif not len(span) or (is_word(old) and not is_word(filler)):
        first, second = (habits.blank(filler, span.start, behind=side) for side in (False, True))
        usual = before if first is None else first, behind if second is None else second
        if not len(span):
            # Nothing was taken away here: a blank that stands is meant, unless the file never has one there.
            usual = (
                usual[0] or (before and not habits.is_odd(filler, True, behind=False)),
                usual[1] or (behind and not habits.is_odd(filler, True, behind=True)),
            )
    left, right = span.start, span.end
    if not at_start:
        left = start if before and span.start - start == 1 and not usual[0] else span.start
    if not at_end:
        right = end if behind and end - span.end == 1 and not usual[1] else span.end
    front = b" " if not at_start and usual[0] and not before else b""
    back = b" " if not at_end and usual[1] and not behind else b""
    front = front or _apart(view[left - 1 : left], filler[:1])
    back = back or _apart(filler[-1:], view[right : right + 1])
    return Edit(Span(left, right), front + filler + back)


def _between(view: bytes, start: int, end: int) -> bytes:
    """What must stand between two texts that come to stand side by side."""
    return _apart(view[max(0, start - 1) : start], view[end : end + 1])


def _apart(left: bytes, right: bytes) -> bytes:
    return b" " if is_word(left) and is_word(right) else b""


def _blanks(view: bytes, span: Span) -> tuple[int, int]:
    """The span with the blanks on both sides of it, in its line."""
    start, end = span.start, span.end
    while start > 0 and view[start - 1] in b" \t":
        start -= 1
    while end < len(view) and view[end] in b" \t":
        end += 1
    return start, end


def _depths(view: bytes, at: int) -> set[int]:
    """How deep the other lines around are."""
    near = lines_around(view, Span(at, at), NEIGHBOURS)
    own = line_start(view, at)
    found: set[int] = set()
    start = near.start
    while start <= near.end and start < len(view):
        end = line_end(view, start)
        line = view[start:end]
        if start != own and line.strip():
            found.add(len(indent(line)))
        start = end + 1
    return found
