"""The exact bytes of a file and the view of them that everything else works in.

The view is UTF-8 with LF newlines and no byte order mark; spans, canvas, checks and model live there. Only
`\\r\\n`, `\\r` and `\\n` end a line: a form feed or U+2028 is an ordinary character. This file does not know
languages (the pattern of an encoding cookie is given by the caller) and it never writes.
"""

import codecs
import re
import stat
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Literal

from dcode.errors import InputError
from dcode.text.encoding import declared_encoding, refuse_binary, to_utf8
from dcode.text.span import Span

Newline = Literal["lf", "crlf", "cr", "mixed", "none"]

_BYTES: dict[Newline, bytes] = {"lf": b"\n", "none": b"\n", "crlf": b"\r\n", "cr": b"\r"}


@dataclass(frozen=True)
class Source:
    """A file: `data` as on disk, `view` for working in, and the way back from offsets of one to the other.

    `encoding` is Python's codec name; `name` is what messages call the file; `cookie` is the pattern that
    found the encoding, kept so that a changed file can be read the same way.
    """

    data: bytes = field(repr=False)
    view: bytes = field(repr=False)
    encoding: str
    bom: bool
    name: str
    cookie: re.Pattern[bytes] | None = field(default=None, repr=False, compare=False)

    @staticmethod
    def of(data: bytes, name: str, cookie: re.Pattern[bytes] | None = None) -> "Source":
        """The source with these bytes; `cookie` is a PEP 263-like pattern with one group.

        InputError if the bytes are not text, or not text that can be written back unchanged.
        """
        refuse_binary(data, name)
        bom = data.startswith(codecs.BOM_UTF8)
        body = data[len(codecs.BOM_UTF8) :] if bom else data
        encoding = declared_encoding(body, bom, name, cookie)
        text = to_utf8(body, encoding, name)
        view = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in text else text
        return Source(data, view, encoding, bom, name, cookie)

    @staticmethod
    def read(path: Path, cookie: re.Pattern[bytes] | None = None) -> "Source":
        """The source in the file at `path`; InputError if it is missing, unreadable or not fit to work on."""
        try:
            mode = path.stat().st_mode
            if stat.S_ISDIR(mode):
                raise InputError(f"{path} is a directory", hint="name a file")
            if not stat.S_ISREG(mode):
                raise InputError(f"{path} is not a regular file", hint="name a file, or - for stdin")
            data = path.read_bytes()
        except FileNotFoundError:
            raise InputError(f"no such file: {path}") from None
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            why = error.strerror if isinstance(error, OSError) else error
            raise InputError(f"cannot read {path}: {why}") from None
        return Source.of(data, str(path), cookie)

    @cached_property
    def newline(self) -> Newline:
        """How lines end: one style, "mixed", or "none" if there is no newline."""
        crlf = self.data.count(b"\r\n")
        found: dict[Newline, int] = {
            "crlf": crlf,
            "cr": self.data.count(b"\r") - crlf,
            "lf": self.data.count(b"\n") - crlf,
        }
        styles = [style for style, times in found.items() if times]
        if len(styles) > 1:
            return "mixed"
        return styles[0] if styles else "none"

    def to_data(self, span: Span) -> Span:
        """Where a span of the view lies in the data."""
        if self.data is self.view:
            return span
        return Span(self._to_data(span.start), self._to_data(span.end))

    def encode(self, fill: bytes, at: int) -> bytes:
        """A fill (UTF-8, LF) in the file's encoding, with the newline of the line around view offset `at`.

        InputError if the encoding lacks a character, or the fill is not UTF-8 with LF.
        """
        if b"\r" in fill:
            raise InputError(f"the new text for {self.name} holds a carriage return")
        try:
            text = fill.decode("utf-8")
            return text.replace("\n", self._newline_at(at).decode()).encode(self.encoding)
        except UnicodeDecodeError:
            raise InputError(f"the new text for {self.name} is not valid UTF-8") from None
        except UnicodeEncodeError as error:
            char = error.object[error.start]
            raise InputError(
                f"{self.name} is in {self.encoding}, which lacks the character U+{ord(char):04X}",
                hint="convert the file to UTF-8 first",
            ) from None

    def _to_data(self, at: int) -> int:
        assert at <= len(self.view), f"offset {at} is past the view"
        views, datas = self._lines
        line = bisect_right(views, at) - 1
        if self.encoding == "utf-8":
            return datas[line] + at - views[line]
        return datas[line] + len(self.view[views[line] : at].decode("utf-8").encode(self.encoding))

    def _newline_at(self, at: int) -> bytes:
        if self.newline != "mixed":
            return _BYTES[self.newline]
        views, datas = self._lines
        below = min(bisect_right(views, at), len(views) - 1)  # a last line without newline borrows from above
        return next(end for end in (b"\r\n", b"\r", b"\n") if self.data.endswith(end, 0, datas[below]))

    @cached_property
    def _lines(self) -> tuple[Sequence[int], Sequence[int]]:
        """Offsets at which lines start, in the view and in the data; also the place after a final newline."""
        body = len(codecs.BOM_UTF8) if self.bom else 0
        views, datas = _starts(self.view, 0), _starts(self.data, body)
        assert len(views) == len(datas), "the view has other lines than the data"
        return views, datas


def line_starts(view: bytes) -> list[int]:
    """Byte offset of every line; a final newline ends the last line and starts no other. b"" is one line."""
    starts = list(_starts(view, 0))
    return starts[:-1] if view.endswith(b"\n") else starts


def _starts(text: bytes, first: int) -> "array[int]":
    """Where lines start from offset `first` on; also the place after a final newline."""
    lines = text[first:].splitlines(keepends=True)  # of bytes it splits at CR LF, CR and LF only
    starts = array("q", accumulate(map(len, lines), initial=first))
    if lines and not lines[-1].endswith((b"\n", b"\r")):
        starts.pop()
    return starts
