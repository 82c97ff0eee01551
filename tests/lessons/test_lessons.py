"""The families of this repository: all read and examined, a seeded few executed, all of them when asked (`-m slow`)."""

from dataclasses import replace
from random import Random

import pytest

from dcode.lessons.check import Failure, check, execute, hollowed, missing, static
from dcode.lessons.clash import clashes
from dcode.lessons.family import Family, read_families
from dcode.lessons.overlap import Overlap

FAMILIES = read_families()
RUNNABLE = [family for family in FAMILIES if not missing(family)]


def told(failures: list[Failure]) -> str:
    return "\n".join(f"{each.domain}.toml [{each.family}] {each.what}: {each.detail}" for each in failures)


def test_every_family_has_the_form() -> None:
    overlap = Overlap.read()
    failures = [failure for family in FAMILIES for failure in static(family, overlap)]
    assert not failures, told(failures)


def test_no_family_gets_in_the_way_of_another() -> None:
    found = [f"[{one.name}] {what} [{other.name}]: {detail}" for one, other, what, detail in clashes(FAMILIES)]
    assert not found, "\n".join(found)


def test_families_tie_themselves_to_families_that_exist() -> None:
    names = {family.name for family in FAMILIES}
    assert {other for family in FAMILIES for other in family.same} <= names


def test_a_seeded_few_pass_their_tests() -> None:
    chosen = Random(3).sample(RUNNABLE, min(6, len(RUNNABLE)))
    failures = [failure for family in chosen for failure in execute(family, draws=1, seed=3)]
    assert not failures, told(failures)


@pytest.mark.slow
def test_all_pass_their_tests() -> None:
    report = check(FAMILIES, draws=4, seed=1, workers=2)
    assert report.executed >= 4 * len(RUNNABLE)
    assert not report.failures, told(list(report.failures))


def whats(family: Family) -> str:
    return " · ".join(failure.what for failure in static(family, Overlap.read()))


def test_the_examination_finds_what_is_wrong(families: tuple[Family, ...]) -> None:
    family = families[0]
    assert "different phrasings" in whats(family)
    asks = (
        *family.asks,
        *(f"gauges {word} by $n" for word in ("up", "down", "left", "right", "over", "under", "far", "near")),
    )
    whole = replace(family, asks=(*asks, "bump $n", "$n more"))
    assert whats(whole) == ""
    assert "like a demonstration" in whats(replace(whole, asks=(*asks, "bubble sort $n", "$n more")))
    assert "never uses its slot n" in whats(
        replace(whole, asks=("x",) * 30, code="", test="assert 1", slots=whole.slots)
    )
    assert "no Python in its code" in whats(replace(whole, code="def $fn(:\n"))
    clash = replace(
        whole, code="def $fn($arg):\n    readings = [1]\n    return [value + $n for value in $arg] or readings\n"
    )
    assert "may draw 'readings' for its slot arg" in whats(clash)
    assert "asserts nothing" in whats(replace(whole, test="print($n)\n"))


def test_execution_finds_wrong_programs_and_idle_tests(families: tuple[Family, ...]) -> None:
    family = families[0]
    assert not list(execute(family, draws=1, seed=0))
    (failure,) = execute(replace(family, code=family.code.replace("+", "-")), draws=1, seed=0)
    assert failure.what == "failed its own test"
    assert "AssertionError" in failure.detail
    (failure,) = execute(replace(family, test="assert $fn\n"), draws=1, seed=0)
    assert "does nothing" in failure.what


def test_hollow_programs_keep_their_names() -> None:
    code = "import os\n\n\nclass A:\n    def f(self):\n        return 1\n\n\ndef g(x):\n    return x\n\n\nprint(g(1))\n"
    space: dict[str, object] = {}
    exec(hollowed(code), space)
    assert {"os", "A", "g"} <= space.keys()
    assert "print" not in hollowed(code)


def test_clashes_are_found_unless_declared(families: tuple[Family, ...]) -> None:
    one = families[0]
    twin = replace(one, name="twin", asks=("something else by $n",))
    assert [what for _, _, what, _ in clashes([one, twin])] == ["has the program of"]
    asker = replace(families[1], name="asker", slots=one.slots | families[1].slots, asks=(one.asks[-1],))
    assert [what for _, _, what, _ in clashes([one, asker])] == ["asks as asks"]
    assert not list(clashes([one, replace(twin, same=(one.name,))]))
