"""Faults of a file, and the Checker that tells those which a fill brought from those the file had.

It puts the parts together: tree-sitter for every language, the strict check where a grammar names one, and
the checks of the bytes themselves. It knows nothing of how a fill came about.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from itertools import islice

from dcode.syntax.balance import any_balanced, balanced
from dcode.syntax.baseline import baseline
from dcode.syntax.bytefaults import control_faults, controls, encoding_faults
from dcode.syntax.grammar import Grammar
from dcode.syntax.identity import replaced
from dcode.syntax.layout import footers, headers, indented
from dcode.syntax.localise import candidates
from dcode.syntax.parse import distribution, top_level, tree_faults
from dcode.syntax.prefix import PREFIX_TESTS
from dcode.syntax.repairs import advances, repairs
from dcode.syntax.shell import around
from dcode.syntax.strict import STRICT
from dcode.syntax.suspects import suspects
from dcode.syntax.witness import Judge, Language, Part, trials
from dcode.text.checker import Certified, Draft
from dcode.text.fault import Fault
from dcode.text.span import Span

TRIALS = 1500
"""Parses that one search for certified changes may take while a model waits."""

STATEMENTS = 24
"""How many trivial texts in place of broken lines are enough to choose from."""

PLAIN = 3
"""How many trivial fillers are tried before lines that open and close blocks."""

NEAREST = (4, 64, 256)
"""How many suspects each of the first levels doubts."""


def file_faults(grammar: Grammar, view: bytes) -> tuple[Fault, ...]:
    """Every fault of a whole view, by position; at most one from the strict check."""
    return _by_position([fault for judge in _judges(grammar) for fault in judge(view)])


def checker_versions(grammar: Grammar) -> dict[str, str]:
    """Who judges this language, in which version."""
    versions = {name: version(name) for name in ("tree-sitter", distribution(grammar))}
    return versions | ({grammar.strict: STRICT[grammar.strict].version()} if grammar.strict else {})


class GrammarChecker:
    """A language bound to a file and its holes (in order, disjoint); see `dcode.text.checker.Checker`.

    A witness is searched first. Old faults are those of the file with the witness, or, without one, those of
    the file as it is; only outside the holes, for what starts inside a hole is new. The strict check and the
    prefix test judge only where they find nothing with the witness: the file, else the statements around the holes,
    else nowhere. That part is fixed once; only its end moves with the fills.
    """

    def __init__(self, grammar: Grammar, view: bytes, holes: Sequence[Span]) -> None:
        self._grammar = grammar
        self._holes = tuple(holes)
        self._controls = controls(view)
        language = Language(
            partial(_fillers, grammar), partial(top_level, grammar), partial(_parts, grammar), _judges(grammar)
        )
        self._baseline = baseline(view, self._holes, language)
        self._judge = _judges(grammar)[0]
        self._strict = STRICT.get(grammar.strict) if self._baseline.sound else None
        self._prefix_test = PREFIX_TESTS.get(grammar.strict) if self._baseline.sound else None
        self._behind = len(view) - (self._baseline.sound or Span(0, 0)).end

    def faults(self, draft: Draft) -> tuple[Fault, ...]:
        """New faults, by position."""
        return _by_position(self._new(draft))

    def prefix_fault(self, draft: Draft, end: int) -> Fault | None:
        """A fault in the complete lines before byte `end` that nothing after can mend, if one is known."""
        start, text = self._part(draft)
        fault = self._prefix_test.fault(text, min(end - start, len(text))) if self._prefix_test else None
        return fault and _moved(fault, start)

    def candidates(self, draft: Draft, fault: Fault, level: int) -> Sequence[Span] | None:
        """Parts of the holes to doubt: the nearest suspects, all, more of them; then lines, then whole holes."""
        if level >= len(NEAREST):
            return candidates(draft, fault, level - len(NEAREST))
        found = suspects(self._grammar, draft.data, (fault,), min(level, 1), draft.holes)
        lexemes = [span for span in found if len(span)]
        return sorted(lexemes[: NEAREST[level]])

    def certified(self, draft: Draft, faults: Sequence[Fault]) -> Sequence[Certified]:
        """Single changes inside the holes with which the text around passes; else those that get furthest."""
        return repairs(self._grammar, draft.data, faults, within=draft.holes, trials=TRIALS) or advances(
            self._grammar, draft.data, faults, within=draft.holes, trials=TRIALS // 2
        )

    def statements(self, draft: Draft, fault: Fault) -> Certified | None:
        """The lines of a hole at this fault, and the trivial fillers that pass in their place; fewer are tried in a
        long text."""
        spans = candidates(draft, fault, 0) or ()
        most = trials(draft.data, max(1, len(spans)))
        for span in spans:
            # Of whole lines the last newline stays.
            place = Span(span.start, span.end - draft.data[span.start : span.end].endswith(b"\n"))
            fillers = (filler for filler in _fillers(self._grammar, draft.data, (place,)) if filler.strip())
            passing = (filler for filler in islice(fillers, most) if self.parses(draft, place, filler))
            if found := tuple(islice(passing, STATEMENTS)):
                return Certified(place, found)
        return None

    def parses(self, draft: Draft, span: Span, replacement: bytes) -> bool:
        """Whether the draft with `replacement` at `span`, inside one of its holes, has no new fault."""
        return next(self._new(replaced(draft, span, replacement)), None) is None

    def witness(self) -> tuple[bytes, ...] | None:
        """One filler per hole that brings no fault, or None if none was found."""
        return self._baseline.witness

    def _new(self, draft: Draft) -> Iterator[Fault]:
        assert len(draft.holes) == len(self._holes), "a draft with other holes"
        yield from control_faults(draft, self._controls)
        for fault in self._judge(draft.data):
            if not self._baseline.old.have(fault, draft.holes, self._holes):
                yield fault
        if self._strict:
            start, text = self._part(draft)
            yield from (_moved(fault, start) for fault in self._strict.faults(text))

    def _part(self, draft: Draft) -> tuple[int, bytes]:
        """What the strict check judges, and where it begins."""
        start = self._baseline.sound.start if self._baseline.sound else 0
        return start, draft.data[start : len(draft.data) - self._behind]


def _judges(grammar: Grammar) -> tuple[Judge, ...]:
    """All that judge a view, cheapest first."""

    def bytes_and_tree(view: bytes) -> tuple[Fault, ...]:
        return (*encoding_faults(view), *tree_faults(grammar, view))

    return (bytes_and_tree, STRICT[grammar.strict].faults) if grammar.strict else (bytes_and_tree,)


def _parts(grammar: Grammar, view: bytes, doubt: Span) -> Iterator[Part]:
    return (Part(one.part, one.head, one.tail) for one in around(grammar, view, doubt))


def _moved(fault: Fault, by: int) -> Fault:
    return replace(fault, span=fault.span.shift(by))


def _fillers(grammar: Grammar, view: bytes, holes: Sequence[Span]) -> Sequence[bytes]:
    bringing, trivial, last = balanced(grammar, view, holes), grammar.witnesses, any_balanced(grammar)
    if grammar.block != "indent":
        return (*bringing, *trivial, *last)
    likely = indented((*bringing, *trivial[:PLAIN]), view, holes)
    opened = headers(dict(grammar.openers), trivial[0], view, holes)
    ended = footers(dict(grammar.closers), trivial[0], view, holes)
    return (*likely, *opened, *ended, *indented((*trivial[PLAIN:], *last), view, holes))


def _by_position(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    return tuple(sorted(faults, key=lambda fault: (fault.span, fault.checker)))
