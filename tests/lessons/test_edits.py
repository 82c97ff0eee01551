"""Changes and repairs: what each makes of a small program, and that what is held out does not teach."""

import ast
from dataclasses import replace
from random import Random

import pytest

from dcode.lessons.breakages import BREAKAGES, broken
from dcode.lessons.check_edits import check_edits
from dcode.lessons.edits import draw_edit, draw_repair
from dcode.lessons.expand import Lesson
from dcode.lessons.family import Family, read_families
from dcode.lessons.rewrites import REWRITES, rewritten

LOOP = """def evens(numbers):
    result = []
    for n in numbers:
        if n % 2 == 0:
            result.append(n)
    return result
"""
LIST = "def evens(numbers):\n    return [n for n in numbers if n % 2 == 0]\n"
GREET = 'def greet(name):\n    return f"hello {name}"\n'
SIGN = "def sign(n):\n    if n < 0:\n        return -1\n    return 1\n"
HALF = "def half(n):\n    return n / 2.5\n"
FAMILIES = read_families()

WORDS = {
    "types": {"str": "name text", "int": "n", "list[int]": "numbers"},
    "names": {"rename": "value", "parameter": "limit"},
    "errors": [{"pattern": " / ", "error": "ZeroDivisionError", "case": ["it divides by zero"]}],
}

CHANGES = [
    ("add_hints", LIST, LIST, LIST.replace("(numbers)", "(numbers: list[int]) -> list")),
    ("drop_hints", GREET, GREET.replace("(name)", "(name: str) -> str"), GREET),
    ("add_docstring", SIGN, SIGN, SIGN.replace("(n):\n", '(n):\n    """Find the sign of n."""\n')),
    ("drop_docstring", SIGN, SIGN.replace("(n):\n", '(n):\n    """Find the sign of n."""\n'), SIGN),
    ("add_parameter", HALF, HALF, "def half(n, limit=2.5):\n    return n / limit\n"),
    (
        "refuse_none",
        GREET,
        GREET,
        GREET.replace("name):\n", 'name):\n    if name is None:\n        raise ValueError("name is None")\n'),
    ),
    ("to_loop", LIST, LIST, LOOP),
    ("to_comprehension", LIST, LOOP, LIST),
    ("to_print", GREET, GREET, GREET.replace('return f"hello {name}"', 'print(f"hello {name}")')),
    ("to_return", GREET, GREET.replace('return f"hello {name}"', 'print(f"hello {name}")'), GREET),
    ("to_fstring", GREET, GREET.replace('f"hello {name}"', '"hello {}".format(name)'), GREET),
    ("early_return", SIGN, SIGN.replace("    return 1\n", "    else:\n        return 1\n"), SIGN),
    (
        "handle_error",
        HALF,
        HALF,
        "def half(n):\n    try:\n        return n / 2.5\n    except ZeroDivisionError:\n        return None\n",
    ),
]


def lesson(code: str, test: str = "") -> Lesson:
    family = Family("sample", "tests", ("find the sign of n",), code, test)
    return Lesson(family, "find the sign of n", code, test)


def named(*wanted: str) -> list[Family]:
    return [family for family in FAMILIES if family.name in wanted]


@pytest.mark.parametrize(("name", "code", "old", "new"), CHANGES)
def test_a_change_makes_of_one_program_the_other(name: str, code: str, old: str, new: str) -> None:
    change = rewritten(name, lesson(code), WORDS, Random(0))
    assert change is not None
    assert (change.old, change.new) == (old, new)


def test_every_change_has_an_example_or_a_test_of_its_own() -> None:
    assert set(REWRITES) == {name for name, *_ in CHANGES} | {"rename", "value"}


def test_a_new_name_reaches_the_test_only_where_the_test_means_it() -> None:
    code = "def day_of(date):\n    return date.day\n"
    test = (
        "from datetime import date\nassert day_of(date(2024, 1, 5)) == 5\nassert day_of(date=date(2024, 1, 6)) == 6\n"
    )
    found = {}
    for seed in range(8):
        change = rewritten("rename", lesson(code, test), WORDS, Random(seed))
        assert change is not None
        found[change.values["old"]] = change
    assert found["day_of"].test == test.replace("day_of", "value")
    assert found["date"].new == "def day_of(value):\n    return value.day\n"
    assert found["date"].test == test.replace("(date=", "(value=")


def test_what_a_change_does_not_fit_is_left_alone() -> None:
    two = "def two(items):\n    return items[:1], items[1:]\n"
    assert rewritten("to_print", lesson(two), WORDS, Random(0)) is None
    assert all(rewritten(name, lesson(GREET + SIGN), WORDS, Random(0)) is None for name in REWRITES)
    assert rewritten("add_hints", lesson(GREET.replace("name", "odd")), WORDS, Random(0)) is None


@pytest.mark.parametrize("name", BREAKAGES)
def test_every_mistake_occurs_and_changes_one_place(name: str) -> None:
    code = "import math\n\n\n" + LOOP.replace("n % 2 == 0", "n % 2 == 0 and math.sqrt(n) != 3") + 'print("done")\n'
    found = {broken(name, code, Random(seed)) for seed in range(8)} - {None}
    assert found
    for text in found:
        lines = [pair for pair in zip(code.split("\n"), str(text).split("\n"), strict=False) if pair[0] != pair[1]]
        assert lines and (name == "no_import" or len(lines) == 1)


def test_held_out_wordings_do_not_teach_and_a_seed_says_it_all() -> None:
    families = [family for family in FAMILIES if family.kind == "function"][::40]
    drawn = {
        held: [
            make(family, Random(f"{family.name}"), held=held)
            for family in families
            for make in (draw_edit, draw_repair)
        ]
        for held in (False, True)
    }
    again = [
        make(family, Random(f"{family.name}"), held=True) for family in families for make in (draw_edit, draw_repair)
    ]
    assert again == drawn[True]
    taught, kept = ({edit.request for edit in group if edit} for group in drawn.values())
    assert taught and kept and not taught & kept
    for edit in (edit for group in drawn.values() for edit in group if edit):
        assert edit.old != edit.new
        ast.parse(edit.new)


def test_changes_are_executed_and_one_that_breaks_a_program_is_told() -> None:
    (family,) = named("greatest_value")
    assert check_edits([family]) == ()
    wrong = replace(family, test="assert False\n")
    failures = check_edits([wrong])
    assert failures
    assert {failure.family for failure in failures} == {family.name}
    assert "after" in failures[0].what
