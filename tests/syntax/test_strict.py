"""What Python's compiler adds to a lenient grammar, where it points, and that nothing makes it fall over."""

import random
import time
import warnings

import pytest

from dcode.syntax.grammar import grammar
from dcode.syntax.parse import tree_faults
from dcode.syntax.strict import compile_faults
from dcode.text.span import Span

LENIENT = [
    "print 'x'\n",
    "exec 'x'\n",
    "raise E, 'x'\n",
    "ur'x'\n",
    "x = 10L\n",
    "x = 0777\n",
    "1_000_\n",
    "x <> y\n",
    "b'é'\n",
    "x = 'a' b'b'\n",
    "'\\N{no such name}'\n",
    "return 1\n",
    "yield 1\n",
    "await x\n",
    "break\n",
    "continue\n",
    "nonlocal x\n",
    "x := 1\n",
    "*a = 1\n",
    "a, b += 1\n",
    "__debug__ = 1\n",
    "del f()\n",
    "with x as 1: pass\n",
    "f(a=1, 2)\n",
    "f(a=1, a=2)\n",
    "f(**k, *a)\n",
    "f(x for x in y, 1)\n",
    "def f(a, a): pass\n",
    "def f(x=1, y): pass\n",
    "def f(*): pass\n",
    "lambda x=1, y: 0\n",
    "def f(): [x async for x in y]\n",
    "def f():\n    from x import *\n",
    "def f():\n    x = 1\n    global x\n",
    "class A:\n    return 1\n",
    "class A:\n",
    "def f():\n",
    "def f(x): return\n    y\n",
    "def f():\n    x\n  y\n",
    "if x:\npass\n",
    "if x:\n    # c\ny\n",
    "if x:\n\ty\n        z\n",
    "  x\n",
    "x\n  y\n",
    "try:\n    pass\n",
    "try:\n    pass\nexcept:\n    pass\nexcept E:\n    pass\n",
    "match x:\n    case a: pass\n    case b: pass\n",
    "from __future__ import nothing\n",
]

WRONG_FOR_BOTH = [
    "x = = 1\n",
    "def f(:\n    pass\n",
    "x = 'abc\n",
    "'''abc\n",
    "1 = x\n",
    "None = 1\n",
    "else:\n    pass\n",
    "if x: pass\nelse if y: pass\n",
    "while x\n    y\n",
    "from x import\n",
    "x = [1, 2\ny = 3\n",
    "x = 1 if y\n",
    "{**a for a in b}\n",
    "x++\n",
    "!x\n",
]

FINE = [
    "",
    "\n",
    "# only a comment",
    "# coding: latin-1\nx = 'é'\n",
    "assert (x, 1)\n",
    "'\\d'\n",
    "x is 1\n",
    "match = case = type = 1\n",
    "match x:\n    case [1, *a] if a: pass\n    case {'k': v, **r}: pass\n    case A(b=1) | None: pass\n",
    "if (n := 1): pass\n",
    "async def f():\n    async with a as b, c: [x async for x in y]\n",
    "def f(a, /, b: int = 1, *c, d, **e) -> None: ...\n",
    "with (a as b, c as d,): pass\n",
    "try:\n    pass\nexcept* E as e:\n    pass\n",
    "@a.b[0]\nclass A(B, metaclass=C): x: int\n",
    "x = [*a, *b]; y = {**c}; f(*a, **b)\n",
    "print(f'{x!r:>{w}} {{}}')\n",
    "lambda *a, b=1, **c: (yield)\n",
    "def f():\n\tif x:\n\t\treturn\n",
    "x = 'a' \\\n    'b'\n",
    "\x0cx = 1\n",
    "x: tuple[int, ...] = 1, 2\n",
    "def f():\n    global x\n    x = 0xFF + 0b1 + 1_0j\n",
]


def tree(text: str) -> list[object]:
    return list(tree_faults(grammar("python"), text.encode()))


@pytest.mark.parametrize("text", LENIENT)
def test_the_compiler_rejects_what_the_grammar_lets_pass(text: str) -> None:
    assert tree(text) == []
    assert compile_faults(text.encode())


@pytest.mark.parametrize("text", WRONG_FOR_BOTH)
def test_both_reject_what_is_plainly_wrong(text: str) -> None:
    assert tree(text)
    assert compile_faults(text.encode())


@pytest.mark.parametrize("text", FINE)
def test_both_accept_what_is_right_and_no_warning_escapes(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert compile_faults(text.encode()) == ()
    assert tree(text) == []


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("x = = 1\n", Span(4, 5)),
        ("é = = 1\n", Span(5, 6)),
        ("'日本' ; é = 'é' 'é' = 1\n", Span(16, 25)),
        ("x\nif y\n    z\n", Span(6, 6)),
        ("x\ny = (1\n", Span(6, 7)),
        ("return\n", Span(0, 6)),
        ("def f():\n", Span(8, 8)),
        ("x\0y", Span(0, 1)),
    ],
)
def test_a_fault_is_placed_in_bytes(text: str, span: Span) -> None:
    (fault,) = compile_faults(text.encode())
    assert fault.kind == fault.checker == "compile"
    assert fault.span == span


def test_the_number_of_a_line_is_not_part_of_what_a_fault_is() -> None:
    (first,) = compile_faults(b"if x:\ny\n")
    (second,) = compile_faults(b"\n\nif x:\ny\n")
    assert first.message != second.message
    assert first.context == second.context


def test_text_that_is_not_utf8_is_not_judged() -> None:
    assert compile_faults(b"x = = \xff\n") == ()


def test_nothing_is_run() -> None:
    assert compile_faults(b"raise SystemExit(1)\n") == ()


HOSTILE = {
    "parentheses": b"(" * 10_000,
    "pairs": b"(" * 10_000 + b")" * 10_000,
    "minus": b"-" * 10_000 + b"1",
    "not": b"not " * 10_000 + b"x",
    "attributes": b"x" + b".x" * 100_000,
    "calls": b"x" + b"()" * 10_000,
    "sum": b"1" + b"+1" * 100_000,
    "lambda": b"lambda:" * 10_000 + b"0",
    "ternary": b"x if x else " * 10_000 + b"x",
    "elif": b"if x:pass\n" + b"elif x:pass\n" * 10_000,
    "indent": b"".join(b" " * depth + b"if x:\n" for depth in range(1_000)),
    "continued": b"\\\n" * 10_000,
    "digits": b"1" * 10_000,
    "NUL": b"x\0" * 10_000,
    "f-string": b"f'{" * 1_000,
    "power": b"x = 9 ** 9 ** 9 ** 9\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_gets_a_verdict(name: str) -> None:
    started = time.monotonic()
    for fault in compile_faults(HOSTILE[name]):
        assert fault.span.end <= len(HOSTILE[name])
        assert fault.message
    assert time.monotonic() - started < 20


def test_random_bytes_get_a_verdict() -> None:
    rng = random.Random(0)
    for _ in range(300):
        text = (
            rng.randbytes(rng.randrange(200))
            if rng.random() < 0.5
            else bytes(rng.choices(b"()[]:=,x'\"\n \t\\\0\r", k=60))
        )
        assert all(fault.span.end <= len(text) for fault in compile_faults(text))
