"""The sampling loop against an oracle: exact answers, bounded forwards, equal bytes, independent rows."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_length import PLAIN, Knows, last
from test_length import canvas as plain_canvas

from dcode.diffusion.canvas import FIXED, OPEN, TAKEN, Canvas, Vocabulary
from dcode.diffusion.plan import Plan
from dcode.diffusion.repair import forwards_allowed
from dcode.diffusion.sampler import Step, denoise
from dcode.errors import UsageError
from tests.oracle import Oracle, random_model, tokenizer

TOK = tokenizer()
VOCABULARY = Vocabulary(TOK.pieces, TOK.mask_id, TOK.void_id, (TOK.mask_id, TOK.begin_id, TOK.end_id))
BEFORE, BETWEEN, AFTER = b"x = ", b"\ny = ", b"\nprint(x)\n"


def canvas(*slots: int) -> Canvas:
    texts = [BEFORE, *[BETWEEN] * (len(slots) - 1), AFTER]
    return Canvas.of([TOK.encode(text) for text in texts], slots, texts, VOCABULARY)


def run(filled: Canvas, model: object, plan: Plan, rows: int = 1) -> list[Step]:
    return list(denoise([filled] * rows, model.predict, plan, [None] * rows))  # type: ignore[attr-defined]


plans = st.builds(
    Plan,
    steps=st.integers(0, 40),
    temperature=st.sampled_from([0.0, 0.0, 0.7]),
    top_p=st.sampled_from([1.0, 0.9]),
    top_k=st.sampled_from([0, 5]),
    order=st.sampled_from(["confidence", "margin", "entropy", "random", "left"]),
    commit=st.sampled_from(["threshold", "schedule", "fixed", "factor", "entropy-bound"]),
    schedule=st.sampled_from(["linear", "cosine", "clipped"]),
    per_step=st.integers(1, 4),
    block=st.sampled_from([0, 4, 32]),
)


@given(
    plan=plans,
    answers=st.lists(st.sampled_from([b"1", b"foo(1, 2)", b"'a' + \"b\""]), min_size=1, max_size=3),
    guess=st.integers(12, 40),
)
def test_a_perfect_oracle_returns_the_answer_under_every_plan_and_guess_of_the_length(
    plan: Plan, answers: list[bytes], guess: int
) -> None:
    plan = replace(plan, temperature=0.0)
    model = Oracle(answers)
    steps = run(canvas(*[guess] * len(answers)), model, plan)
    assert steps[-1].canvas.fills() == tuple(answers)
    assert steps[-1].repair.stopped == "unchecked"


@given(plan=plans, seed=st.integers(0, 5))
def test_steps_are_bounded_and_touch_only_open_slots(plan: Plan, seed: int) -> None:
    begun = canvas(9, 5)
    steps = run(begun, random_model(seed), plan)
    assert len(steps) <= (plan.steps or 14) and len(steps) <= 14
    before = begun
    for step in steps:
        changed = (step.canvas.ids_L != before.ids_L) | (step.canvas.state_L != before.state_L)
        assert set(changed.nonzero()[:, 0].tolist()) <= set(step.committed)
        assert all(before.state_L[p] == OPEN and step.canvas.state_L[p] == TAKEN for p in step.committed)
        assert len(step.committed) >= 1
        before = step.canvas
    fixed = begun.state_L == FIXED
    assert torch.equal(before.ids_L[fixed], begun.ids_L[fixed])
    suppressed = torch.tensor(VOCABULARY.suppressed)
    assert not torch.isin(before.ids_L[before.state_L == TAKEN], suppressed).any()


@given(plan=plans, seed=st.integers(0, 3))
def test_a_row_is_the_same_alone_and_in_a_batch(plan: Plan, seed: int) -> None:
    model, begun = random_model(seed), canvas(8)
    alone = run(begun, model, plan)[-1].canvas
    batch = run(begun, model, plan, rows=3)
    last = [step for step in batch if step.row == 0][-1].canvas
    assert torch.equal(alone.ids_L, last.ids_L)


def test_equal_seeds_give_equal_bytes_and_others_do_not() -> None:
    model, plan = random_model(), Plan(temperature=1.0, seed=3)
    texts = [run(canvas(20), model, p)[-1].canvas.fills() for p in (plan, plan, replace(plan, seed=4))]
    assert texts[0] == texts[1] != texts[2]


def test_blocks_open_from_left_to_right() -> None:
    steps = run(canvas(12), random_model(), Plan(block=4, commit="fixed"))
    first = canvas(12).ranges[0].start
    blocks = [step.committed[0] // 4 for step in steps]
    assert blocks == sorted(blocks) and set(blocks) == {position // 4 for position in range(first, first + 12)}


def test_a_confident_void_does_not_cut_off_text_that_stands_behind_it() -> None:
    """The first slot says void with p = 0.6, the second says "1" with p = 0.5: the void has to wait."""
    one = TOK.encode(b"1")[0]
    two = TOK.encode(b"2")[0]

    def predict(ids_BL: torch.Tensor, want_BL: torch.Tensor, **_: object) -> torch.Tensor:
        table = torch.full((ids_BL.shape[1], len(TOK.pieces)), -20.0)
        start = canvas(2).ranges[0].start
        table[start, TOK.void_id], table[start, two] = 0.6, 0.3
        table[start + 1, one], table[start + 1, TOK.void_id] = 0.5, 0.1
        return table[want_BL[0]]

    steps = list(denoise([canvas(2)], predict, Plan(commit="fixed"), [None]))
    assert steps[0].canvas.fills() == (b"1",)
    assert steps[-1].canvas.fills() == (b"21",)


def test_a_hole_is_never_left_blank() -> None:
    """A model that wants nothing but voids still has to say something."""
    steps = run(canvas(6, 4), Oracle([b"", b""]), Plan())
    assert all(fill.strip() for fill in steps[-1].canvas.fills())


def test_forwards_allowed_is_half_as_many_again() -> None:
    assert [forwards_allowed(n) for n in (1, 16, 40)] == [9, 24, 60]


@pytest.mark.parametrize("bad", [{"temperature": -1}, {"top_p": 0}, {"threshold": 1.5}, {"steps": -1}, {"seed": -1}])
def test_settings_out_of_range_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="out of range"):
        Plan(**bad)  # type: ignore[arg-type]


def test_commit_and_remask_refuse_the_wrong_slots() -> None:
    begun = canvas(3)
    first = torch.tensor([begun.ranges[0].start])
    filled = begun.commit(first, torch.tensor([5]))
    assert torch.equal(filled.remask(first).ids_L, begun.ids_L)
    for wrong in (lambda: filled.commit(first, first), lambda: begun.remask(first)):
        with pytest.raises(AssertionError):
            wrong()


class Changes(Knows):
    """Answers one text at first and another from the third call on."""

    def _hole(self, logits_LV, row, places, answer):  # type: ignore[no-untyped-def]
        super()._hole(logits_LV, row, places, answer if self.calls < 3 else answer[::-1])


@pytest.mark.parametrize(("revise", "changes"), [(0.0, False), (0.9, True), (1.0, False)])
def test_a_token_changes_only_for_one_that_is_sure_enough(revise: float, changes: bool) -> None:
    plan, model = Plan(commit="fixed", revise=revise), Changes([b"abcdef"], False)
    ended = last(denoise([plain_canvas([6], PLAIN)], model, plan, [None]))
    assert (ended.canvas.fills() == (b"fedcba",)) is changes
