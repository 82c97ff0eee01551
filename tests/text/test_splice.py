import re
import subprocess
import tempfile
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcode.errors import InputError
from dcode.text.edit import Edit, common_ends, splice, unified_diff
from dcode.text.source import Source
from dcode.text.span import Span

COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
ALPHABETS = {
    "utf-8": "ab \t\f\u2028é→𝕏",
    "iso8859-1": "ab \t\x85é\xa0",
    "cp1252": "ab €é",
    "shift_jis": "ab \\表ソ",  # their second byte is that of a backslash
    "gb18030": "ab é𝕏中",
}
ENDS = ("\n", "\r\n", "\r")


@st.composite
def edited(draw: st.DrawFn) -> tuple[Source, list[Edit]]:
    """A file of any newline × mark × encoding × final newline, and edits of it."""
    encoding = draw(st.sampled_from(list(ALPHABETS)))
    kinds = draw(st.sampled_from([*([end] for end in ENDS), list(ENDS)]))
    line = st.tuples(st.text(ALPHABETS[encoding], max_size=6), st.sampled_from(kinds))
    lines = draw(st.lists(line, max_size=8))
    cookie = "" if encoding == "utf-8" else f"# coding: {encoding}{kinds[0]}"
    text = cookie + "".join(text + end for text, end in lines) + draw(st.text(ALPHABETS[encoding], max_size=3))
    mark = b"\xef\xbb\xbf" if encoding == "utf-8" and draw(st.booleans()) else b""
    source = Source.of(mark + text.encode(encoding), "a.py", COOKIE)
    view = source.view.decode("utf-8")
    cuts = sorted(draw(st.lists(st.integers(min(len(cookie), len(view)), len(view)), max_size=6)))
    offsets = [len(view[:cut].encode()) for cut in cuts]
    fill = st.text(ALPHABETS[encoding] + "\n", max_size=6).map(str.encode)
    return source, [Edit(Span(*ends), draw(fill)) for ends in list(pairwise(offsets))[::2]]


@settings(max_examples=300)
@given(edited())
def test_not_one_byte_outside_the_spans_changes(case: tuple[Source, list[Edit]]) -> None:
    source, edits = case
    try:
        after = splice(source, edits)
    except InputError as error:  # a CR and an LF that would become one newline
        assert source.newline == "mixed" and "merge" in error.what
        return
    data, rest = source.data, after
    for edit in reversed(edits):
        span = source.to_data(edit.span)
        outside = data[span.end :]
        assert rest.endswith(outside)
        old = source.view[edit.span.start : edit.span.end]
        fill = data[span.start : span.end] if old == edit.new else source.encode(edit.new, edit.span.start)
        data, rest = data[: span.start], rest[: len(rest) - len(outside)]
        assert rest.endswith(fill)
        rest = rest[: len(rest) - len(fill)]
    assert rest == data
    view = source.view
    for edit in reversed(edits):
        view = view[: edit.span.start] + edit.new + view[edit.span.end :]
    assert Source.of(after, "a.py", COOKIE).view == view


@given(edited())
def test_without_changes_the_file_is_the_same(case: tuple[Source, list[Edit]]) -> None:
    source, edits = case
    assert splice(source, []) == source.data
    kept = [Edit(edit.span, source.view[edit.span.start : edit.span.end]) for edit in edits]
    assert splice(source, kept) == source.data


def test_a_mixed_file_keeps_every_newline() -> None:
    source = Source.of(b"\xef\xbb\xbfa\r\nb\nc\rd", "a")
    edits = [Edit(Span(0, 1), b"A\nA"), Edit(Span(2, 3), b"B\nB"), Edit(Span(4, 5), b"C\nC")]
    assert splice(source, edits) == b"\xef\xbb\xbfA\r\nA\r\nB\nB\nC\rC\rd"


