"""The evaluation loop with fake fillers, the model's filler with an oracle, and the n-gram filler with a fake."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from dcode.diffusion.plan import Plan
from dcode.evaluate.infill import Fill, evaluate, model_filler, ngram_filler
from dcode.evaluate.report import Row
from dcode.evaluate.tasks import InfillTask
from dcode.syntax.grammar import grammar
from tests.oracle import Oracle, tokenizer


def task(number: int) -> InfillTask:
    return InfillTask(
        f"t{number}",
        f"def add(x):  # {number}\n",
        "    return y\n",
        f"    y = x + {number}\n",
        f"def check(f):\n    assert f(1) == {number + 1}\n",
        "add",
    )


TASKS = [task(number) for number in range(5)]


def perfect(asked: InfillTask) -> Fill:
    return Fill(asked.canonical, "verified", 3, 0.25)


def test_right_and_wrong_fills_are_told_apart() -> None:
    texts = iter(["    y = x\n", "    y = x +\n", "    y = 3\n", "    y = x + 2 \n", "    raise SystemExit\n"])
    report = evaluate(TASKS, lambda asked: Fill(next(texts), "unchecked", 0, 0.0), workers=2)
    assert [row.status for row in report.rows] == ["passed", "failed", "passed", "failed", "failed"]
    assert [row.parses for row in report.rows] == [True, False, True, True, True]
    assert [row.exact for row in report.rows] == [False] * 5
    assert "SyntaxError" in report.rows[1].error


def test_canonical_fills_pass_match_and_parse() -> None:
    report = evaluate(TASKS, perfect)
    assert {name: rate.hits for name, rate in report.rates.items()} == {"pass@1": 5, "exact": 5, "parses": 5}
    assert report.rows[0].forwards == 3


def test_a_stopped_evaluation_goes_on_where_it_was(tmp_path: Path) -> None:
    done = tmp_path / "rows.jsonl"
    asked: list[str] = []

    def tires(wanted: InfillTask) -> Fill:
        asked.append(wanted.task_id)
        if len(asked) == 4:
            raise KeyboardInterrupt
        return perfect(wanted)

    with pytest.raises(KeyboardInterrupt):
        evaluate(TASKS, tires, done=done)
    kept = done.read_text(encoding="utf-8").splitlines()
    assert 2 <= len(kept) <= 3

    seen: list[Row] = []
    report = evaluate(TASKS, tires, done=done, on_row=seen.append)
    assert [row.task_id for row in report.rows] == [wanted.task_id for wanted in TASKS]
    assert [row.task_id for row in seen] == [f"t{number}" for number in range(len(kept), 5)]
    assert evaluate(TASKS, lambda wanted: pytest.fail("asked again"), done=done) == report


@pytest.mark.parametrize("feedback", [True, False])
def test_the_model_fills_the_line_as_users_run_it(feedback: bool) -> None:
    model = Oracle([wanted.canonical.removesuffix("\n").encode() for wanted in TASKS[:2]])
    fill = model_filler(model, Plan(), grammar("python"), feedback)  # type: ignore[arg-type]
    report = evaluate(TASKS[:2], fill)
    assert [row.text for row in report.rows] == [wanted.canonical for wanted in TASKS[:2]]
    assert report.rates["pass@1"].hits == 2
    assert {row.verdict for row in report.rows} == {"verified" if feedback else "unchecked"}
    assert all(row.forwards >= 1 for row in report.rows)


def test_a_random_span_is_filled_where_prefix_and_suffix_meet() -> None:
    asked = replace(task(7), prefix="def add(x):\n    y = é = x +", suffix=" 7\n    return y\n", canonical="")
    fill = model_filler(Oracle([b" 0 +"]), Plan(), None, False, whole_lines=False)  # type: ignore[arg-type]
    assert fill(asked).text == " 0 +"


class Lines:
    """An n-gram model that always has the same ideas."""

    def __init__(self, *texts: str) -> None:
        self.texts = texts

    def lines(self, prefix: Sequence[int], suffix: Sequence[int], newline_id: int, beam: int) -> list[list[int]]:
        assert tokenizer().decode([newline_id]) == b"\n"
        assert tokenizer().decode(prefix) == b"def add(x):  # 1\n"
        assert tokenizer().decode(suffix) == b"    return y\n"
        return [tokenizer().encode(text.encode()) for text in self.texts]


@pytest.mark.parametrize(
    ("texts", "feedback", "text", "verdict"),
    [
        (("    y = (x", "    y = x"), True, "    y = x\n", "verified"),
        (("    y = (x", "    y = x"), False, "    y = (x\n", "unchecked"),
        (("    y = (x", "    y = )x"), True, "    y = (x\n", "failed"),
    ],
)
def test_the_ngram_filler_takes_the_first_line_that_parses(
    texts: tuple[str, ...], feedback: bool, text: str, verdict: str
) -> None:
    answer = ngram_filler(Lines(*texts), tokenizer(), feedback=feedback)(task(1))
    assert (answer.text, answer.verdict, answer.forwards) == (text, verdict, 0)
