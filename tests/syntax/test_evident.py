"""What is plainly wrong is put right; what somebody may have meant stays."""

import pytest

from dcode.syntax.evident import brought, put_right, returned
from dcode.syntax.grammar import grammar

PYTHON = grammar("python")


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("def f(a):\n    a + 1\n", "def f(a):\n    return a + 1\n"),
        ("async def f(é):\n    'é'\n    é['é']\n", "async def f(é):\n    'é'\n    return é['é']\n"),
        ("def f(a):\n  def g():\n    a <= 1\n  return g\n", "def f(a):\n  def g():\n    return a <= 1\n  return g\n"),
        ("def f(p):\n  with p as a:\n    [b for b in a]\n", "def f(p):\n  with p as a:\n    return [b for b in a]\n"),
        ("def f(a):\n    if a:\n        return\n    -a\n", "def f(a):\n    if a:\n        return\n    return -a\n"),
        ("def f(a):\n    (a + 1)\n", "def f(a):\n    return (a + 1)\n"),
        ("def f(a): a; (\n  b)\n", "def f(a): a; return (\n  b)\n"),
        ("class A:\n    def f(self): self.a\n", "class A:\n    def f(self): return self.a\n"),
        ("def f(a):\n    if a:\n        return 1\n    a\n", ""),
        ("def f(a):\n    yield a\n    a\n", ""),
        ("def f(a):\n    print(a)\n", ""),
        ("def f(a):\n    'only a docstring'\n", ""),
        ("def f(a): ...\n", ""),
        ("async def f(a):\n    await a\n", ""),
        ("def f(a):\n    for b in a:\n        b\n", ""),
        ("a = 1\na\n", ""),
        ("def f(a):\n    a\n  b\n", ""),
    ],
)
def test_a_value_that_ends_a_function_and_reaches_nobody_is_returned(text: str, mended: str) -> None:
    assert returned(PYTHON, text.encode()).decode() == (mended or text)
    assert put_right(PYTHON, text.encode()).decode() == (mended or text)


def test_names_are_brought_and_slips_put_right_and_then_values_returned() -> None:
    text = b'def clean(path):\n    for file in Path(pah).glob("*.txt"):\n        os.remove(file)\n    path\n'
    lines = b"import os\nfrom pathlib import Path\n\n\n"
    names = lines + text.replace(b"pah", b"path")
    assert brought(PYTHON, text) == names
    assert put_right(PYTHON, text) == names.replace(b"    path\n", b"    return path\n")


@pytest.mark.parametrize("text", [b"def f(:\n    a\n", b"print(unknown)\n", b"from x import *\nprint(pah)\npath = 1\n"])
def test_what_does_not_parse_or_cannot_be_told_stays(text: bytes) -> None:
    assert put_right(PYTHON, text) == text


def test_of_other_languages_nothing_is_evident() -> None:
    assert put_right(grammar("rust"), b"fn f(a: i32) -> i32 { b; }\n") == b"fn f(a: i32) -> i32 { b; }\n"
