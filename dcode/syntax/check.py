"""Faults of a file, and the Checker that tells those which a fill brought from those the file had.

It puts the parts together: tree-sitter for every language, the strict check where a grammar names one, and
the checks of the bytes themselves. It knows nothing of how a fill came about.
"""

from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version

from dcode.syntax.baseline import Judge, baseline
from dcode.syntax.bytefaults import control_faults, controls, encoding_faults
from dcode.syntax.grammar import Grammar
from dcode.syntax.identity import replaced
from dcode.syntax.localise import candidates
from dcode.syntax.parse import distribution, tree_faults
from dcode.syntax.prefix import PREFIX_TESTS
from dcode.syntax.strict import STRICT
from dcode.syntax.witness import indented
from dcode.text.checker import Draft
from dcode.text.fault import Fault
from dcode.text.span import Span


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
    prefix test judge only where the file passes the strict check with the witness: never without one.
    """

    def __init__(self, grammar: Grammar, view: bytes, holes: Sequence[Span]) -> None:
        self._holes = tuple(holes)
        self._controls = controls(view)
        self._baseline = baseline(view, self._holes, _fillers(grammar, view, self._holes), _judges(grammar))
        passed = self._baseline.witness is not None and grammar.strict not in self._baseline.failed
        self._judges = _judges(grammar, strict=passed)
        self._prefix_test = PREFIX_TESTS.get(grammar.strict) if passed else None

    def faults(self, draft: Draft) -> tuple[Fault, ...]:
        """New faults, by position."""
        return _by_position(self._new(draft))

    def prefix_fault(self, draft: Draft, end: int) -> Fault | None:
        """A fault in the complete lines before byte `end` that nothing after can mend, if one is known."""
        return self._prefix_test(draft.data, end) if self._prefix_test else None

    def candidates(self, draft: Draft, fault: Fault, level: int) -> Sequence[Span] | None:
        """Parts of the holes to doubt; see `dcode.syntax.localise`."""
        return candidates(draft, fault, level)

    def parses(self, draft: Draft, span: Span, replacement: bytes) -> bool:
        """Whether the draft with `replacement` at `span`, inside one of its holes, has no new fault."""
        return next(self._new(replaced(draft, span, replacement)), None) is None

    def witness(self) -> tuple[bytes, ...] | None:
        """One filler per hole that brings no fault, or None if none was found."""
        return self._baseline.witness

    def _new(self, draft: Draft) -> Iterator[Fault]:
        assert len(draft.holes) == len(self._holes), "a draft with other holes"
        yield from control_faults(draft, self._controls)
        for judge in self._judges:
            for fault in judge(draft.data):
                if not self._baseline.old.have(fault, draft.holes, self._holes):
                    yield fault


def _judges(grammar: Grammar, strict: bool = True) -> tuple[Judge, ...]:
    """All that judge a view, cheapest first."""

    def bytes_and_tree(view: bytes) -> tuple[Fault, ...]:
        return (*encoding_faults(view), *tree_faults(grammar, view))

    return (bytes_and_tree, STRICT[grammar.strict].faults) if strict and grammar.strict else (bytes_and_tree,)


def _fillers(grammar: Grammar, view: bytes, holes: Sequence[Span]) -> Sequence[bytes]:
    return indented(grammar.witnesses, view, holes) if grammar.block == "indent" else grammar.witnesses


def _by_position(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    return tuple(sorted(faults, key=lambda fault: (fault.span, fault.checker)))
