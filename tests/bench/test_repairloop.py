"""RepairLoop: a denoiser that errs as it is told to, in the real loop; the truth is hidden from the checker."""

import random

import pytest
import torch

from dcode.bench.corrupt import written
from dcode.bench.errornodes import Ended, ErrorNodes, masked_again
from dcode.bench.library import Function, functions, halves, standard_library
from dcode.bench.repairloop import ACCURACIES, SPARE, RepairLoop, Task, figures, scripted, table, tasks
from dcode.bench.scripted import Scripted, vocabulary
from dcode.diffusion.canvas import Canvas
from dcode.diffusion.plan import Plan
from dcode.diffusion.repair import forwards_allowed
from dcode.errors import InputError
from dcode.syntax.check import GrammarChecker
from dcode.text.checker import Draft
from dcode.text.span import Span
from tests.bench.damage import FUNCTION, PYTHON, lexicon

HERE = Function("here", FUNCTION, FUNCTION.index(b"\n") + 1)


def task(wrong: int = 1) -> Task:
    (found,) = tasks(lexicon(), [HERE], wrong, 1, 0)
    return found


def denoiser(accuracy: float) -> tuple[Canvas, Scripted]:
    return scripted(lexicon().words, task(), lambda slot: ([0, 1], [1.0, 1.0]), accuracy, random.Random(0))


def answers(canvas: Canvas, model: Scripted) -> list[int]:
    logits_NV = model.predict(canvas.ids_L[None], canvas.open_L[None])
    return [int(number) for number in logits_NV.argmax(-1)]


def test_a_task_is_the_function_and_its_damage() -> None:
    one = task(4)
    assert one.head + b"".join(one.body) == FUNCTION
    assert len(one.wrong) == 4
    with pytest.raises(InputError, match="2 functions were wanted, 1 can be broken in 1 places"):
        tasks(lexicon(), [HERE], 1, 2, 0)


def test_it_writes_the_given_text_first() -> None:
    canvas, model = denoiser(0.9)
    full = canvas.commit(canvas.open_L.nonzero()[:, 0], torch.tensor(model.begin))
    assert full.draft().data == task().head + b"".join(written(task().body, task().wrong))
    logits_NV = model.predict(canvas.ids_L[None], canvas.open_L[None])
    again_NV = model.predict(canvas.ids_L[None], canvas.open_L[None])
    assert torch.equal(logits_NV, again_NV)
    assert logits_NV.exp().sum(-1).tolist() == pytest.approx([1.0] * len(model.begin), rel=1e-4)


@pytest.mark.parametrize("accuracy", [0.0, 0.7, 1.0])
def test_it_is_right_as_often_as_it_is_told_to_be(accuracy: float) -> None:
    canvas, model = denoiser(accuracy)
    slots = canvas.open_L.nonzero()[:, 0]
    full = canvas.commit(slots, torch.tensor(model.truth))
    right = chosen = 0
    for _ in range(6):
        model.predict(full.ids_L[None], full.open_L[None] | (torch.arange(len(full)) == slots[-1])[None])
        some = slots[10:-SPARE:3]
        opened = full.remask(some)
        for position in some.tolist():
            slot = position - int(slots[0])
            model._answers.pop(slot, None)
        model._seen |= set(range(len(model.truth)))
        model.predict(opened.ids_L[None], opened.open_L[None])
        picked = [model._answers[position - int(slots[0])].id for position in some.tolist()]
        truth = [model.truth[position - int(slots[0])] for position in some.tolist()]
        right += sum(one == other for one, other in zip(picked, truth, strict=True))
        chosen += len(picked)
    assert abs(right / chosen - accuracy) < 0.15


def test_slots_that_moved_are_known_by_their_neighbours() -> None:
    canvas, model = denoiser(1.0)
    slots = canvas.open_L.nonzero()[:, 0]
    void = canvas.vocabulary.void_id
    assert void is not None
    moved = [*model.truth[:30], *model.truth[31:], void]  # one lexeme was deleted
    full = canvas.commit(slots, torch.tensor(moved))
    model.predict(full.ids_L[None], (torch.arange(len(full)) == slots[0])[None])
    opened = full.remask(slots[40:42])
    assert answers(opened, model) == moved[40:42]


