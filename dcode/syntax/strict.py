"""Checks that know more than a tree-sitter grammar, by the name that `grammar.toml` gives them.

`compile` is this Python's own compiler, run for its verdict alone: nothing is executed, nothing is kept. It
reports one fault at most. What it accepts depends on the Python that runs dcode, hence the version.
"""

import platform
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dcode.text.fault import Fault
from dcode.text.span import Span

REFUSALS = (SyntaxError, ValueError, MemoryError, RecursionError, OverflowError)
"""What `compile` raises for text it does not take: wrong, with NUL bytes, or nested too deeply."""

_UNPLACED = frozenset(kind.__name__ for kind in REFUSALS if kind is not SyntaxError)
"""Exceptions that say nothing of where: what they are about is all of the text."""

_LINE_NUMBER = re.compile(r"(?<=line )\d+")
"""In a message: not part of what makes two faults the same."""


@dataclass(frozen=True, slots=True)
class Strict:
    """A check of a whole view, and the version that a person needs to know to repeat its verdict."""

    faults: Callable[[bytes], tuple[Fault, ...]]
    version: Callable[[], str]


def compile_faults(view: bytes) -> tuple[Fault, ...]:
    """The first fault this Python's compiler finds. Text that is not UTF-8 is not judged (that is a fault of
    its own); a declaration of another encoding is ignored, for the view is always UTF-8."""
    try:
        text = view.decode()
    except UnicodeDecodeError:
        return ()
    error = refusal(text)
    return () if error is None else (compile_fault(error, text),)


def refusal(text: str, flags: int = 0) -> BaseException | None:
    """What `compile` says against `text`: an exception, caught, or None."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(text, "<view>", "exec", flags=flags, dont_inherit=True, optimize=0)
        except REFUSALS as error:
            return error
    return None


def compile_fault(error: BaseException, text: str) -> Fault:
    """An exception of `compile` as a fault of the text's UTF-8 bytes."""
    if isinstance(error, SyntaxError):
        message = error.msg or "invalid syntax"
        return Fault(_place(error, text), "compile", message, "compile", _LINE_NUMBER.sub("", message))
    message = str(error) or f"too much for the compiler ({type(error).__name__})"
    return Fault(Span(0, len(text.encode())), "compile", message, "compile", type(error).__name__)


def is_placed(fault: Fault) -> bool:
    """Whether a strict check found this and said where, and not only that the text is too much for it."""
    return fault.kind == "compile" and fault.context not in _UNPLACED


def _place(error: SyntaxError, text: str) -> Span:
    """Lines and columns count from 1, columns in characters; all may be None, 0, negative or past the end.

    (The compiler's later phases count columns in bytes: in a line that is not ASCII, too far to the right.)
    """
    lines = text.split("\n")
    start = _offset(lines, error.lineno, error.offset)
    end = _offset(lines, error.end_lineno, error.end_offset) if (error.end_offset or 0) > 0 else start
    if end <= start:
        row = _row(lines, error.lineno)
        end = _offset(lines, row + 1, max(error.offset or 1, 1) + 1)
    return Span(start, max(start, end))


def _row(lines: list[str], lineno: int | None) -> int:
    return min(max((lineno or 1) - 1, 0), len(lines) - 1)


def _offset(lines: list[str], lineno: int | None, column: int | None) -> int:
    row = _row(lines, lineno)
    before = sum(len(line.encode()) + 1 for line in lines[:row])
    return before + len(lines[row][: max((column or 1) - 1, 0)].encode())


def _python() -> str:
    return f"{platform.python_implementation()} {platform.python_version()}"


STRICT: Mapping[str, Strict] = {"compile": Strict(compile_faults, _python)}
"""Every check that a grammar may name."""
