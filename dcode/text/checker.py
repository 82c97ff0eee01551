"""What the sampling loop asks of a language: a protocol, and the text it is about.

Nothing here knows tree-sitter, Python or a model; `dcode.syntax` implements `Checker`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from dcode.text.fault import Fault
from dcode.text.span import Span


@dataclass(frozen=True, slots=True)
class Draft:
    """A whole file with its holes filled: UTF-8, LF. `holes` are the spans of the fills in `data`, in order."""

    data: bytes
    holes: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Certified:
    """A place in a text (empty: an insertion) and changes there that a parser agrees with, in the order tried; b""
    deletes."""

    span: Span
    fillers: tuple[bytes, ...]


class Checker(Protocol):
    """A language bound to one file and its holes: the baseline is fixed when the checker is made."""

    def faults(self, draft: Draft) -> Sequence[Fault]:
        """New faults only: those the baseline does not have, by position. Empty means the draft passes."""
        ...

    def prefix_fault(self, draft: Draft, end: int) -> Fault | None:
        """A fault that no continuation after byte `end` of the draft can mend, judged on its complete lines."""
        ...

    def candidates(self, draft: Draft, fault: Fault, level: int) -> Sequence[Span] | None:
        """Where the damage behind `fault` may lie, wider with each level from 0; None when no level is wider."""
        ...

    def certified(self, draft: Draft, faults: Sequence[Fault]) -> Sequence[Certified]:
        """Single changes inside the holes with which the text around passes; else those that get furthest, if any."""
        ...

    def statements(self, draft: Draft, fault: Fault) -> Certified | None:
        """The lines of a hole at this fault, and trivial texts in their place with which the draft has no new fault."""
        ...

    def parses(self, draft: Draft, span: Span, replacement: bytes) -> bool:
        """Whether the draft with `replacement` at `span` has no new fault."""
        ...

    def witness(self) -> tuple[bytes, ...] | None:
        """One filler per hole with which the file is known to have no new fault; None if none was found."""
        ...