def test_confidence_tells_right_from_wrong_on_average() -> None:
    canvas, model = denoiser(0.5)
    model._seen |= set(range(len(model.truth)))
    model.predict(canvas.ids_L[None], canvas.open_L[None])
    sure: dict[bool, list[float]] = {True: [], False: []}
    for slot, answer in model._answers.items():
        sure[answer.id == model._truth(model._place(slot, canvas.ids_L[canvas.ranges[0]].tolist()))].append(answer.sure)
    means = {right: sum(values) / len(values) for right, values in sure.items()}
    assert means[True] > means[False] + 0.1


def test_the_vocabulary_spells_every_piece() -> None:
    known = vocabulary([b"a", b"b"], [b"b", b"own", b"own"])
    assert known.pieces == (b"a", b"b", b"own", b"", b"")
    assert (known.mask_id, known.void_id, known.suppressed) == (3, 4, (3,))


def test_error_nodes_are_blamed_ever_wider_and_nothing_is_certified() -> None:
    view = b"def f():\n    x = = 1\n    return x\n"
    hole = Span(9, len(view))
    inner = GrammarChecker(PYTHON, view, [hole])
    draft = Draft(view, (hole,))
    blamed = ErrorNodes(PYTHON, inner)
    (fault, *_) = blamed.faults(draft)
    levels = [blamed.candidates(draft, fault, level) for level in (0, 1)]
    assert levels[0] and levels[1] and levels[1][0].start == levels[0][0].start - 1
    assert blamed.candidates(draft, fault, 99) is None
    assert not blamed.certified(draft, blamed.faults(draft)) and blamed.prefix_fault(draft, 20) is None
    assert blamed.witness() == inner.witness()


def test_the_loop_mends_what_error_nodes_do_not() -> None:
    _, files = halves(standard_library(), 0)
    items = tasks(lexicon(), functions(PYTHON, files, 40, 0), 1, 2, 0)
    rows = [row for item in items for row in RepairLoop(lexicon(), 0)(item)]
    assert len(rows) == 2 * 3 * len(ACCURACIES)
    clean = {way: sum(row.clean for row in rows if row.way == way) for way in ("R1 and ladder", "ERROR nodes")}
    assert clean["R1 and ladder"] >= clean["ERROR nodes"] and clean["R1 and ladder"] >= 3
    assert len(table(rows)) == 1 + len(figures(rows)) == 1 + 3 * len(ACCURACIES)


def test_broken_nodes_are_masked_again_until_nothing_is_broken() -> None:
    head, body = b"def f():\n", (b"    ", b"x", b" ", b"=", b" ", b"1", b"\n", b"    ", b"return", b" ", b"x", b"\n")
    one = Task("f", head, body, {5: b"]"})
    spoilt = head + b"".join(written(body, one.wrong))
    checker = GrammarChecker(PYTHON, spoilt, [Span(len(head), len(spoilt))])
    plan = Plan(steps=4)

    def ended(accuracy: float) -> Ended:
        closing = [lexicon().words.index(word) for word in (b"]", b")", b"}")]
        canvas, model = scripted(lexicon().words, one, lambda slot: (closing, [1.0] * 3), accuracy, random.Random(0))
        return masked_again(canvas, model.predict, plan, PYTHON, checker)

    right, wrong = ended(1.0), ended(0.0)
    assert right.clean and right.text == head + b"".join(body) and right.remasked and right.forwards > plan.steps
    assert not wrong.clean and plan.steps < wrong.forwards <= forwards_allowed(plan.steps)


def test_no_witness_is_the_truth() -> None:
    one = task()
    spoilt = one.head + b"".join(written(one.body, one.wrong))
    checker = GrammarChecker(PYTHON, spoilt, [Span(len(one.head), len(spoilt))])
    assert checker.witness() not in (None, (b"".join(one.body),))
