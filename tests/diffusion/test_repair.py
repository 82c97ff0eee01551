"""The loop against a checker that wants digits: several faults from one forward, only what gets further, bounds."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

import pytest
import torch
from torch import Tensor

from dcode.diffusion.canvas import Canvas, Vocabulary
from dcode.diffusion.plan import Plan
from dcode.diffusion.repair import AHEAD, Standing, forwards_allowed, standing
from dcode.diffusion.sampler import Step, denoise
from dcode.text.checker import Certified, Draft
from dcode.text.fault import Fault
from dcode.text.span import Span

PIECES = (*(bytes([byte]) for byte in b"0123456789abc"), b"", b"")
MASK, VOID = len(PIECES) - 2, len(PIECES) - 1
VOCABULARY = Vocabulary(PIECES, MASK, VOID, (MASK,))
DIGITS = PIECES[:10]


@dataclass
class Digits:
    """Every letter is a fault. `first` tells where the first one is; `options` may stand in its place."""

    first: bool = True
    options: tuple[bytes, ...] = DIGITS

    def faults(self, draft: Draft) -> Sequence[Fault]:
        return [
            Fault(Span(at, at + 1), "error", "a letter", "digits")
            for at, byte in enumerate(draft.data)
            if not chr(byte).isdigit()
        ]

    def prefix_fault(self, draft: Draft, end: int) -> Fault | None:
        full = end == len(draft.data)
        return next(iter(self.faults(draft)), None) if self.first and full else None

    def candidates(self, draft: Draft, fault: Fault, level: int) -> Sequence[Span] | None:
        return [fault.span] if level == 0 else list(draft.holes) if level == 1 else None

    def certified(self, draft: Draft, faults: Sequence[Fault]) -> Sequence[Certified]:
        return [Certified(faults[0].span, self.options)] if self.options else []

    def statements(self, draft: Draft, fault: Fault) -> Certified | None:
        return None

    def parses(self, draft: Draft, span: Span, replacement: bytes) -> bool:
        data = draft.data[: span.start] + replacement + draft.data[span.end :]
        return not self.faults(Draft(data, draft.holes))

    def witness(self) -> tuple[bytes, ...] | None:
        return None


@dataclass
class Twice:
    """It writes one text when a slot is first asked for, and another from then on."""

    canvas: Canvas
    begin: bytes
    then: bytes
    _seen: set[int] = field(default_factory=set)

    def predict(self, ids_BL: Tensor, want_BL: Tensor, **_: Any) -> Tensor:
        rows = []
        for position in want_BL[0].nonzero()[:, 0].tolist():
            slot = position - self.canvas.ranges[0].start
            text = self.then if slot in self._seen else self.begin
            logits_V = torch.zeros(len(PIECES))
            logits_V[PIECES.index(text[slot : slot + 1])] = 30.0
            # What it likes second: the digit after it.
            logits_V[(text[slot] - ord("0") + 1) % 10] += 4.0
            rows.append(logits_V)
            self._seen.add(slot)
        return torch.stack(rows)


def run(begin: bytes, then: bytes, checker: Digits, seed: int = 0) -> list[Step]:
    canvas = Canvas.of([[0], []], [len(begin)], [b"", b""], VOCABULARY)
    model = Twice(canvas, begin, then)
    return list(denoise([canvas], model.predict, Plan(steps=1, seed=seed), [checker]))


@pytest.mark.parametrize("wrong", range(1, 3 * AHEAD))
def test_one_forward_serves_several_faults(wrong: int) -> None:
    begin = b"ab" * wrong + b"1"
    steps = run(begin, b"7" * len(begin), Digits())
    (last,) = steps[-1:]
    assert last.repair.stopped == "clean"
    assert last.canvas.fills() == (b"7" * (2 * wrong) + b"1",)
    assert len(steps) == 1 + -(-2 * wrong // (AHEAD + 1))


def test_what_is_preferred_but_gets_no_further_gives_way_to_what_does() -> None:
    (*_, last) = run(b"1a1", b"1b1", Digits(options=(b"c", b"4", b"b")))
    assert last.index == 2
    assert last.canvas.fills() == (b"141",)


def test_only_what_gets_further_is_kept() -> None:
    best = [step.repair.standing.reach for step in run(b"1a1b1", b"1c141", Digits(options=()))]
    assert best == sorted(best)
    assert best[-1] == (False, 1.0)


@dataclass
class Behind(Digits):
    """The fault lies behind the hole, whatever stands in it; statements may begin with any digit."""

    def faults(self, draft: Draft) -> Sequence[Fault]:
        end = len(draft.data)
        return [Fault(Span(end, end), "error", "never enough", "digits")]

    def statements(self, draft: Draft, fault: Fault) -> Certified | None:
        (hole,) = draft.holes
        return Certified(hole, DIGITS)


@pytest.mark.parametrize("slots", [1, 2, 4, 8, 20, 40])
@pytest.mark.parametrize("options", [DIGITS, ()])
def test_statements_written_anew_stay_within_the_bound(slots: int, options: tuple[bytes, ...]) -> None:
    steps = run(b"1" * slots, b"2" * slots, Behind(options=options))
    assert steps[-1].index <= steps[-1].limit == forwards_allowed(1)
    assert any(step.repair.statement for step in steps)


@pytest.mark.parametrize("options", [DIGITS, (b"a", b"b"), ()])
@pytest.mark.parametrize("first", [True, False])
def test_it_ends_in_time_and_equal_seeds_give_equal_bytes(options: tuple[bytes, ...], first: bool) -> None:
    runs = [run(b"ab1abcabcabcabcabcabcab", b"b" * 23, Digits(first, options), seed=3) for _ in range(2)]
    steps = runs[0]
    assert len(steps) <= steps[-1].limit == forwards_allowed(1)
    assert [step.canvas.fills() for step in steps] == [step.canvas.fills() for step in runs[1]]


def test_a_canvas_stands_where_nothing_after_it_mends_it_else_at_its_first_fault() -> None:
    begun = Canvas.of([[0], []], [3], [b"", b""], VOCABULARY)
    slots = begun.open_L.nonzero()[:, 0]
    full = begun.commit(slots, torch.tensor([1, 10, 10]))
    one, two = Digits().faults(full.draft())
    assert standing(full, Digits()) == Standing((one, two), (one,), (False, 1.0))
    assert standing(full, Digits(first=False)) == Standing((one, two), (one, two), (True, 1.0))
    assert standing(begun.commit(slots, torch.tensor([1, 2, 3])), Digits()).reach == (True, inf)
