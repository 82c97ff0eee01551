"""The faults that a change brings to a file, whoever made it: the gate for what was not filled in here.

It knows two views of a file and finds the lines that differ by itself.
"""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import accumulate

from dcode.syntax.bytefaults import control_faults, controls
from dcode.syntax.check import file_faults
from dcode.syntax.grammar import Grammar
from dcode.syntax.identity import OldFaults
from dcode.text.checker import Draft
from dcode.text.edit import COMPARABLE_LINES, Block, common_ends
from dcode.text.fault import Fault
from dcode.text.span import Span


def faults_brought(grammar: Grammar, before: bytes, after: bytes) -> tuple[Fault, ...]:
    """The faults of the view `after` that `before` does not have, by position; also characters that hide."""
    pairs = list(_changed(before.splitlines(keepends=True), after.splitlines(keepends=True)))
    there, here = tuple(old for old, _ in pairs), tuple(new for _, new in pairs)
    hidden = list(control_faults(Draft(after, here), controls(before)))
    faults = file_faults(grammar, after)
    if faults:
        old = OldFaults.of(file_faults(grammar, before), there, there)
        faults = tuple(fault for fault in faults if not old.have(fault, here, there))
    return tuple(sorted([*faults, *hidden], key=lambda fault: fault.span))


def _changed(before: list[bytes], after: list[bytes]) -> Iterator[tuple[Span, Span]]:
    """The spans of lines that differ, in both versions."""
    head, tail = common_ends(before, after)
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    blocks: Sequence[Block] = [("replace", 0, len(old), 0, len(new))] if old or new else []
    if max(len(old), len(new)) <= COMPARABLE_LINES:
        blocks = SequenceMatcher(None, old, new).get_opcodes()
    starts, ends = _offsets(before), _offsets(after)
    for tag, i, j, k, m in blocks:
        if tag != "equal":
            yield Span(starts[head + i], starts[head + j]), Span(ends[head + k], ends[head + m])


def _offsets(lines: list[bytes]) -> list[int]:
    return [*accumulate(map(len, lines), initial=0)]
