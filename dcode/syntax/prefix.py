"""Whether text that is still being written can be saved by what follows: judged on its complete lines.

The one test there is rests on two private flags of CPython's compiler, the ones `codeop` uses. They are tried
out once; where they do not do what is expected of them, there is no test. It never cries wolf: a fault is
reported only if no continuation mends it. It does not find every such fault.
"""

from collections.abc import Callable, Mapping
from functools import cache

from dcode.syntax.strict import compile_fault, refusal
from dcode.text.fault import Fault

PrefixTest = Callable[[bytes, int], Fault | None]
"""Of a view and a byte offset: a fault in the complete lines before it that nothing after them can mend."""

_DONT_IMPLY_DEDENT = 0x200
_ALLOW_INCOMPLETE_INPUT = 0x4000
_FLAGS = _DONT_IMPLY_DEDENT | _ALLOW_INCOMPLETE_INPUT
_CAN_STILL_COME_RIGHT = ("incomplete input", "no binding for nonlocal")

_VIABLE = (
    "",
    "\n",
    "x = (\n  # c\n",
    "x = 1 + \\\n",
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
_DOOMED = ("x = = 1\n", "def f(:\n", "x\n  y\n", "x = )\n", "if x:\ny\n", "x = 'abc\n", "else:\n", "return\n")


def compile_prefix_fault(view: bytes, end: int) -> Fault | None:
    """The compiler's verdict on the complete lines before byte `end`; None also if it cannot say."""
    try:
        text = view[: view.rfind(b"\n", 0, end) + 1].decode()
    except UnicodeDecodeError:
        return None
    error = _hopeless(text) if _usable() else None
    return None if error is None else compile_fault(error, text)


def _hopeless(text: str) -> SyntaxError | None:
    error = refusal(text, _FLAGS)
    if not isinstance(error, SyntaxError) or str(error.msg).startswith(_CAN_STILL_COME_RIGHT):
        return None
    return error


@cache
def _usable() -> bool:
    return not any(map(_hopeless, _VIABLE)) and all(map(_hopeless, _DOOMED))


PREFIX_TESTS: Mapping[str, PrefixTest] = {"compile": compile_prefix_fault}
"""By the name of the strict check they belong to."""
