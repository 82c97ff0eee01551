import os
import re
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcode.errors import InputError
from dcode.text.source import Source, line_starts
from dcode.text.span import Span

COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
CHARS = {
    "utf-8": "a \t\f\x1c\x85\u2028é→𝕏\ufeff",
    "iso8859-1": "a \t\f\x1c\x85é\xff",
    "cp1252": "a €é",
    "koi8-r": "a ж",
    "shift_jis": "a \\~表ソｱ",  # second bytes that are those of ASCII, one-byte katakana
    "euc_jp": "a 表ｱ",
    "big5": "a 功許",
    "gb18030": "a é中𝕏",
}
ENDS = ("\n", "\r\n", "\r")


@st.composite
def files(draw: st.DrawFn) -> tuple[Source, str]:
    """A file of any encoding, newline style, mark and final newline, and its text with LF."""
    encoding = draw(st.sampled_from(list(CHARS)))
    ends = st.sampled_from(draw(st.sampled_from([*([end] for end in ENDS), list(ENDS)])))
    words = st.text(CHARS[encoding], max_size=6)
    first = "#" if encoding == "utf-8" else f"# coding: {encoding}"
    lines = [(first, draw(ends)), *draw(st.lists(st.tuples(words, ends), max_size=7))]
    text = "".join(line + end for line, end in lines) + draw(words)
    bom = encoding == "utf-8" and draw(st.booleans())
    data = (b"\xef\xbb\xbf" if bom else b"") + text.encode(encoding)
    return Source.of(data, "a.py", COOKIE), re.sub("\r\n?", "\n", text)


@given(files())
def test_the_view_is_the_text(file: tuple[Source, str]) -> None:
    source, text = file
    assert source.view.decode("utf-8") == text


@given(files(), st.data())
def test_spans_round_trip(file: tuple[Source, str], data: st.DataObject) -> None:
    source, text = file
    first, last = sorted(data.draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    span = Span(len(text[:first].encode()), len(text[:last].encode()))
    there = source.to_data(span)
    old = source.data[there.start : there.end].decode(source.encoding)
    assert re.sub("\r\n?", "\n", old) == text[first:last]
    everything = source.to_data(Span(0, len(source.view)))
    assert everything == Span(3 if source.bom else 0, len(source.data))


@given(st.binary(max_size=60), st.sampled_from(list(CHARS)))
def test_random_bytes_are_refused_or_given_back(data: bytes, encoding: str) -> None:
    data = b"# coding: " + encoding.encode() + b"\n" + data
    try:
        source = Source.of(data, "a.py", COOKIE)
    except InputError:
        return
    assert source.view.decode("utf-8").encode(encoding) == re.sub(rb"\r\n?", b"\n", data)


@pytest.mark.parametrize(
    ("data", "newline"),
    [
        (b"", "none"),
        (b"a", "none"),
        (b"a\nb\n", "lf"),
        (b"a\r\nb", "crlf"),
        (b"a\rb", "cr"),
        (b"a\r\nb\n", "mixed"),
    ],
)
def test_newline(data: bytes, newline: str) -> None:
    assert Source.of(data, "a").newline == newline


def test_plain_text_is_its_own_view() -> None:
    data = "x = 'é'\f\x1c\u2028\n".encode()
    assert Source.of(data, "a").view is data


def test_only_cr_and_lf_end_lines() -> None:
    source = Source.of("a\f\v\x1c\x85\u2028\r\nb".encode(), "a")
    assert source.view == "a\f\v\x1c\x85\u2028\nb".encode()
    assert line_starts(source.view) == [0, source.view.index(b"b")]


@pytest.mark.parametrize(
    ("view", "starts"),
    [(b"", [0]), (b"a", [0]), (b"a\n", [0]), (b"a\nb", [0, 2]), (b"\n\n", [0, 1]), (b"\n", [0])],
)
def test_line_starts(view: bytes, starts: list[int]) -> None:
    assert line_starts(view) == starts


@pytest.mark.parametrize(
    ("line", "encoding"),
    [
        (b"# -*- coding: latin-1 -*-\n", "iso8859-1"),
        (b"#!/bin/sh\n# vim: fileencoding=cp1252\n", "cp1252"),
        (b"\n# coding: Shift_JIS\n", "shift_jis"),
        (b"# coding: utf-8-unix\n", "utf-8"),
        (b"# coding: utf-8-sig\n", "utf-8"),
        (b"# coding: latin-1-dos\r\n", "iso8859-1"),
        (b"x = 1\n# coding: latin-1\n", "utf-8"),
        (b"\n\n# coding: latin-1\n", "utf-8"),
    ],
)
def test_the_cookie_counts_where_python_says(line: bytes, encoding: str) -> None:
    assert Source.of(line, "a.py", COOKIE).encoding == encoding
    assert Source.of(line, "a.py").encoding == "utf-8"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xff\xfea\0", "UTF-16"),
        (b"\xfe\xff\0a", "UTF-16"),
        (b"\xff\xfe\0\0a\0\0\0", "UTF-32"),
        (b"ab\0c", "byte 2 is NUL"),
        (b"a\n\xe9\n", "not valid utf-8: line 2, byte 0xe9"),
        (b"# coding: klingon\n", "unknown encoding: klingon"),
        (b"\xef\xbb\xbf# coding: latin-1\n", "byte order mark but declares latin-1"),
        (b"# coding: utf-7\n", "cannot be edited safely"),
        (b"# coding: cp037\n", "cannot be edited safely"),
        (b"# coding: rot13\n", "cannot be edited safely"),
        (b"# coding: unicode_escape\n", "cannot be edited safely"),
        (b"# coding: iso-2022-jp\n", "cannot be edited safely"),
        (b"# coding: cp932\n\x87\x90\n", "cannot be edited safely"),  # one of two codes for U+2252
        (b"# coding: cp1252\n\x81\n", "not valid cp1252: line 2, byte 0x81"),
    ],
)
def test_what_cannot_be_edited_safely_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=r"a\.py.*" + message):
        Source.of(data, "a.py", COOKIE)


