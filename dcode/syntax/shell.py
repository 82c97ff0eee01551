"""A part of a file that can be judged alone: whole lines, in a frame that makes them legal where they are.

Trying a thousand small changes costs a thousand parses; a shell keeps each to a few lines of a long file. It knows
indentation and the frames of a grammar, and takes nothing on trust: a part is used only if it parses once the lines
in doubt are replaced by a filler.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice

from dcode.syntax.grammar import Grammar
from dcode.syntax.lines import indent, line_end, line_start, lines_around
from dcode.syntax.parse import shape, tree_faults
from dcode.syntax.prefix import PREFIX_TESTS, PrefixTest
from dcode.syntax.strict import STRICT
from dcode.text.span import Span

PART = "…"
"""What stands for the part in a frame."""

ZONES = 4
"""How many lines in doubt are taken out one at a time."""

NEUTRAL = 24
"""How many fillers are tried in place of a line in doubt before a part is given up."""


@dataclass(frozen=True)
class Shell:
    """A `part` of the view (whole lines) between `head` and `tail`; spans are in bytes of the view."""

    grammar: Grammar
    view: bytes
    part: Span
    head: bytes
    tail: bytes

    @property
    def whole(self) -> bool:
        """Whether this is all of the file, as it is."""
        return self.part == Span(0, len(self.view))

    @property
    def sound(self) -> bool:
        """Whether the part parses as it is."""
        return self.parses(Span(self.part.start, self.part.start), b"")

    def parses(self, span: Span, replacement: bytes, since: int = 0) -> bool:
        """Whether the part has no fault once `replacement` stands at `span`; the parser is asked last.

        `since`: where the text as it is has its first hopeless fault. That is looked at first, if it is known.
        """
        text = self.text(span, replacement)
        if since and self._prefix and self._prefix.at(text, self._moved(since, span, replacement)):
            return False
        strict = STRICT.get(self.grammar.strict)
        return not (strict and strict.faults(text)) and not shape(self.grammar, text).root_node.has_error

    def rest(self, span: Span, replacement: bytes, since: int = 0) -> int:
        """The bytes behind the first fault of the part once `replacement` stands at `span`; 0 if there is none.

        Where text can be judged by what may follow it, only what nothing mends counts: a parser's broken nodes often
        begin far above the damage, and a compiler names a bracket far below it. What stands before byte `since` of
        the text as it is is taken to be fine.
        """
        text = self.text(span, replacement)
        at = self._hopeless(text, self._moved(since, span, replacement))
        if at is not None:
            return len(text) - at
        strict = STRICT.get(self.grammar.strict)
        faults = (strict.faults(text) if strict else ()) or tuple(tree_faults(self.grammar, text))
        rest = len(text) - min((fault.span.start for fault in faults), default=len(text))
        return min(rest, 1) if self._prefix else rest

    def hopeless(self) -> int:
        """Where the text as it is has its first fault that nothing behind it mends; 0 if none is known."""
        return self._hopeless(self.text(Span(self.part.start, self.part.start), b""), 0) or 0

    @property
    def _prefix(self) -> PrefixTest | None:
        return PREFIX_TESTS.get(self.grammar.strict)

    def _hopeless(self, text: bytes, since: int) -> int | None:
        if self._prefix is None:
            return None
        if since:
            return self._prefix.first(text, since)
        fault = self._prefix.fault(text, len(text))
        return fault.span.start if fault else None

    def _moved(self, at: int, span: Span, replacement: bytes) -> int:
        """Where a byte of the text as it is stands after a change."""
        return at + (len(replacement) - len(span) if len(self.head) + span.start - self.part.start < at else 0)

    def text(self, span: Span, replacement: bytes) -> bytes:
        """The part in its frame, with `replacement` at `span`."""
        assert self.part.start <= span.start and span.end <= self.part.end, "an edit outside the shell"
        before, after = self.view[self.part.start : span.start], self.view[span.end : self.part.end]
        return b"".join((self.head, before, replacement, after, self.tail))


def shells(grammar: Grammar, view: bytes, doubt: Span) -> Iterator[Shell]:
    """Parts around the lines in `doubt` that parse with a filler in place of one or all of them, ever wider; then the
    file."""
    lines = _whole_lines(view, doubt)
    zones = dict.fromkeys((*islice(_each_line(view, lines), ZONES), lines))
    for part in parts(grammar, view, lines):
        for one in _framed(grammar, view, part):
            if any(one.parses(zone, filler + b"\n") for zone in zones for filler in _neutral(grammar, view, zone)):
                yield one
                break
    yield Shell(grammar, view, Span(0, len(view)), b"", b"")


def around(grammar: Grammar, view: bytes, doubt: Span) -> Iterator[Shell]:
    """Parts around the lines in `doubt`, each in the first frame that suits it, ever wider; whether they parse is not
    asked."""
    for part in parts(grammar, view, _whole_lines(view, doubt)):
        yield from islice(_framed(grammar, view, part), 1)


def parts(grammar: Grammar, view: bytes, doubt: Span) -> Iterator[Span]:
    """Whole lines around the doubt, by indentation, ever wider: with the line above if it is as deep, then from what
    opens a block to what is no deeper and does not belong to it. The file itself is none of them."""
    depth = min((_depth(line) for line in view[doubt.start : doubt.end].split(b"\n") if line.strip()), default=1 << 20)
    start, end = doubt.start, _closing(grammar, view, doubt.end, depth)
    done = Span(len(view), len(view))
    for deeper in count():
        start, depth = _opening(view, start, depth + (deeper == 0))
        end = _closing(grammar, view, end, depth)
        if Span(start, end) in (done, Span(0, len(view))):
            return
        done = Span(start, end)
        yield done


def _each_line(view: bytes, lines: Span) -> Iterator[Span]:
    at = lines.start
    while at < lines.end:
        end = min(line_end(view, at) + 1, lines.end)
        if view[at:end].strip():
            yield Span(at, end)
        at = end


def _neutral(grammar: Grammar, view: bytes, zone: Span) -> Iterator[bytes]:
    """Fillers as deep as the zone's first line, without its closing newline."""
    depth = _depth(view[zone.start : zone.end])
    for filler in grammar.witnesses[:NEUTRAL]:
        yield view[zone.start : zone.start + depth] + filler


