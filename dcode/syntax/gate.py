"""What a change must pass before it is proposed, whoever wrote it.

It brings no fault, no secret and no control character, is at most twice as long, leaves the syntax around it as it
was, does what its rule says and nothing else, and would not be proposed again. Nothing is written here.
"""

from collections.abc import Sequence

from dcode.errors import InputError
from dcode.syntax.check import file_faults
from dcode.syntax.compare import faults_brought
from dcode.syntax.grammar import Grammar
from dcode.syntax.identity import filled, touch
from dcode.syntax.likeness import same_around, unlike, writes_code
from dcode.syntax.lines import with_next_line
from dcode.syntax.opportunity import Opportunity, opportunities
from dcode.syntax.scope import definitions
from dcode.text.edit import Edit, splice
from dcode.text.secrets import brings_secret
from dcode.text.source import Source
from dcode.text.span import Span

SMALL_BYTES = 256
"""What is smaller than this may grow as if it were so large."""


def comparison(grammar: Grammar, before: bytes, found: Opportunity) -> str:
    """What the comparison of syntax trees said of a change that passed."""
    if file_faults(grammar, before):
        return "no tree to compare, for it did not parse before"
    return "same syntax tree but for what is added" if found.rule.kind == "insert" else "same syntax around it"


def refusal(grammar: Grammar, source: Source, found: Opportunity, edits: Sequence[Edit]) -> str:
    """Why the edits (of the source's view, in order) may not be proposed, in words; "" if they may."""
    before = source.view
    draft = filled(before, [one.span for one in edits], [one.new for one in edits])
    after = draft.data
    if after == before:
        return "it changes nothing"
    try:
        splice(source, edits)
    except InputError as error:
        return error.what
    if faults := faults_brought(grammar, before, after):
        return f"it brings a fault: {faults[0].message}"
    if len(after) - len(before) > max(SMALL_BYTES, len(found.about)):
        return f"it is more than twice as long: {len(found.about)} bytes grow by {len(after) - len(before)}"
    if brings_secret(before, after):
        return "it holds what looks like a secret"
    # A change may take away more than the place is long.
    here = Span(found.about.start, max(found.about.start, found.about.end + len(after) - len(before)))
    if said := _off_rule(grammar, source, found, edits, after, draft.holes, here):
        return said
    content = _matches(grammar, found, after, here) < _matches(grammar, found, before, found.about)
    return "" if content else "the rule is not content with it"


def _off_rule(
    grammar: Grammar,
    source: Source,
    found: Opportunity,
    edits: Sequence[Edit],
    after: bytes,
    holes: Sequence[Span],
    here: Span,
) -> str:
    """What the rule does not say: for an insertion in the whole tree, for what is rewritten in what is around it."""
    before = source.view
    if found.rule.kind == "insert":
        pairs = zip(holes, (gap.insertion for gap in found.gaps), strict=True)
        return unlike(grammar, found.rule, before, after, [(span, one) for span, one in pairs if one])
    if found.rule.kind == "fix":
        lines = with_next_line(before, found.about)
        return "" if all(touch(one.span, lines) for one in edits) else "it changes lines that nobody touched"
    if not file_faults(grammar, before) and not same_around(grammar, before, after, found.about):
        return "it changes the syntax of the lines around it"
    if not writes_code(grammar, after, here):
        return "it holds no code"
    if found.rule.kind == "edit" and not any(_inside(one.span, here) for one in definitions(grammar, after)):
        return "it takes the definition away"
    return ""


def _matches(grammar: Grammar, found: Opportunity, view: bytes, here: Span) -> int:
    """How often the rule speaks up there: one time less after its own work."""
    return sum(one.rule == found.rule for one in opportunities(grammar, view, [here]))


def _inside(inner: Span, outer: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end