@pytest.mark.parametrize(
    ("data", "at", "expected"),
    [
        (b"a\nb\r\nc\rd", 0, b"x\ny"),
        (b"a\nb\r\nc\rd", 1, b"x\ny"),
        (b"a\nb\r\nc\rd", 2, b"x\r\ny"),
        (b"a\nb\r\nc\rd", 4, b"x\ry"),
        (b"a\nb\r\nc\rd", 7, b"x\ry"),  # no newline of its own: that of the line above
        (b"a\nb\r\n", 4, b"x\r\ny"),
        (b"", 0, b"x\ny"),
        (b"a\r\n", 0, b"x\r\ny"),
    ],
)
def test_a_fill_gets_the_newline_around_it(data: bytes, at: int, expected: bytes) -> None:
    assert Source.of(data, "a").encode(b"x\ny", at) == expected


def test_a_fill_gets_the_encoding() -> None:
    source = Source.of(b"# coding: cp1252\r\n", "a.py", COOKIE)
    assert source.encode("€\n".encode(), 0) == b"\x80\r\n"


@pytest.mark.parametrize(
    ("fill", "message"),
    [
        ("→".encode(), r"lacks the character U\+2192"),
        (b"\xff", "not valid UTF-8"),
        (b"a\r\n", "carriage return"),
    ],
)
def test_a_fill_that_cannot_be_written(fill: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Source.of(b"# coding: latin-1\n", "a.py", COOKIE).encode(fill, 0)


def test_read(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"# coding: latin-1\n\xe9\r\n")
    source = Source.read(path, COOKIE)
    assert (source.data, source.name, source.encoding) == (path.read_bytes(), str(path), "iso8859-1")


def test_read_refuses_what_is_no_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    for path, message in [
        (tmp_path / "none.py", "no such file: .*none.py"),
        (tmp_path, "is a directory"),
        (pipe, "not a regular file"),
        (tmp_path / ("a" * 300), "cannot read .*: File name too long"),
        (Path("a\0b"), "cannot read"),
    ]:
        with pytest.raises(InputError, match=message):
            Source.read(path)
