"""What a checker found wrong, and where. It does not know which checker or language."""

from dataclasses import dataclass
from typing import Literal

from dcode.text.span import Span

Kind = Literal["error", "missing", "encoding", "compile", "control"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One diagnostic: `span` in bytes of the checked text; `context` is the parent node's kind or the message.

    Two faults of two versions of a file are the same if `checker`, `kind`, `context` and the start (after the
    edit is accounted for) agree; `message` is for people.
    """

    span: Span
    kind: Kind
    message: str
    checker: str
    context: str = ""
