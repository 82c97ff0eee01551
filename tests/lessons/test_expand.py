"""Drawing lessons: one seed one lesson, one value in request, code and test, and nothing left to fill in."""

import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcode.lessons.expand import choose, draw, expansions, tidy, words
from dcode.lessons.family import Family, Slot


def made(slots: dict[str, Slot], code: str = "", ask: str = "do it") -> Family:
    return Family("made", "tests", (ask,), code, "assert True\n", slots)


def test_a_seed_says_it_all(families: tuple[Family, ...]) -> None:
    for family in families:
        first, again = (draw(family, Random(7), family.asks) for _ in range(2))
        assert first == again
        others = {draw(family, Random(seed), family.asks).request for seed in range(40)}
        assert len(others) > 20


def test_a_value_is_shared_by_request_code_and_test(families: tuple[Family, ...]) -> None:
    for seed in range(50):
        lesson = draw(families[0], Random(seed), families[0].asks)
        (n,) = re.findall(r"\d+", lesson.request)
        assert f"value + {n} for" in lesson.code
        assert f"[{n}, {int(n) + 1}]" in lesson.test
        assert lesson.values["n"] == int(n)
        assert "$" not in lesson.request + lesson.code + lesson.test


def test_what_a_request_does_not_say_is_settled(families: tuple[Family, ...]) -> None:
    """So that equal requests have equal programs; what is said still varies."""
    family = families[0]
    for ask in (family.asks[0], "nothing is said"):
        drawn = [draw(family, Random(seed), [ask], settled=True) for seed in range(30)]
        programs = {lesson.request: lesson.code for lesson in drawn}
        assert all(programs[lesson.request] == lesson.code for lesson in drawn)
        assert all(lesson.code.startswith("def raise_gauges(gauges)") for lesson in drawn)
        assert (len({lesson.code for lesson in drawn}) > 10) == ("$n" in ask)


def test_a_drawn_program_passes_its_test(families: tuple[Family, ...]) -> None:
    for seed in range(20):
        exec(draw(families[0], Random(seed), families[0].asks).program, {})


def test_dollars_can_be_written() -> None:
    lesson = draw(made({"n": Slot("int", low=1, high=9)}, code="price = f'$$${n}'\n"), Random(0), ["cost in $$"])
    assert lesson.request == "cost in $"
    assert re.fullmatch(r"price = f'\$\d'\n", lesson.code)


def test_slots_differ_from_each_other_and_from_the_program() -> None:
    slots = {"a": Slot("int", low=1, high=3), "b": Slot("int", low=1, high=3), "k": Slot("key")}
    most = " ".join(words()["key"][40:])
    for seed in range(60):
        values = draw(made(slots, code=most), Random(seed), ["x"]).values
        assert values["a"] != values["b"]
        assert values["k"] in words()["key"][:40]


@pytest.mark.parametrize("kind", ["word", "identifier", "key", "person"])
def test_lists_hold_plain_different_words(kind: str) -> None:
    listed = words()[kind]
    assert len(set(listed)) == len(listed) >= 80
    assert all(re.fullmatch("[A-Za-z]+", word) for word in listed)


def test_files_keep_their_suffix() -> None:
    names = {draw(made({"f": Slot("file", text="csv")}), Random(seed), ["x"]).values["f"] for seed in range(60)}
    assert len(names) > 40
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)?\d*\.csv", str(name)) for name in names)


def test_reserved_values_are_kept_or_wanted(families: tuple[Family, ...]) -> None:
    def even(_family: Family, _slot: str, value: object) -> bool:
        return value % 2 == 0 if isinstance(value, int) else False

    family = families[0]
    for seed in range(40):
        assert int(draw(family, Random(seed), family.asks, "train", even).values["n"]) % 2 == 1
        assert int(draw(family, Random(seed), family.asks, "reserved", even).values["n"]) % 2 == 0


@given(st.lists(st.lists(st.sampled_from(["", "a", "b c", "d"]), min_size=2, max_size=4), max_size=4), st.integers())
def test_choosing_leaves_no_brackets_and_single_spaces(groups: list[list[str]], seed: int) -> None:
    ask = "go " + " x ".join(f"[{'|'.join(group)}]" for group in groups) + " on"
    chosen = choose(ask, Random(seed))
    assert not set("[]|") & set(chosen)
    assert chosen == tidy(chosen) == " ".join(chosen.split())
    assert expansions(ask) >= 1
