"""Second thoughts: what is opened again, what changes in place, and that a run still ends."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from test_length import PLAIN, Knows, canvas, last

from dcode.diffusion.plan import Plan
from dcode.diffusion.revisit import better, doubtful
from dcode.diffusion.sampler import denoise
from dcode.diffusion.score import Scored


@given(st.lists(st.floats(0, 1), max_size=30), st.floats(0, 0.99), st.integers(0, 99))
def test_a_share_is_drawn_once_each(confidence: list[float], share: float, seed: int) -> None:
    drawn = doubtful(torch.tensor(confidence), share, torch.Generator().manual_seed(seed)).tolist()
    assert len(drawn) == len(set(drawn)) == int(share * len(confidence))
    assert all(0 <= index < len(confidence) for index in drawn)


def test_the_least_sure_is_drawn_most_often() -> None:
    generator = torch.Generator().manual_seed(0)
    drawn = [int(doubtful(torch.tensor([0.9, 0.1, 0.9, 0.9]), 0.25, generator)) for _ in range(400)]
    assert drawn.count(1) > 1.5 * max(drawn.count(0), drawn.count(2), drawn.count(3))


def test_a_token_changes_only_for_one_that_is_sure_enough() -> None:
    blank = torch.zeros(3)
    scored = Scored(torch.tensor([5, 6, 7]), torch.tensor([0.95, 0.95, 0.5]), blank, blank)
    assert better(scored, torch.tensor([5, 9, 9]), 0.9).tolist() == [False, True, False]


@given(st.floats(0.05, 0.8), st.integers(0, 20))
def test_remasking_ends_within_its_steps_and_with_the_answer(share: float, seed: int) -> None:
    answer = b"abcdefgh"
    plan = Plan(remask=share, seed=seed, commit="fixed", per_step=2)
    steps = list(denoise([canvas([8], PLAIN)], Knows([answer], elastic=False), plan, [None]))
    assert steps[-1].canvas.fills() == (answer,)
    assert len(steps) <= 8 and steps[-1].index <= steps[-1].limit
    assert len(steps) > 4 or share < 0.5


class Changes(Knows):
    """Answers one text at first and another from the third call on."""

    def _hole(self, logits_LV, row, places, answer):  # type: ignore[no-untyped-def]
        super()._hole(logits_LV, row, places, answer if self.calls < 3 else answer[::-1])


def test_revising_follows_a_change_of_mind_and_not_revising_does_not() -> None:
    plain, revising = (
        last(denoise([canvas([6], PLAIN)], Changes([b"abcdef"], False), Plan(commit="fixed", revise=sure), [None]))
        for sure in (0.0, 0.9)
    )
    assert plain.canvas.fills() != (b"fedcba",)
    assert revising.canvas.fills() == (b"fedcba",)
