"""Whether text that is still being written can be saved by what follows: judged on its complete lines.

The one test there is rests on two private flags of CPython's compiler, the ones `codeop` uses. They are tried
out once; where they do not do what is expected of them, there is no test. It never cries wolf: a fault is
reported only if no continuation mends it. It does not find every such fault.
"""

import ast
import re
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Protocol

from dcode.syntax.strict import compile_fault, refusal
from dcode.text.fault import Fault
from dcode.text.span import Span


class PrefixTest(Protocol):
    """Looks for what nothing after it can mend."""

    def __call__(self, view: bytes, end: int, since: int = 0) -> Fault | None:
        """The first such fault in the complete lines before byte `end`; text before `since` is taken to be fine."""
        ...


SEARCHED = 65_536
"""Of longer text (in characters) the compiler's first verdict counts: a search asks it two dozen times."""

_DONT_IMPLY_DEDENT = 0x200
_ALLOW_INCOMPLETE_INPUT = 0x4000
_FLAGS = _DONT_IMPLY_DEDENT | _ALLOW_INCOMPLETE_INPUT
_CAN_STILL_COME_RIGHT = ("incomplete input", "no binding for nonlocal")

_LEXEME = re.compile(r"\n|[^\S\n]+|\w+|[^\w\s]=?")
"""Cut behind one of these, text that is right can go on."""

_VIABLE = (
    "",
    "\n",
    "x = (\n  # c\n",
    "x = 1 + \\\n",
    "if x:\n    \\\n",
    "x = 'a \\\n",
    'x = """a\n',
    "x = f'''{y\n",
    "x = f'''{y}\n",
    "@x\n",
    "if x:\n    # c\n",
    "if x:\n    y\n",
    "try:\n    x\n",
    "match x:\n",
    "for x in y: pass\nelse:\n",
    "class X:\n    def x(self, y: int = 1,\n",
    "def f():\n    def g():\n        nonlocal x\n",
    "# -*- coding: latin-1 -*-\n",
)
_DOOMED = (
    "x = = 1\n",
    "def f(:\n",
    "x\n  y\n",
    "x = )\n",
    "if x:\ny\n",
    "x = 'abc\n",
    "else:\n",
    "return\n",
    "def x. \\\n",
)


def compile_prefix_fault(view: bytes, end: int, since: int = 0) -> Fault | None:
    """The compiler's verdict on the complete lines before byte `end`; None also if it cannot say.

    Of text that is wrong in several places it may name any, a bracket before all else. So the shortest text is
    searched, by ever longer strides, that does not parse whatever follows: the fault is its last lexeme.
    """
    try:
        text = view[: view.rfind(b"\n", 0, end) + 1].decode()
        fine = len(view[:since].decode(errors="ignore"))
    except UnicodeDecodeError:
        return None
    if not _usable():
        return None
    if fine:
        return _first(text, fine)
    verdict = _hopeless(text)
    if verdict is None:
        return None
    return (_first(text, 0) if len(text) <= SEARCHED else None) or compile_fault(verdict, text)


def _first(text: str, fine: int) -> Fault | None:
    """The first place at which the text is no longer the beginning of one that parses; names are not looked at."""
    ends = [match.end() for match in _LEXEME.finditer(text, fine)]

    @cache
    def error(number: int) -> SyntaxError | None:
        return _hopeless(_cut(text, ends[number]), ast.PyCF_ONLY_AST)

    low, stride = 0, 1
    while low + stride <= len(ends) and error(low + stride - 1) is None:
        low, stride = low + stride, 2 * stride
    low += bisect_left(range(low, min(low + stride, len(ends))), True, key=lambda number: error(number) is not None)
    found = error(low) if low < len(ends) else None
    if found is None:
        return None
    before, last = text[: ends[low - 1] if low else fine], text[: ends[low]]
    return replace(compile_fault(found, last), span=Span(len(before.encode()), len(last.encode())))


def _cut(text: str, end: int) -> str:
    """The text up to there, so that whatever stands in its last line may go on."""
    return text[:end] if text[:end].endswith("\n") else text[:end] + " \\\n"


def _hopeless(text: str, more: int = 0) -> SyntaxError | None:
    error = refusal(text, _FLAGS | more)
    if not isinstance(error, SyntaxError) or str(error.msg).startswith(_CAN_STILL_COME_RIGHT):
        return None
    return error


@cache
def _usable() -> bool:
    return not any(map(_hopeless, _VIABLE)) and all(map(_hopeless, _DOOMED))


PREFIX_TESTS: Mapping[str, PrefixTest] = {"compile": compile_prefix_fault}
"""By the name of the strict check they belong to."""
