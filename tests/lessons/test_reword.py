"""Other words for a request: slots and quoted texts stay, words change, ways of asking that are held out stay out."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from dcode.lessons.expand import choose
from dcode.lessons.family import Family, names_in
from dcode.lessons.heldout import splits
from dcode.lessons.pattern import pattern
from dcode.lessons.reword import reworded
from dcode.lessons.stream import Counts, rows
from tests.lessons.test_stream import NOTHING, named

ASK = "remove every duplicate of ${word}s from the picture called 'big image' with $n"


@given(st.integers(0, 2**32))
def test_slots_and_quoted_words_stay(seed: int) -> None:
    other = reworded(ASK, Random(seed))
    assert names_in(other) == {"word", "n"}
    assert "'big image'" in other and "${word}s" in other
    assert "  " not in other and other == other.strip()


def test_words_are_exchanged_commands_are_wrapped_small_words_left_out() -> None:
    found = {reworded("sort the words of a text", Random(seed)) for seed in range(300)}
    assert len(found) > 100 and "sort the words of a text" in found
    assert any("arrange" in each for each in found)
    assert any("the " not in each for each in found)
    assert {"polite", "howto", "function"} <= set(map(pattern, found))


def test_a_question_is_not_wrapped() -> None:
    assert all(pattern(reworded("how do i sort words?", Random(seed))) in ("howto", "question") for seed in range(100))


def test_rows_never_ask_in_a_way_that_is_held_out(families: tuple[Family, ...]) -> None:
    family = named(families[0], held=False)
    held = splits(family).patterns
    taught = [row.request for row in rows((family,), 300, 0, Counts(), NOTHING) if row.split == "train" and not row.old]
    assert held and not set(map(pattern, taught)) & set(held)
    plain = {choose(ask, Random(seed)) for ask in family.asks for seed in range(4)}
    assert len(set(taught) - plain) > 50
