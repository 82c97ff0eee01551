"""The sealed hashes: near-duplicates of demonstrations and pieces of the benchmark are seen, and nothing else."""

import json

import pytest

from dcode.lessons.overlap import SEALED, Overlap, seal, telling_grams

PROMPT = "peel the ripe mangoes in a crate"
PROGRAM = '''
def ripe_mangoes(crate, firmness):
    """Return those mangoes of the crate that are softer than the given firmness."""
    return [mango for mango in crate if mango.firmness < firmness and mango.ripe]
'''


@pytest.fixture
def overlap() -> Overlap:
    return Overlap.of(json.loads(json.dumps(seal([PROMPT], [PROGRAM]))))


@pytest.mark.parametrize(
    ("request_text", "why"),
    [
        (PROMPT, "prompt"),
        ("Peel the ripe mangoes in the crate!", "prompt"),
        ("peel the ripe mangoes", "prompt"),
        ("peel a mango", None),
        ("the mangoes of the crate that are softer than a stone", "gram"),
    ],
)
def test_requests(overlap: Overlap, request_text: str, why: str | None) -> None:
    assert overlap.violates(request_text) == why


def test_half_of_the_words_is_too_much() -> None:
    overlap = Overlap.of(seal(["one two three four"], []))
    assert overlap.nearest("one two three five") == pytest.approx(3 / 5)
    assert overlap.violates("one two five") is None
    assert overlap.violates("one two") == "prompt"


def test_code_is_recognised_however_it_is_laid_out(overlap: Overlap) -> None:
    planted = "x = 1\nsoft = [mango for mango in crate\n        if mango.firmness < 3]\n"
    assert overlap.violates("soft fruit", planted) == "gram"
    assert overlap.violates("soft fruit", planted.replace("mango", "plum")) is None


@pytest.mark.parametrize(
    "noise",
    ["def f(a: List[int], b: List[int]) -> List[int]:", "for i in range(len(s)):", "[x for x in text.split() if x]"],
)
def test_what_every_program_says_is_not_sealed(noise: str) -> None:
    assert not list(telling_grams(noise))


def test_the_repository_is_sealed_and_holds_no_text() -> None:
    sealed = json.loads(SEALED.read_text("utf-8"))
    overlap = Overlap.read()
    assert len(overlap.prompts) == 30
    assert len(overlap.grams) > 5000
    assert set(sealed) == {"salt", "prompts", "grams"}
    # Anagrams would do, too: what is forbidden is told by its words alone.
    assert overlap.violates("sort bubble") == "prompt"
    assert overlap.violates("how do i water a cactus") is None


def test_the_salt_changes_every_hash() -> None:
    first, second = (seal([PROMPT], [PROGRAM]) for _ in range(2))
    assert first["salt"] != second["salt"]
    assert not Overlap.of(first).grams & Overlap.of(second).grams
