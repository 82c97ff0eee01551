"""The places a person names: `--lines 10-30`, `--at 12:5`, markers in the text. All spans are of the view.

It knows neither files nor languages; the comment sign of a marker is given. UsageError: the text cannot be
understood. InputError: it can, but there is no such place; the message always echoes what was typed.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from dcode.errors import InputError, UsageError
from dcode.text.source import line_starts
from dcode.text.span import Span

FILL = b"<FILL>"

_LINES = re.compile(r"([0-9]{1,12})(?:(-)([0-9]{1,12})?)?")
_AT = re.compile(r"([0-9]{1,12}):([0-9]{1,12})")
_INK = re.compile(rb"[^ \t\f\v\n]")  # a byte that makes a line not blank
_INDENT = re.compile(rb"^([ \t]*)[^ \t\f\v\n]", re.MULTILINE)


def lines_span(view: bytes, text: str, whole: bool = False) -> Span:
    """The span of `A-B`, `A` or `A-`: 1-based lines, both inclusive.

    It runs from the first byte in the range that is not blank to before the newline of B, so that the first
    indent and the last newline stay; with `whole`, from the start of A. A range of blank lines has no indent
    to keep: its span starts where A starts, and the fill must begin with what `lead` returns.
    """
    starts = line_starts(view)
    first, last = _parse_lines(text, len(starts))
    end = _line_end(view, starts, last - 1)
    ink = _INK.search(view, starts[first - 1], end)
    return Span(starts[first - 1] if whole or not ink else ink.start(), end)


def lead(view: bytes, span: Span) -> bytes:
    """What a fill of `span` must begin with: over blank lines, the indent of the next line that is not blank.

    Nothing for any other span, and nothing below the last line of code. Calling it is the caller's choice:
    someone who asks for whole lines wants the indent to be free.
    """
    opens = span.start == 0 or view[span.start - 1] == ord("\n")
    closes = view[span.end : span.end + 1] in (b"", b"\n")
    if not (opens and closes) or _INK.search(view, span.start, span.end):
        return b""
    following = _INDENT.search(view, span.end)
    return following[1] if following else b""


def at_span(view: bytes, text: str) -> Span:
    """The empty span at `LINE:COL`: 1-based, columns in characters, up to one past the line's last.

    The place after a final newline is column 1 of one more line.
    """
    match = _AT.fullmatch(text.strip())
    if not match:
        raise UsageError(f"cannot read --at {text}", hint="write line and column: --at 12:5")
    line, column = int(match[1]), int(match[2])
    if not (line and column):
        raise InputError(f"--at {text} is impossible", hint="lines and columns are counted from 1")
    starts = line_starts(view)
    if view.endswith(b"\n"):
        starts.append(len(view))
    if line > len(starts):
        lines = _count(len(line_starts(view)), "line")
        raise InputError(f"--at {text} is past the end: the file has {lines}")
    chars = view[starts[line - 1] : _line_end(view, starts, line - 1)].decode("utf-8")
    if column > len(chars) + 1:
        raise InputError(f"--at {text} is past the end: line {line} has {_count(len(chars), 'character')}")
    at = starts[line - 1] + len(chars[: column - 1].encode("utf-8"))
    return Span(at, at)


def marker_spans(view: bytes, comment: str) -> list[tuple[Span, str]]:
    """The holes marked in the text, in order, each with its hint; none is an empty list.

    A hole is a `<FILL>`, or neighbouring lines `# dcode: hint` of one indent, where `comment` is the sign
    that opens a comment ("" if the language has none). The span is the marker itself: its indent and its
    newline stay.
    """
    lines = [*_marker_lines(view, comment)] if comment else []
    marked = [span for span, _ in lines]
    fills = (Span(match.start(), match.end()) for match in re.finditer(re.escape(FILL), view))
    free = [(span, "") for span in fills if not any(span.overlaps(line) for line in marked)]
    return sorted(lines + free)


def check_disjoint(spans: Sequence[Span], texts: Sequence[str] = ()) -> None:
    """InputError if two spans overlap or are the same place; `texts` are the spans in the user's words."""
    names = texts or [f"bytes {span.start}..{span.end}" for span in spans]
    for (one, first), (two, second) in pairwise(sorted(zip(spans, names, strict=True))):
        if one.overlaps(two) or one == two:
            raise InputError(f"{first} and {second} overlap", hint="name every place once")


def _parse_lines(text: str, count: int) -> tuple[int, int]:
    match = _LINES.fullmatch(text.strip())
    if not match:
        raise UsageError(f"cannot read --lines {text}", hint="write --lines 12, --lines 10-30 or --lines 10-")
    first = int(match[1])
    last = int(match[3]) if match[3] else count if match[2] else first
    if first < 1:
        raise InputError(f"--lines {text} is impossible", hint="lines are counted from 1")
    if match[3] and last < first:
        raise InputError(f"--lines {text} ends before it begins", hint=f"write --lines {last}-{first}")
    if max(first, last) > count:
        raise InputError(f"--lines {text} is past the end: the file has {_count(count, 'line')}")
    return first, last


def _line_end(view: bytes, starts: Sequence[int], line: int) -> int:
    """Where line number `line`, counted from 0, ends: before its newline."""
    end = view.find(b"\n", starts[line])
    return len(view) if end < 0 else end


def _marker_lines(view: bytes, comment: str) -> Iterator[tuple[Span, str]]:
    sign = re.escape(comment.encode("utf-8"))
    line = rb"%b[ \t]*dcode:[^\n]*" % sign
    block = re.compile(rb"^(?P<indent>[ \t]*)(?P<marker>%b(?:\n(?P=indent)%b)*)" % (line, line), re.MULTILINE)
    for match in block.finditer(view):
        hints = (part.partition(b"dcode:")[2].strip() for part in match["marker"].split(b"\n"))
        yield Span(*match.span("marker")), b"\n".join(filter(None, hints)).decode("utf-8")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
