"""A text that a model left broken, mended without it: greedy certified changes, then a trivial statement.

What comes out is a fallback, never an answer. It knows a Checker and fillers; all its budgets are counts.
"""

from collections.abc import Sequence

from dcode.syntax.identity import replaced
from dcode.syntax.lines import indent, line_start
from dcode.syntax.localise import EXTRA_LINES, candidates
from dcode.text.checker import Checker, Draft
from dcode.text.fault import Fault
from dcode.text.span import Span

CHANGES = 8
"""The most single changes that are made."""

FILLERS = 24
"""How many trivial fillers are tried in place of broken lines."""


def mended(checker: Checker, draft: Draft, fillers: Sequence[bytes]) -> Draft | None:
    """The draft with changes in its holes only, and no new fault; None if that was not found."""
    changed = draft
    for _ in range(CHANGES):
        faults = checker.faults(changed)
        places = checker.certified(changed, faults) if faults else ()
        if not places:
            break
        changed = replaced(changed, places[0].span, places[0].fillers[0])
    if not (faults := checker.faults(changed)):
        return changed
    # Changes that do not lead to the end have cost text for nothing: what they began with goes first.
    first = _trivial(checker, draft, checker.faults(draft)[0], fillers)
    return first or (None if changed is draft else _trivial(checker, changed, faults[0], fillers))


def _trivial(checker: Checker, draft: Draft, fault: Fault, fillers: Sequence[bytes]) -> Draft | None:
    """A filler in place of the lines of the fault, or of more lines around it, as deep as they are."""
    for level in range(len(EXTRA_LINES)):
        for span in candidates(draft, fault, level) or ():
            lead, end = _frame(draft.data, span)
            for filler in fillers[:FILLERS]:
                if checker.parses(draft, span, lead + filler + end):
                    return replaced(draft, span, lead + filler + end)
    return None


def _frame(data: bytes, span: Span) -> tuple[bytes, bytes]:
    """What stays of lines that are replaced: the indent of the first, and the last newline."""
    text = data[span.start : span.end]
    whole = span.start == line_start(data, span.start) and bool(text.strip())
    return indent(text) if whole else b"", b"\n" if text.endswith(b"\n") else b""
