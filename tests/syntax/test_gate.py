"""What may be proposed: a change that takes away more than its place is long is judged like any other."""

import pytest

from dcode.syntax.gate import refusal
from dcode.syntax.grammar import grammar
from dcode.syntax.opportunity import opportunities
from dcode.text.edit import Edit
from dcode.text.source import Source
from dcode.text.span import Span

PYTHON = grammar("python")
VIEW = b"def total(rows):\n    return sum(rows))\n\n\nprint(total([1]))\n"
CHANGED = Span(17, 17)
"""Where lines were taken out and nothing was put in."""


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (Edit(Span(37, 38), b""), ""),
        (Edit(Span(21, 38), b"return 0"), ""),
        (Edit(Span(41, 60), b""), "the rule is not content with it"),
    ],
)
def test_a_change_may_be_shorter_than_what_was_there(edit: Edit, said: str) -> None:
    found = [one for one in opportunities(PYTHON, VIEW, [CHANGED]) if one.rule.kind == "fix"]
    assert [one.about for one in found] == [CHANGED]
    assert refusal(PYTHON, Source.of(VIEW, "x.py"), found[0], [edit]) == said