@pytest.mark.parametrize(
    ("data", "edit", "message"),
    [
        (b"a\rb\n", Edit(Span(2, 3), b""), "would merge with the text beside it"),
        (b"ab", Edit(Span(0, 0), b"\xef\xbb\xbf"), "would merge"),
        (b"ab", Edit(Span(1, 1), b"\0"), "is binary"),
        (
            b"# coding: latin-1\n\xe9",
            Edit(Span(2, 17), b"coding: cp1252"),
            "declare another encoding: cp1252",
        ),
        (b"# coding: latin-1\n\xe9", Edit(Span(0, 17), b""), "not valid utf-8"),
        (b"# coding: latin-1\n", Edit(Span(18, 18), "→".encode()), "lacks the character"),
    ],
)
def test_what_could_not_be_read_back_is_refused(data: bytes, edit: Edit, message: str) -> None:
    with pytest.raises(InputError, match=message):
        splice(Source.of(data, "a.py", COOKIE), [edit])


def test_edits_out_of_order_are_our_bug() -> None:
    source = Source.of(b"abcdef", "a")
    with pytest.raises(AssertionError):
        splice(source, [Edit(Span(2, 4), b""), Edit(Span(3, 5), b"")])


@pytest.mark.parametrize(
    ("old", "new", "ends"),
    [("", "", (0, 0)), ("abc", "abc", (3, 0)), ("abcd", "abxcd", (2, 2)), ("aa", "aaa", (2, 0)), ("ab", "cb", (0, 1))],
)
def test_common_ends_never_overlap(old: str, new: str, ends: tuple[int, int]) -> None:
    def lines(text: str) -> list[bytes]:
        return [letter.encode() for letter in text]

    assert common_ends(lines(old), lines(new)) == ends
    assert common_ends(lines(new), lines(old)) == ends


def test_unified_diff_looks_like_that_of_git() -> None:
    before = b"".join(b"%d\n" % n for n in range(30))
    after = before.replace(b"\n7\n", b"\nseven\r\n").replace(b"29\n", b"29")
    assert unified_diff(before, after, "./src/a b.py") == (
        b"diff --git a/src/a b.py b/src/a b.py\n--- a/src/a b.py\t\n+++ b/src/a b.py\t\n"
        b"@@ -5,7 +5,7 @@\n 4\n 5\n 6\n-7\n+seven\r\n 8\n 9\n 10\n"
        b"@@ -27,4 +27,4 @@\n 26\n 27\n 28\n-29\n+29\n\\ No newline at end of file\n"
    )
    assert unified_diff(before, before, "a") == b""


LINES = st.sampled_from(
    [b"\n", b"a\n", b"b\r\n", b"c\rd\n", b"\\ No newline at end of file\n", b"-- \n", b"\xe9\f\n", b" a\n"]
)


@settings(max_examples=60)
@given(st.lists(LINES, max_size=25), st.data())
def test_git_apply_reproduces_the_bytes(lines: list[bytes], data: st.DataObject) -> None:
    first, last = sorted(data.draw(st.tuples(*[st.integers(0, len(lines))] * 2)))
    new = lines[:first] + data.draw(st.lists(LINES, max_size=4)) + lines[last:]
    spot = data.draw(st.integers(0, len(new)))
    new[spot : spot + 1] = data.draw(st.lists(LINES, max_size=2))
    end = st.sampled_from([b"", b"z", b"a\r"])
    check_git_apply(b"".join(lines) + data.draw(end), b"".join(new) + data.draw(end), "x/a.py")


@pytest.mark.parametrize("name", ["ä b.py", "'q\".py", "tab\there.py", "new\nline.py", "back\\slash\x7fé.py", "-a.py"])
def test_git_apply_understands_odd_names(name: str) -> None:
    check_git_apply(b"a\n", b"b\n", name)


def test_git_apply_takes_more_lines_than_are_compared() -> None:
    lines = [b"%d\n" % n for n in range(50_000)]
    changed = [line if n % 1000 or not n else b"x" + line for n, line in enumerate(lines[:-5])] + lines[-5:]
    check_git_apply(b"".join(lines), b"".join(changed), "a")


def check_git_apply(before: bytes, after: bytes, name: str) -> None:
    patch = unified_diff(before, after, name)
    assert bool(patch) == (before != after)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(before)
        if patch:
            done = subprocess.run(["git", "apply", "-"], cwd=folder, input=patch, capture_output=True, check=False)
            assert done.returncode == 0, (done.stderr, patch)
        assert path.read_bytes() == after
