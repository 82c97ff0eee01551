"""Families made of parts: they fit together, hold the form of written ones, and pass their tests."""

from random import Random

from dcode.lessons.breadth import breadth
from dcode.lessons.check import LEAST_ASKS, execute, static
from dcode.lessons.compose import DOMAIN, composed, every_family
from dcode.lessons.expand import draw
from dcode.lessons.family import Family
from dcode.lessons.overlap import Overlap

FAMILIES = composed()


def told(family: Family) -> list[str]:
    return [f"{failure.family}: {failure.what} {failure.detail}" for failure in static(family, Overlap.read())]


def test_chains_have_names_of_their_own_and_ask_in_many_ways() -> None:
    assert len({family.name for family in every_family()}) == len(every_family())
    assert all(len(set(family.asks)) >= LEAST_ASKS for family in FAMILIES)
    assert {family.domain for family in FAMILIES} == {DOMAIN}


def test_every_chain_can_be_drawn_and_is_python() -> None:
    for family in FAMILIES:
        lesson = draw(family, Random(family.name), family.asks)
        compile(lesson.program, family.name, "exec")
        assert "$" not in lesson.request + lesson.program


def test_a_column_that_was_dropped_is_not_asked_for() -> None:
    names = {family.name for family in FAMILIES}
    assert "csv_only_summed" in names
    assert "csv_only_counted_by" not in names


def test_steps_about_one_thing_do_not_meet() -> None:
    names = {family.name for family in FAMILIES}
    assert any("_over_sorted_" in name for name in names)
    assert not [name for name in names if "_over_under_" in name or "_containing_without_" in name]


def test_a_seeded_few_have_the_form_and_pass_their_tests() -> None:
    chosen = Random(5).sample(FAMILIES, 4)
    assert [line for family in chosen for line in told(family)] == []
    failures = [failure for family in chosen for failure in execute(family, draws=1, seed=5)]
    assert not failures, failures


def test_breadth_counts_each_family_once() -> None:
    table = breadth(every_family())
    *domains, every = table
    assert every.domain == "all"
    for count in ("families", "held_out", "phrasings", "expansions"):
        assert sum(getattr(row, count) for row in domains) == getattr(every, count)
    assert every.families == len(every_family())
    assert every.idioms <= every.families