def _opening(view: bytes, start: int, depth: int) -> tuple[int, int]:
    """The start of the nearest line above that is less deep, and its depth; the file's start if none is."""
    while start > 0:
        start = line_start(view, start - 1)
        line = view[start : line_end(view, start)]
        if line.strip() and _depth(line) < depth:
            return start, _depth(line)
    return 0, 0


def _closing(grammar: Grammar, view: bytes, end: int, depth: int) -> int:
    """The end of what a line of this depth opened: before the next line no deeper that neither closes nor continues
    it."""
    while end < len(view):
        stop = min(line_end(view, end) + 1, len(view))
        line = view[end:stop]
        if line.strip() and _depth(line) <= depth and not (_depth(line) == depth and _belongs(grammar, line.strip())):
            return end
        end = stop
    return end


def _belongs(grammar: Grammar, line: bytes) -> bool:
    """Whether it begins with a bracket or a word that belongs to a line above, or opens its block."""
    word = re.match(rb"#?\w*", line)
    closes = line.startswith(tuple(closing for _, closing in grammar.brackets))
    return closes or line == grammar.block_open.encode() or (word is not None and word[0] in grammar.continues)


def _framed(grammar: Grammar, view: bytes, part: Span) -> Iterator[Shell]:
    """The part in each frame; a frame's leading blank stands for the first sign of the part's own indent."""
    own = indent(view[part.start : line_end(view, part.start)])
    for frame in grammar.frames if part != Span(0, len(view)) else (PART,):
        head, tail = (text.encode() for text in frame.split(PART))
        if b"\n " not in head or len(own) > 1:
            yield Shell(grammar, view, part, head.replace(b"\n ", b"\n" + own[:1]), tail)


def _depth(line: bytes) -> int:
    return len(indent(line))


def _whole_lines(view: bytes, span: Span) -> Span:
    lines = lines_around(view, span)
    return Span(lines.start, min(lines.end + 1, len(view)))
