"""Attempts: who wrote what, what passed, what is kept, and how it is told; the model's own writer with an oracle."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from dcode.diffusion.plan import Plan
from dcode.evaluate.infill import Fill, model_filler
from dcode.evaluate.passes import Attempt, Passes, Question, Writer, hole_writer, measure, model_writer, table
from dcode.lessons.sandbox import Outcome
from dcode.syntax.grammar import grammar
from tests.oracle import Oracle

PLAN = Plan()


def judged(answer: str) -> Outcome:
    return Outcome("passed" if "right" in answer else "failed", "", "Traceback\nAssertionError: wrong\n", 0.0)


def question(number: int, group: str = "g", old: str = "") -> Question:
    return Question(f"{group}/{number}", f"ask {number}", group, f"c{number % 2}", judged, old)


QUESTIONS = [question(number) for number in range(4)] + [question(9, "other")]


def writer(asked: Question, sample: int) -> Fill:
    """Right for the even questions, and for every second sample of the others."""
    right = int(asked.task_id[-1]) % 2 == 0 or sample == 1
    return Fill("right\n" if right else "wrong(\n", "verified", 3, 0.5)


def make() -> Writer:
    return writer


def attempt(group: str, task: str, passed: bool, cluster: str = "c", verdict: str = "verified") -> Attempt:
    return Attempt("r", task, group, cluster, 0, "x", "", verdict, "passed" if passed else "failed", 1, 0.1, "")


def test_attempts_come_in_order_and_say_how_they_ended() -> None:
    found = measure(QUESTIONS, make, "run", samples=2)
    assert [(one.task_id, one.sample) for one in found] == [(q.task_id, s) for q in QUESTIONS for s in (0, 1)]
    assert [one.passed for one in found[:4]] == [True, True, False, True]
    assert (found[2].error, found[2].status, found[2].forwards) == ("AssertionError: wrong", "failed", 3)


def test_what_is_kept_is_not_done_again_unless_something_changed(tmp_path: Path) -> None:
    keep, asked = tmp_path / "k.jsonl", []

    def counted(limit: int) -> Callable[[], Writer]:
        def write(one: Question, sample: int) -> Fill:
            if len(asked) == limit:
                raise KeyboardInterrupt
            asked.append(one.task_id)
            return writer(one, sample)

        return lambda: write

    with pytest.raises(KeyboardInterrupt):
        measure(QUESTIONS, counted(3), "one", keep=keep)
    with keep.open("a", encoding="utf-8") as file:
        file.write('{"run": "one", "task')
    found = measure(QUESTIONS, counted(99), "one", keep=keep)
    assert asked == [one.task_id for one in QUESTIONS]
    assert found == measure(QUESTIONS, counted(5), "one", keep=keep)
    measure(QUESTIONS, counted(99), "another model", keep=keep)
    assert len(asked) == 2 * len(QUESTIONS)


def test_chances_are_unbiased_and_intervals_follow_clusters() -> None:
    found = Passes(measure(QUESTIONS, make, "run", samples=2))
    assert [chance for _, chance in found.chances] == [1.0, 0.5, 1.0, 0.5, 0.5]
    assert Passes(found.attempts, k=2).rate == 1.0
    together = [attempt("g", f"t{number}", number < 8, "ab"[number // 8]) for number in range(16)]
    apart = [attempt("g", f"t{number}", number < 8, str(number)) for number in range(16)]
    low, high = Passes(tuple(together)).interval
    assert (low, high) == (0.0, 1.0)
    assert Passes(tuple(apart)).interval[0] > 0.1
    low, high = Passes((attempt("g", "t", True),)).interval
    assert low < 0.3 and high == pytest.approx(1.0)


def test_a_fallback_passes_nothing() -> None:
    assert not attempt("g", "t", True, verdict="fallback").passed
    assert not attempt("g", "t", True, verdict="failed").passed


def test_rates_by_how_sure_the_model_was() -> None:
    sures = ((0.99, True), (0.98, False), (0.979, True), (0.2, False))
    passes = Passes(tuple(replace(attempt("g", f"{sure}", right), sure=sure) for sure, right in sures))
    assert {name: (rate.hits, rate.total) for name, rate in passes.by_sureness.items()} == {
        "98 % sure": (1, 2),
        "95 % sure": (1, 1),
        "less sure": (0, 1),
    }
    assert [row[:2] for row in table({"m": passes})[-3:]] == [
        ("  98 % sure", "2"),
        ("  95 % sure", "1"),
        ("  less sure", "1"),
    ]


def test_the_table_fits_a_terminal() -> None:
    passed = tuple(attempt(group, f"{number}", True) for group in ("composed", "wording") for number in range(200))
    rows = table({"mini": Passes(passed), "left to right": Passes(passed)})
    assert [row[0] for row in rows] == [
        "",
        "mini",
        "  composed",
        "  wording",
        "  less sure",
        "left to right",
        "  composed",
        "  wording",
        "  less sure",
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    assert sum(widths) + 2 * (len(widths) - 1) <= 80
    assert rows[2][1:5] == ("200", "100.0 % (98.1-100.0)", "100.0 %", "100.0 %")


def test_the_model_writes_programs_and_changes_them() -> None:
    write = partial(model_writer, plan=PLAN, change_plan=PLAN, grammar=grammar("python"), feedback=True)
    asked = question(0)
    assert write(Oracle([b"x = 1\n"]))(asked, 0).text == "x = 1\n"
    changed = write(Oracle([b"y = 2"]))(question(1, old="x = 2\n"), 0)
    assert (changed.text, changed.verdict) == ("y = 2\n", "verified")


def test_a_body_is_filled_behind_its_head() -> None:
    asked = Question("t", "def double(x):\n    '''Twice x.'''\n", "infill", "t", judged)
    fill = model_filler(Oracle([b"    return 2 * x"]), PLAN, grammar("python"), True)  # type: ignore[arg-type]
    answer = hole_writer(fill)(asked, 0)
    assert (answer.text, answer.verdict) == ("    return 2 * x\n", "verified")
