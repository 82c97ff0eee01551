"""Whole lines around a place in a text: byte arithmetic, nothing else."""

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


def unindented(data: bytes, span: Span) -> Span:
    """The lines of a span, from the last one before it that is not indented up to the next one behind it."""
    start, end = line_start(data, span.start), line_end(data, span.end) + 1
    while start > 0 and (start >= span.start or not data[start : start + 1].strip()):
        start = line_start(data, start - 1)
    while end < len(data) and not data[end : end + 1].strip():
        end = line_end(data, end) + 1
    return Span(start, min(end, len(data)))


def indent_before(data: bytes, at: int) -> bytes:
    """The indent of the last line before byte `at` that is not blank."""
    line = data[:at].rstrip()
    return _indent(line[line_start(line, len(line)) :])


def indent_after(data: bytes, at: int) -> bytes:
    """The indent of the first line behind the line of byte `at` that is not blank."""
    start = line_end(data, at) + 1
    while start < len(data):
        end = line_end(data, start)
        if data[start:end].strip():
            return _indent(data[start:end])
        start = end + 1
    return b""


def indent_outside(data: bytes, at: int) -> bytes:
    """The indent of the first line behind the line of byte `at` that is less deep than the first there."""
    deeper, start = indent_after(data, at), line_end(data, at) + 1
    while start < len(data):
        end = line_end(data, start)
        if data[start:end].strip() and len(_indent(data[start:end])) < len(deeper):
            return _indent(data[start:end])
        start = end + 1
    return b""


def _indent(line: bytes) -> bytes:
    return line[: len(line) - len(line.lstrip(b" \t"))]
