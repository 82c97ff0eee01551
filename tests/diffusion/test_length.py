"""The length of a hole: whatever the first guess, slots that grow and vanish or a search find the oracle's text."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from dcode.diffusion.canvas import OPEN, Canvas, Vocabulary
from dcode.diffusion.length import FLAT, Curve, fit, search
from dcode.diffusion.plan import Plan
from dcode.diffusion.repair import forwards_allowed
from dcode.diffusion.sampler import Step, denoise
from dcode.text.checker import Draft
from dcode.text.fault import Fault
from dcode.text.span import Span

MASK, EXPAND, DELETE, FIRST = 0, 1, 2, 3
LETTERS = b"abcdefghijklmnopqrstuvwxyz "
PIECES = (b"", b"", b"", *(bytes([byte]) for byte in LETTERS))
PLAIN = Vocabulary(PIECES, MASK, None, (MASK, EXPAND, DELETE))
ELASTIC = Vocabulary(PIECES, MASK, None, (MASK,), EXPAND, DELETE)
SPACE = FIRST + LETTERS.index(b" ")


def ids(text: bytes) -> list[int]:
    return [FIRST + LETTERS.index(byte) for byte in text]


def canvas(slots: Sequence[int], vocabulary: Vocabulary, room: int = 64) -> Canvas:
    """Holes between single blanks; the k-th blank tells the oracle which hole follows."""
    context = [[SPACE] * (number + 1) for number in range(len(slots) + 1)]
    fixed = [b" " * (number + 1) for number in range(len(slots) + 1)]
    return Canvas.of(context, slots, fixed, vocabulary, room=[room] * len(slots))


class Knows:
    """Knows the text of every hole. Too few slots: it expands; too many: it deletes; or it is less sure of itself."""

    def __init__(self, answers: Sequence[bytes], elastic: bool) -> None:
        self.answers, self.elastic, self.calls = answers, elastic, 0

    def __call__(self, ids_BL: Tensor, want_BL: Tensor, **rest: Any) -> Tensor:
        self.calls += 1
        rows = [self._row(row.tolist(), want) for row, want in zip(ids_BL, want_BL, strict=True)]
        return torch.cat(rows)

    def _row(self, row: list[int], want_L: Tensor) -> Tensor:
        logits_LV = torch.zeros(len(row), len(PIECES))
        starts = [at for at in range(1, len(row)) if row[at] != SPACE and row[at - 1] == SPACE]
        holes: list[list[int]] = [[] for _ in self.answers]
        for start in starts:
            end = next(at for at in range(start, len(row) + 1) if at == len(row) or row[at] == SPACE)
            before = next(count for count in range(1, start + 1) if start == count or row[start - count - 1] != SPACE)
            holes[before - 1] = list(range(start, end))
        for places, answer in zip(holes, self.answers, strict=True):
            self._hole(logits_LV, row, places, ids(answer))
        return logits_LV[want_L]

    def _hole(self, logits_LV: Tensor, row: list[int], places: list[int], answer: list[int]) -> None:
        surplus = len(places) - len(answer)
        for index, place in enumerate(places):
            wanted, sure = answer[min(index, len(answer) - 1)], 8.0
            if self.elastic and index >= len(answer):
                wanted = DELETE
            elif self.elastic and surplus < 0 and place == places[-1]:
                wanted = EXPAND
            elif surplus and not self.elastic:
                sure = 6.0 / (1 + abs(surplus))
            logits_LV[place, wanted] = sure


def last(steps: Iterable[Step]) -> Step:
    *_, step = steps
    return step


@given(
    answers=st.lists(st.from_regex(b"[a-z]{1,9}", fullmatch=True), min_size=1, max_size=3),
    guess=st.integers(1, 14),
)
def test_slots_that_grow_and_vanish_find_every_length(answers: list[bytes], guess: int) -> None:
    start = canvas([guess] * len(answers), ELASTIC)
    step = last(denoise([start], Knows(answers, elastic=True), Plan(), [None]))
    assert step.canvas.fills() == tuple(answers)
    assert step.canvas.draft().data == b"".join(
        b" " * (n + 1) + (answers[n] if n < len(answers) else b"") for n in range(len(answers) + 1)
    )
    assert len(step.confidence_L) == len(step.canvas) and step.index <= step.limit


def test_a_hole_never_grows_beyond_its_room() -> None:
    step = last(denoise([canvas([2], ELASTIC, room=3)], Knows([b"abcdefgh"], elastic=True), Plan(), [None]))
    assert len(step.canvas.ranges[0]) <= 5


def test_what_would_delete_itself_whole_keeps_a_word() -> None:
    def deletes(ids_BL: Tensor, want_BL: Tensor, **rest: Any) -> Tensor:
        logits_NV = torch.zeros(int(want_BL.sum()), len(PIECES))
        logits_NV[:, DELETE], logits_NV[:, FIRST] = 9.0, 1.0
        return logits_NV

    step = last(denoise([canvas([5, 2], ELASTIC)], deletes, Plan(), [None]))
    assert step.canvas.fills() == (b"a", b"a")


def test_no_slot_grows_in_the_last_of_so_many_steps() -> None:
    *_, step = steps = list(denoise([canvas([2], ELASTIC)], Knows([b"abcdefgh"], elastic=True), Plan(steps=3), [None]))
    assert len(steps) == 3 and len(step.canvas.ranges[0]) > 2 and not step.canvas.open_L.any()


class Never:
    """A checker that nothing pleases: a fault at the same place, wherever that is, and every slot is a suspect."""

    def faults(self, draft: Draft) -> list[Fault]:
        at = draft.holes[0].start + len(draft.data) % 3
        return [Fault(Span(at, at), "error", "never", "test")]

    def prefix_fault(self, draft: Draft, end: int) -> None:
        return None

    def candidates(self, draft: Draft, fault: Fault, level: int) -> list[Span] | None:
        return list(draft.holes) if level < 4 else None

    def certified(self, draft: Draft, faults: Sequence[Fault]) -> tuple[()]:
        return ()

    def statements(self, draft: Draft, fault: Fault) -> None:
        return None

    def parses(self, draft: Draft, span: Span, replacement: bytes) -> bool:
        return False

    def witness(self) -> None:
        return None


@given(slots=st.lists(st.integers(1, 6), min_size=1, max_size=2), seed=st.integers(0, 50), steps=st.integers(0, 3))
def test_a_row_that_grows_and_shrinks_is_repaired_within_its_forwards(slots: list[int], seed: int, steps: int) -> None:
    drawing = torch.Generator().manual_seed(seed)

    def predict(ids_BL: Tensor, want_BL: Tensor, **rest: Any) -> Tensor:
        return torch.randn(int(want_BL.sum()), len(PIECES), generator=drawing) * 5

    run = list(denoise([canvas(slots, ELASTIC, room=4)], predict, Plan(steps=steps), [Never()]))
    best = run[-1].repair.best
    assert best is not None and run[-1].canvas is best and not best.open_L.any()
    assert len(run[-1].confidence_L) == len(run[-1].best_confidence_L) == len(best)
    assert bool((run[-1].best_confidence_L[best.taken_L] > 0).all())
    plain = next(step.index for step in run if step.repair.best is not None)
    assert run[-1].index <= forwards_allowed(plain)
    assert all(len(step.confidence_L) == len(step.canvas) for step in run)


def test_rows_of_different_lengths_answer_as_they_would_alone() -> None:
    plan, known = Plan(), Knows([b"abc"], elastic=True)
    starts = [canvas([guess], ELASTIC) for guess in (1, 3, 7, 3)]
    together = {step.row: step for step in denoise(starts, known, plan, [None] * 4)}
    alone = [last(denoise([start], known, plan, [None])) for start in starts]
    assert [together[n].canvas.fills() for n in range(4)] == [one.canvas.fills() for one in alone]
    assert [together[n].index for n in range(4)] == [one.index for one in alone]


@given(st.data())
def test_resizing_moves_nothing_but_the_slots_it_names(data: st.DataObject) -> None:
    slots = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=3))
    before = canvas(slots, ELASTIC)
    open_ = [position for hole in before.ranges for position in hole]
    expanded = set(data.draw(st.lists(st.sampled_from(open_), unique=True)))
    deleted = {p for p in data.draw(st.lists(st.sampled_from(open_), unique=True)) if p not in expanded}
    after, origin = before.resized(expanded, deleted)
    assert len(after) == len(before) + len(expanded) - len(deleted) == len(origin)
    kept = [p for p in range(len(before)) if p not in deleted]
    assert [o for o in origin.tolist() if o >= 0] == kept
    fixed = (after.state_L != OPEN).nonzero()[:, 0]
    assert torch.equal(after.ids_L[fixed], before.ids_L[origin[fixed]])
    assert int(after.open_L.sum()) == sum(map(len, after.ranges)) and bool((after.ids_L[after.open_L] == MASK).all())
    sizes = [len(h) + sum(p in expanded for p in h) - sum(p in deleted for p in h) for h in before.ranges]
    assert [len(hole) for hole in after.ranges] == sizes


@given(
    answers=st.lists(st.integers(1, 24).map(lambda n: b"abcdefghijklmnopqrstuvwx"[:n]), min_size=1, max_size=2),
    guess=st.integers(1, 30),
)
def test_a_search_finds_the_length_that_the_model_is_surest_of(answers: list[bytes], guess: int) -> None:
    known = Knows(answers, elastic=False)
    found = search(lambda sizes: canvas(sizes, PLAIN), [guess] * len(answers), known, FLAT, most=40)
    assert found.slots == tuple(map(len, answers))
    assert found.forwards == known.calls
    step = last(denoise([canvas(found.slots, PLAIN)], known, Plan(), [None]))
    assert step.canvas.fills() == tuple(answers)


def test_a_curve_takes_out_what_the_length_alone_does_to_confidence() -> None:
    curve = Curve.of({4: 0.8, 8: 0.4, 16: 0.2})
    assert curve.at(2) == 0.8 and curve.at(32) == 0.2
    assert curve.at(4) > curve.at(6) > curve.at(8)
    assert curve.at(6) == pytest.approx(0.6)
    assert Curve.of(json.loads(json.dumps(curve.to_json()))) == curve


def test_a_fit_is_the_mean_confidence_at_every_length() -> None:
    known = Knows([b"abcd"], elastic=False)
    curve = fit(lambda slots: [canvas([slots], PLAIN)], known, lengths=(2, 4, 8))
    assert curve.at(4) > curve.at(2) and curve.at(4) > curve.at(8)
