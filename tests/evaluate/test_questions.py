"""Held-out lessons as questions: drawn evenly by a seed, and passed by what meets the test, whatever its name."""

from dataclasses import replace

import pytest

from dcode.evaluate.lessons import SPLITS, alike, execute, questions
from dcode.lessons.compose import composed
from dcode.lessons.family import read_families
from dcode.lessons.heldout import held_out
from dcode.lessons.stream import Row

FAMILIES = read_families()[::16]
LIST = "def evens(numbers):\n    return [n for n in numbers if n % 2 == 0]\n"
LOOP = "def evens(numbers):\n    for n in numbers:\n        if n % 2 == 0:\n            yield n\n"
TEST = "assert list(evens([1, 2, 4])) == [2, 4]\n"
ROW = Row("evens", "tests", "keep even numbers", LIST, "wording", "", TEST)


@pytest.mark.parametrize("split", SPLITS)
def test_questions_are_those_of_a_seed_and_of_one_split(split: str) -> None:
    families = FAMILIES if split != "composed" else composed()[::8]
    found = questions(split, 12, 3, families)
    assert found and len(found) <= 12
    told = [(one.task_id, one.request, one.old) for one in found]
    assert told == [(one.task_id, one.request, one.old) for one in questions(split, 12, 3, families)]
    assert told != [(one.task_id, one.request, one.old) for one in questions(split, 12, 4, families)]
    assert len({one.task_id for one in found}) == len(found)
    assert {one.group for one in found} == {split}
    assert {bool(one.old) for one in found} == {split in ("edit", "repair")}
    held = held_out(families)
    assert {one.cluster in held for one in found} == {split in ("family", "composed", "edit", "repair")}


def test_only_the_families_of_a_domain_are_asked_for() -> None:
    domains = {family.name: family.domain for family in FAMILIES}
    every = {domains[one.cluster] for one in questions("wording", 60, 0, FAMILIES)}
    assert len(every) > 2
    chosen = min(every)
    assert {domains[one.cluster] for one in questions("wording", 60, 0, FAMILIES, [chosen])} == {chosen}


def test_families_take_turns() -> None:
    found = questions("wording", 30, 0, FAMILIES)
    assert len({one.cluster for one in found[:15]}) == 15


def test_an_answer_passes_by_what_it_does() -> None:
    assert execute(ROW, LIST).passed
    assert execute(ROW, LOOP.replace("evens", "keep")).passed
    assert not execute(ROW, LIST.replace("== 0", "== 1")).passed
    assert not execute(ROW, "").passed


def test_a_change_passes_only_if_it_was_made() -> None:
    hinted = LIST.replace("(numbers)", "(numbers: list[int])")
    row = replace(ROW, split="edit", code=hinted, old=LIST)
    assert not execute(row, LIST).passed
    assert execute(row, hinted).passed
    assert execute(replace(row, split="repair"), LIST).passed


def test_docstrings_may_say_anything_but_must_be_there() -> None:
    one, other = (LIST.replace(":\n", f':\n    """{text}"""\n', 1) for text in ("Keep them.", "Only even ones."))
    assert alike(one, other)
    assert not alike(one, LIST)
    assert not alike("def", LIST)
