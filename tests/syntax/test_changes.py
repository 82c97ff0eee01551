"""Changes that mend a text: there are some, they mend it, and the file's own words are among them."""

import pytest

from dcode.syntax.changes import Words, advances, changes
from dcode.syntax.check import file_faults
from dcode.syntax.grammar import grammar
from dcode.syntax.repairs import repairs
from dcode.syntax.strict import compile_fault
from dcode.syntax.suspects import detections
from dcode.text.edit import Edit

PYTHON = grammar("python")


def mended(view: bytes, edit: Edit) -> bytes:
    return view[: edit.span.start] + edit.new + view[edit.span.end :]


def found(view: bytes) -> set[bytes]:
    search = changes(PYTHON, view, file_faults(PYTHON, view), Words.of(PYTHON, view))
    return {mended(view, edit) for edits in search for edit in edits}


@pytest.mark.parametrize(
    ("view", "wanted"),
    [
        (b"node = 1\nprop = 2\nf(prop, prop)\ndef transformnode, prop):\n    return node\n", b"transform(node"),
        (b"def f(x):\n    return x\n\n\nreturn = f(3)\n", b"\nx = f(3)"),
        (b"value = 3\nprint(+ value, 1, )\nprint(%, value)\n", b"print(value, value)"),
        (b"def f():\nreturn 1\n", b"\n    return 1"),
    ],
)
def test_the_right_change_is_among_them(view: bytes, wanted: bytes) -> None:
    assert any(wanted in text for text in found(view))


def test_a_missing_bracket_goes_to_the_end_of_its_line() -> None:
    view = b"x = [1, 2\ny = (3)\n"
    texts = found(view)
    assert b"x = [1, 2]\ny = (3)\n" in texts
    assert view not in texts


def test_with_several_faults_a_change_brings_the_next_into_view() -> None:
    view = b"def f(a b):\n    return a\n\n\ndef g(:\n    return 1\n"
    faults = file_faults(PYTHON, view)
    texts = {mended(view, edit) for edit in advances(PYTHON, view, faults, Words.of(PYTHON, view))}
    assert view.replace(b"a b", b"a, b") in texts
    assert all(b"f(a b)" not in text for text in texts)


def test_two_brackets_that_nothing_closes_are_mended_one_after_the_other() -> None:
    """The compiler names the inner one until the outer one is closed."""
    view = b"def f(x):\n    return (x + 1\n\nprint(f(2)\n"
    assert not found(view)
    texts = {mended(view, edit) for edit in advances(PYTHON, view, file_faults(PYTHON, view), Words.of(PYTHON, view))}
    closed = view.replace(b"1\n", b"1)\n")
    assert closed in texts or view.replace(b"(x", b"x") in texts
    assert all(text.endswith(b"print(f(2)\n") for text in texts)
    assert closed.replace(b"(2)", b"(2))") in found(closed)


@pytest.mark.parametrize("view", [b"(", b")", b"="])
def test_a_file_of_one_byte_is_mended(view: bytes) -> None:
    assert any(not file_faults(PYTHON, text) for text in found(view))


@pytest.mark.parametrize("error", [RecursionError("too deep"), MemoryError()])
def test_what_is_only_too_much_for_the_compiler_is_left_alone(error: BaseException) -> None:
    view = b"x = 1 + 1"
    faults = (compile_fault(error, view.decode()),)
    assert detections(view, faults) == ()
    assert [*changes(PYTHON, view, faults, Words.of(PYTHON, view))] == []
    assert advances(PYTHON, view, faults, Words.of(PYTHON, view)) == []
    assert repairs(PYTHON, view, faults) == ()


def test_beside_what_is_too_much_for_the_compiler_a_parser_still_says_where() -> None:
    view = b"x = 1\ny = = 2\n"
    broken = [fault for fault in file_faults(PYTHON, view) if fault.kind == "error"]
    too_deep = compile_fault(RecursionError("too deep"), view.decode())
    assert detections(view, (too_deep, *broken)) == (view.index(b"= 2"),)


def test_words_come_from_the_file_nearest_first() -> None:
    words = Words.of(PYTHON, b"far = 1\n\n\nnear = far # word\ns = 'short'\n")
    assert words.counts[b"far"] == 2 and b"'short'" in words.counts and b"word" not in words.counts
    assert words.near(11)[0] == b"near"
