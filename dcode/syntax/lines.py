"""Whole lines around a place in a text: byte arithmetic, nothing else."""

import re
from collections.abc import Iterator

from dcode.text.span import Span


def line_start(data: bytes, at: int) -> int:
    """The first byte of the line that holds byte `at`; a newline belongs to the line it ends."""
    return data.rfind(b"\n", 0, at) + 1


def line_end(data: bytes, at: int) -> int:
    """The newline that ends the line of byte `at`, or the end of the text."""
    found = data.find(b"\n", at)
    return len(data) if found < 0 else found


def lines_around(data: bytes, span: Span, more: int = 0) -> Span:
    """The lines of a span without the last newline, and `more` lines on each side."""
    start, end = line_start(data, span.start), line_end(data, max(span.start, span.end - 1))
    for _ in range(more):
        start = line_start(data, max(start - 1, 0))
        end = line_end(data, min(end + 1, len(data)))
    return Span(start, end)


def with_next_line(data: bytes, span: Span) -> Span:
    """The lines of a span and the next one that is not blank."""
    lines = lines_around(data, Span(span.start, span.end))
    end = lines.end
    while end < len(data):
        begin, end = end + 1, line_end(data, end + 1)
        if data[begin:end].strip():
            break
    return Span(lines.start, end)


def unindented(data: bytes, within: Span) -> list[int]:
    """Where the lines of a part begin that are neither indented nor blank."""
    return [found.start() for found in re.compile(rb"^\S", re.MULTILINE).finditer(data, within.start, within.end)]


def outer_lines(data: bytes, start: int) -> Iterator[bytes]:
    """The first line from byte `start` on that is not blank, then each that is less deep than all these before."""
    depth = None
    while start < len(data) and depth != 0:
        line = data[start : line_end(data, start)]
        if line.strip() and (depth is None or len(indent(line)) < depth):
            depth = len(indent(line))
            yield line
        start += len(line) + 1


def inner_lines(data: bytes, end: int) -> Iterator[bytes]:
    """The last line before byte `end` that is not blank, then upwards each that is less deep than all below."""
    depth = None
    while end > 0 and depth != 0:
        start = line_start(data, end - 1)
        line = data[start:end].rstrip(b"\n")
        if line.strip() and (depth is None or len(indent(line)) < depth):
            depth = len(indent(line))
            yield line
        end = start


def indent(line: bytes) -> bytes:
    """The blanks that a line begins with."""
    return line[: len(line) - len(line.lstrip(b" \t"))]
