"""Whether text that is still being written can be saved by what follows: judged on its complete lines.

The one test there is rests on two private flags of CPython's compiler, the ones `codeop` uses. They are tried
out once; where they do not do what is expected of them, there is no test. It never cries wolf: a fault is
reported only if no continuation mends it. It does not find every such fault.
"""

import ast
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache

from dcode.syntax.strict import compile_fault, refusal
from dcode.text.fault import Fault
from dcode.text.span import Span


@dataclass(frozen=True, slots=True)
class PrefixTest:
    """Looks for what nothing after it can mend.

    `fault`: the first such fault in the complete lines before a byte. `first`: the byte at which the first begins, of
    text that is fine up to another byte; None if there is none. `at`: whether one is still there, at the lexeme that
    begins at a byte; the cheapest of the three.
    """

    fault: Callable[[bytes, int], Fault | None]
    first: Callable[[bytes, int], int | None]
    at: Callable[[bytes, int], bool]


LOOKED_AT = 64
"""So much of a lexeme (in bytes) is looked at: no keyword or sign is longer."""

SEARCHED = 65_536
"""Of longer text (in characters) the compiler's first verdict counts: a search may ask it a dozen times more."""

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


def compile_prefix_fault(view: bytes, end: int) -> Fault | None:
    """The compiler's verdict on the complete lines before byte `end`; None also if it cannot say.

    Of text that is wrong in several places it may name any, a bracket before all else. So the shortest text is
    searched that does not parse whatever follows: the fault is its last lexeme.
    """
    try:
        text = view[: view.rfind(b"\n", 0, end) + 1].decode()
    except UnicodeDecodeError:
        return None
    verdict = _hopeless(text) if _usable() else None
    if verdict is None:
        return None
    found = _first(text, 0) if len(text) <= SEARCHED else None
    if found is None:
        return compile_fault(verdict, text)
    before, last, error = found
    return replace(compile_fault(error, text[:last]), span=Span(_bytes(text, before), _bytes(text, last)))


def compile_prefix_first(view: bytes, since: int) -> int | None:
    """Where the first lexeme begins, from byte `since` on, with which the complete lines are past mending."""
    try:
        text = view[: view.rfind(b"\n") + 1].decode()
    except UnicodeDecodeError:
        return None
    found = _first(text, len(view[:since].decode(errors="ignore"))) if _usable() else None
    return _bytes(text, found[0]) if found else None


def compile_prefix_at(view: bytes, since: int) -> bool:
    """Whether the text is past mending with the lexeme at byte `since` (with as much of it as is looked at)."""
    try:
        fine = view[:since].decode()
    except UnicodeDecodeError:
        return False
    lexeme = _LEXEME.match(view[since : since + LOOKED_AT].decode(errors="ignore"))
    if lexeme is None or not _usable():
        return False
    text = fine + lexeme[0]
    return _hopeless(_cut(text, len(text)), ast.PyCF_ONLY_AST) is not None


def _first(text: str, fine: int) -> tuple[int, int, SyntaxError] | None:
    """Start and end of the first lexeme with which text no longer begins one that parses, and what is said of it;
    names are not looked at."""
    next_one = _LEXEME.match(text, fine)
    if next_one is None:
        return None
    if at_once := _hopeless(_cut(text, next_one.end()), ast.PyCF_ONLY_AST):
        return fine, next_one.end(), at_once
    verdict = _hopeless(text, ast.PyCF_ONLY_AST)
    if verdict is None:
        return None
    ends = [next_one.end(), *(match.end() for match in _LEXEME.finditer(text, next_one.end()))]
    said: dict[int, SyntaxError | None] = {0: None}

    def error(number: int) -> SyntaxError | None:
        if number not in said:
            said[number] = _hopeless(_cut(text, ends[number]), ast.PyCF_ONLY_AST)
        return said[number]

    # Mostly it is the one that the compiler names: that and the one before are asked first.
    low, high = 1, len(ends)
    named = min(max(bisect_right(ends, _named(verdict, text)), low), high - 1)
    for guess in (named, named - 1):
        if low <= guess < high:
            low, high = (low, guess) if error(guess) else (guess + 1, high)
    low = bisect_left(range(high), True, low, key=lambda number: error(number) is not None)
    found = error(low) if low < len(ends) else None
    return (ends[low - 1], ends[low], found) if found else None


def _named(error: SyntaxError, text: str) -> int:
    """The character at which the compiler sees an error; 0 if it does not say."""
    before = text.split("\n")[: max(error.lineno or 1, 1) - 1]
    return sum(len(line) + 1 for line in before) + max(error.offset or 1, 1) - 1


def _bytes(text: str, end: int) -> int:
    return len(text[:end].encode())


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


PREFIX_TESTS: Mapping[str, PrefixTest] = {
    "compile": PrefixTest(compile_prefix_fault, compile_prefix_first, compile_prefix_at)
}
"""By the name of the strict check they belong to."""
