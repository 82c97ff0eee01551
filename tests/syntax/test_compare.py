import pytest

from dcode.syntax.compare import faults_brought
from dcode.syntax.grammar import grammar

PYTHON = grammar("python")
BROKEN = b"a = 1\n\n\ndef g():\n    return (\n\n\ndef h():\n    return 1\n"


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        (b"a = 1\n", b"a = 2\n", []),
        (b"", b"a = 2\n", []),
        (b"a = 1\n", b"", []),
        (b"a = 1\n", b"a = (\n", [1]),
        (b"a = 1\nb = 1\n", b"a = 1\nb = )\n", [2]),
        (BROKEN, BROKEN, []),
        (BROKEN, BROKEN.replace(b"a = 1", b"a = 2\nb = 3"), []),
        (BROKEN, BROKEN.replace(b"return (", b"return ()"), []),
        (BROKEN, BROKEN.replace(b"return 1", b"return )"), [8, 9]),
        (b"a = 1\n", "a = '\u202e'\n".encode(), [1]),
        ("a = '\u202e'\nb = 1\n".encode(), "a = '\u202e'\nb = 2\n".encode(), []),
        (b"def f():\n    return 1\n", b"def f():\nreturn 1\n", [2]),
        (b"def f():\n    return 1\n", b"return 1\n", [1]),  # only the strict check sees this
    ],
)
def test_only_what_the_change_brings(before: bytes, after: bytes, lines: list[int]) -> None:
    brought = faults_brought(PYTHON, before, after)
    assert sorted({after.count(b"\n", 0, fault.span.start) + 1 for fault in brought}) == lines


def test_many_lines_are_compared_as_one_change() -> None:
    before = b"a = 1\n" * 30_000
    after = b"b = 1\n" + before.replace(b"1", b"2") + b"c = (\n"
    assert faults_brought(grammar("javascript"), before, before + b"b = 1\n") == ()
    assert faults_brought(grammar("javascript"), before, after)
