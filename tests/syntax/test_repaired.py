"""In every language: a wrong lexeme in what a model wrote is mended by the real loop, if the model mostly knows better.

The model is scripted: asked again, it answers with the truth 19 times in 20, else with a common lexeme of the language.
The checker never sees the truth: no witness is the truth.
"""

import random

import pytest
from snippets import PARTS, snippet

from dcode.bench.corrupt import written
from dcode.bench.lexicon import is_gap, split
from dcode.bench.repairloop import Task, scripted
from dcode.diffusion.plan import Plan
from dcode.diffusion.repair import forwards_allowed
from dcode.diffusion.sampler import denoise
from dcode.syntax.check import GrammarChecker, file_faults
from dcode.syntax.grammar import Grammar, grammar, languages
from dcode.text.span import Span

ACCURACY = 0.95
STEPS = 4


@pytest.mark.parametrize("name", languages())
def test_the_snippets_are_sound_and_distinct(name: str) -> None:
    texts = [snippet(name, number) for number in range(50)]
    assert len(set(texts)) == 50 and len(PARTS[name]) > 2
    assert not any(file_faults(grammar(name), text) for text in texts)


@pytest.mark.parametrize("name", languages())
def test_a_wrong_lexeme_is_mended_in_every_language(name: str) -> None:
    assert sum(mended(grammar(name), number) for number in range(5)) >= 4


@pytest.mark.slow
@pytest.mark.parametrize("name", languages())
def test_nine_in_ten_are_mended_in_every_language(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    count = sum(mended(grammar(name), number) for number in range(50))
    with capsys.disabled():
        print(f"\n{name}: {count}/50 mended")
    assert count >= 45


def mended(known: Grammar, number: int) -> bool:
    """Whether the loop ends clean, and the text has no fault; it never takes more forwards than it may."""
    task = damaged(known, number)
    spoilt = b"".join(written(task.body, task.wrong))
    checker = GrammarChecker(known, spoilt, [Span(0, len(spoilt))])
    wrong = list(range(len(known.lexemes)))
    fits = (wrong, [1.0] * len(wrong))
    canvas, model = scripted(known.lexemes, task, lambda slot: fits, ACCURACY, random.Random(number))
    for step in denoise([canvas], model.predict, Plan(steps=STEPS, seed=number), [checker]):
        assert step.index <= forwards_allowed(STEPS)
    best = step.repair.best
    assert best is not None
    return step.repair.stopped == "clean" and not file_faults(known, best.draft().data)


def damaged(known: Grammar, number: int) -> Task:
    """A snippet all of which is to be written, and one lexeme of it that is written wrong, so that it has a fault."""
    text = snippet(known.name, number)
    pieces = tuple(split(known, text))
    places = [place for place, piece in enumerate(pieces) if not is_gap(known, piece)]
    draw = random.Random(f"{known.name} {number}")
    while True:
        wrong = {draw.choice(places): draw.choice(known.lexemes)}
        if file_faults(known, b"".join(written(pieces, wrong))):
            return Task(f"{known.name} {number}", b"", pieces, wrong)
