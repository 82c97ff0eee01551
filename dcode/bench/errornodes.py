"""What a loop without certification does: it masks the broken nodes of the tree again.

`ErrorNodes` puts them into the sampling loop in place of what a checker certifies; all else of that loop remains: joint
fills, strict progress, the ladder where no node is broken. `masked_again` is the loop as it is usually built: mask
every broken node, fill, look again. It knows no denoiser.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from dcode.diffusion.canvas import Canvas
from dcode.diffusion.plan import Plan
from dcode.diffusion.repair import forwards_allowed
from dcode.diffusion.sampler import Predict, denoise
from dcode.syntax.grammar import Grammar
from dcode.syntax.lines import lines_around
from dcode.syntax.parse import broken, parse
from dcode.text.checker import Certified, Checker, Draft
from dcode.text.fault import Fault
from dcode.text.span import Span

WIDEST = 8
"""The last level at which the tree's broken nodes are blamed: there are no more rounds."""


class Ended(NamedTuple):
    """What a loop ended with: the text, whether it has no fault, and what that took."""

    text: bytes
    clean: bool
    remasked: int
    forwards: int


class ErrorNodes:
    """A checker that blames the tree's broken nodes, if there are any, and certifies nothing."""

    def __init__(self, grammar: Grammar, checker: Checker) -> None:
        self._grammar, self._checker = grammar, checker

    def faults(self, draft: Draft) -> Sequence[Fault]:
        """Those of the checker."""
        return self._checker.faults(draft)

    def prefix_fault(self, draft: Draft, end: int) -> Fault | None:
        """None: a tree says nothing of text that is not complete."""
        return None

    def candidates(self, draft: Draft, fault: Fault, level: int) -> Sequence[Span] | None:
        """The broken nodes and, as a level must be wider than the last, a byte more around them at each."""
        nodes = _nodes(self._grammar, draft.data)
        if not nodes or level > WIDEST:
            return self._checker.candidates(draft, fault, level)
        return [_wider(node, level, draft.data) for node in nodes]

    def certified(self, draft: Draft, faults: Sequence[Fault]) -> Sequence[Certified]:
        """Nothing."""
        return ()

    def statements(self, draft: Draft, fault: Fault) -> Certified | None:
        """None: trivial texts are certified, too."""
        return None

    def parses(self, draft: Draft, span: Span, replacement: bytes) -> bool:
        """What the checker says."""
        return self._checker.parses(draft, span, replacement)

    def witness(self) -> tuple[bytes, ...] | None:
        """The checker's."""
        return self._checker.witness()


def masked_again(canvas: Canvas, predict: Predict, plan: Plan, grammar: Grammar, checker: Checker) -> Ended:
    """Fill, mask every broken node again, fill them, until the checker finds no fault.

    It has the rounds and forwards of the sampling loop. Where only the compiler finds a fault its line is blamed.
    """
    remasked = forwards = allowed = 0
    steps = plan.steps
    for number in range(plan.rounds + 1):
        for step in denoise([canvas], predict, replace(plan, steps=steps), [None]):
            canvas = step.canvas
        forwards += step.index
        if not number:
            allowed = forwards_allowed(forwards)
        steps = min(plan.refill_steps, allowed - forwards)
        faults = checker.faults(canvas.draft())
        opened = canvas.taken_in(_blamed(grammar, canvas.draft(), faults))
        if number == plan.rounds or steps <= 0 or not len(opened):
            break
        canvas, remasked = canvas.remask(opened), remasked + len(opened)
    return Ended(canvas.draft().data, not faults, remasked, forwards)


def _blamed(grammar: Grammar, draft: Draft, faults: Sequence[Fault]) -> list[Span]:
    """The broken nodes, a byte around those that are empty; else the lines of the faults."""
    nodes = _nodes(grammar, draft.data)
    if not nodes:
        return [lines_around(draft.data, fault.span) for fault in faults]
    return [_wider(node, not len(node), draft.data) for node in nodes]


def _nodes(grammar: Grammar, view: bytes) -> list[Span]:
    return [Span(node.start_byte, node.end_byte) for node, _ in broken(parse(grammar, view))]


def _wider(span: Span, by: int, view: bytes) -> Span:
    return Span(max(0, span.start - by), min(len(view), span.end + by))
