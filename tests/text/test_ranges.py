import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcode.errors import DcodeError, InputError, UsageError
from dcode.text.ranges import at_span, check_disjoint, lead, lines_span, marker_spans
from dcode.text.source import line_starts
from dcode.text.span import Span

VIEW = b"def f():\n\treturn 1\n\n  \n    x = 2  \n"


def cut(view: bytes, span: Span) -> bytes:
    return view[span.start : span.end]


@pytest.mark.parametrize(
    ("text", "hole"),
    [
        ("1", b"def f():"),
        ("2", b"return 1"),
        ("2-5", b"return 1\n\n  \n    x = 2  "),
        ("2-", b"return 1\n\n  \n    x = 2  "),
        ("3-5", b"x = 2  "),  # blank lines before the first ink stay, and so does its indent
        ("3", b""),
        ("3-4", b"\n  "),
        ("4", b"  "),
        (" 1-1 ", b"def f():"),
    ],
)
def test_lines(text: str, hole: bytes) -> None:
    assert cut(VIEW, lines_span(VIEW, text)) == hole


@pytest.mark.parametrize(("text", "hole"), [("2", b"\treturn 1"), ("3-5", b"\n  \n    x = 2  "), ("4", b"  ")])
def test_whole_lines(text: str, hole: bytes) -> None:
    assert cut(VIEW, lines_span(VIEW, text, whole=True)) == hole


def test_lines_of_next_to_nothing() -> None:
    assert lines_span(b"", "1") == Span(0, 0)
    assert lines_span(b"a", "1-") == Span(0, 1)
    assert lines_span(b"\n\n", "2") == Span(1, 1)


@given(st.lists(st.sampled_from(["", " ", "\t", "a", "  b", "é c ", "\f"]), min_size=1, max_size=9), st.data())
def test_a_range_keeps_first_indent_and_last_newline(lines: list[str], data: st.DataObject) -> None:
    view = "\n".join(lines).encode()
    count = len(line_starts(view))
    first, last = sorted(data.draw(st.tuples(*[st.integers(1, count)] * 2)))
    span = lines_span(view, f"{first}-{last}")
    named = "\n".join(lines[first - 1 : last])
    assert cut(view, span).decode() == (named.lstrip() or named)
    assert view[span.end :].decode() == "\n".join(["", *lines[last:]] if last < len(lines) else [])


@pytest.mark.parametrize(
    ("text", "indent"),
    [("3", b"    "), ("3-4", b"    "), ("4", b"    "), ("2", b""), ("2-3", b""), ("1", b"")],
)
def test_blank_lines_take_the_next_indent(text: str, indent: bytes) -> None:
    assert lead(VIEW, lines_span(VIEW, text)) == indent


def test_below_the_last_code_there_is_no_indent_to_take() -> None:
    view = b"if x:\n    y\n\n \n"
    assert lead(view, lines_span(view, "3")) == b""
    assert lead(b"", Span(0, 0)) == b""
    assert lead(view, at_span(view, "1:1")) == b""


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("30-10", InputError, "--lines 30-10 ends before it begins (write --lines 10-30)"),
        ("0-3", InputError, "--lines 0-3 is impossible (lines are counted from 1)"),
        ("0", InputError, "--lines 0 is impossible (lines are counted from 1)"),
        ("500-510", InputError, "--lines 500-510 is past the end: the file has 5 lines"),
        ("4-6", InputError, "--lines 4-6 is past the end: the file has 5 lines"),
        ("6-", InputError, "--lines 6- is past the end: the file has 5 lines"),
        *(
            (text, UsageError, f"cannot read --lines {text}")
            for text in ("a-b", "", "-", "-5", "1-2-3", "1,2", "٣", "1:2")
        ),
        ("9" * 20, UsageError, "cannot read --lines 999"),
    ],
)
def test_an_error_echoes_the_range(text: str, error: type[DcodeError], message: str) -> None:
    with pytest.raises(error) as caught:
        lines_span(VIEW, text)
    assert type(caught.value) is error
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("text", "offset"), [("1:1", 0), ("1:2", 1), ("1:3", 3), ("1:4", 7), ("2:1", 8), ("2:2", 9), ("3:1", 10)]
)
def test_at_counts_characters(text: str, offset: int) -> None:
    assert at_span("aé𝕏\nb\n".encode(), text) == Span(offset, offset)


def test_at_in_nothing() -> None:
    assert at_span(b"", "1:1") == Span(0, 0)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("1:5", InputError, "--at 1:5 is past the end: line 1 has 3 characters"),
        ("3:2", InputError, "--at 3:2 is past the end: line 3 has 0 characters"),
        ("4:1", InputError, "--at 4:1 is past the end: the file has 2 lines"),
        ("0:1", InputError, "--at 0:1 is impossible"),
        ("1:0", InputError, "--at 1:0 is impossible"),
        *((text, UsageError, f"cannot read --at {text}") for text in ("5", "a:b", "1:", ":1", "1:2:3", "-1:2")),
    ],
)
def test_an_error_echoes_the_place(text: str, error: type[DcodeError], message: str) -> None:
    with pytest.raises(error) as caught:
        at_span("aé𝕏\nb\n".encode(), text)
    assert type(caught.value) is error
    assert str(caught.value).startswith(message)


def test_markers() -> None:
    view = (
        b"def f(x):\n    # dcode: sort x\n    #dcode:  and drop doubles \n    return <FILL> + <FILL>\n"
        b"  # dcode:\ny = 1  # dcode: not a line of its own\n# dcode: use <FILL>\n"
    )
    found = [(cut(view, span), hint) for span, hint in marker_spans(view, "#")]
    assert found == [
        (b"# dcode: sort x\n    #dcode:  and drop doubles ", "sort x\nand drop doubles"),
        (b"<FILL>", ""),
        (b"<FILL>", ""),
        (b"# dcode:", ""),
        (b"# dcode: use <FILL>", "use <FILL>"),
    ]


def test_markers_of_another_language() -> None:
    assert marker_spans(b"  // dcode: close it", "//") == [(Span(2, 20), "close it")]
    assert marker_spans(b"{<FILL>}", "") == [(Span(1, 7), "")]
    assert marker_spans(b"# dcode: x\n", "//") == []


def test_disjoint_spans_may_touch() -> None:
    check_disjoint([Span(5, 9), Span(0, 5), Span(5, 5)])
    check_disjoint([])


@pytest.mark.parametrize(
    "spans", [[(0, 5), (4, 9)], [(4, 9), (0, 5)], [(0, 9), (3, 3)], [(3, 3), (3, 3)], [(2, 4), (2, 4)]]
)
def test_overlap_echoes_both(spans: list[tuple[int, int]]) -> None:
    with pytest.raises(InputError, match=r"--lines \w-\w and --lines \w-\w overlap"):
        check_disjoint([Span(*ends) for ends in spans], ["--lines 1-2", "--lines 2-3"])


def test_a_long_span_overlaps_more_than_its_neighbour() -> None:
    with pytest.raises(InputError, match=r"bytes 0\.\.9 and bytes 5\.\.6 overlap"):
        check_disjoint([Span(0, 9), Span(9, 9), Span(5, 6)])
