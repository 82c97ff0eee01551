"""What is held out: whole families, phrasings and ways of asking, by name and never by chance."""

from dataclasses import replace

import pytest

from dcode.lessons.family import Family
from dcode.lessons.heldout import groups, held_out, reserved, splits
from dcode.lessons.pattern import narrow, pattern


def family(name: str, *same: str) -> Family:
    return Family(name, "tests", ("do it",), "", "", same=same)


@pytest.mark.parametrize(
    ("request_text", "expected"),
    [
        ("how do i count vowels?", "howto"),
        ("how to count vowels", "howto"),
        ("how many vowels are there in a text?", "question"),
        ("what is the longest word", "question"),
        ("please count vowels", "polite"),
        ("can you count vowels?", "polite"),
        ("i need a vowel counter", "wish"),
        ("I'd like to count vowels", "wish"),
        ("function that counts vowels", "function"),
        ("a small python function to count vowels", "function"),
        ("write me a function that counts vowels", "order"),
        ("create a script that counts vowels", "order"),
        ("create a folder", "command"),
        ("python code for counting vowels", "program"),
        ("a program which counts vowels", "program"),
        ("given a text, count its vowels", "given"),
        ("counting vowels", "gerund"),
        ("count vowels", "command"),
        ("quickly count vowels", "command"),
        ("apply a discount", "command"),
        ("count of vowels", "noun"),
        ("string reversal", "noun"),
        ("vowel counter", "noun"),
        ("the vowels of a text, counted", "noun"),
    ],
)
def test_patterns(request_text: str, expected: str) -> None:
    assert pattern(request_text) == expected


def test_a_phrasing_of_two_ways_is_narrowed_to_one_each() -> None:
    parts = dict(narrow("[please|] [count|counting] the [vowels|letters]"))
    assert set(parts) == {"polite", "command", "gerund"}
    assert "count" in parts["command"]
    assert "counting" not in parts["command"]
    assert list(narrow("count [a|b]")) == [("command", "count [a|b]")]


def test_ways_of_asking_are_held_out_whole(families: tuple[Family, ...]) -> None:
    parts = splits(families[0])
    assert 1 <= len(parts.patterns) <= 2
    assert parts.train
    assert parts.pattern
    assert {name for ask in parts.pattern for name, _ in narrow(ask)} == set(parts.patterns)
    taught = {name for ask in (*parts.train, *parts.wording) for name, _ in narrow(ask)}
    assert not taught & set(parts.patterns)
    assert len(parts.train) >= len(families[0].asks) / 2


def test_a_new_phrasing_moves_at_most_one_wording(families: tuple[Family, ...]) -> None:
    old = splits(families[0])
    new = splits(replace(families[0], asks=(*families[0].asks, "count gauges up by $n")))
    assert old.patterns == new.patterns
    assert len(set(old.wording) - set(new.wording)) <= 1


def test_a_fifth_of_the_wordings_is_held_out() -> None:
    asks = tuple(f"count the {word}s" for letter in "abcdefghij" for word in (letter, letter * 2, letter * 3))
    for number in range(20):
        parts = splits(replace(family(f"f{number}"), asks=asks))
        assert len(parts.wording) == 6
        assert set(parts.train) | set(parts.wording) == set(asks)
        assert not set(parts.train) & set(parts.wording)


def test_a_tenth_of_the_families_is_held_out_and_twins_go_together() -> None:
    many = [family(f"family{number}") for number in range(1000)]
    held = held_out(many)
    assert 70 < len(held) < 130
    tied = [family("aa", "bb"), family("bb"), family("cc", "bb"), family("dd")]
    assert groups(tied) == {"aa": "aa", "bb": "aa", "cc": "aa", "dd": "dd"}
    for number in range(100):
        twins = [family(f"twin{number}", f"other{number}"), family(f"other{number}")]
        assert len(held_out(twins)) in (0, 2)


def test_an_eighth_of_the_values_is_reserved() -> None:
    share = sum(reserved(family("f"), "n", value) for value in range(4000)) / 4000
    assert 0.1 < share < 0.15
