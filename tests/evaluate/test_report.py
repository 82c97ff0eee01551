"""Figures drawn from rows, and rows that survive being written, cut and read."""

import json
from pathlib import Path

import pytest

from dcode.errors import InputError
from dcode.evaluate.report import Report, Row, read_rows, table

RIGHT = Row("a", "x\n", "verified", "passed", True, True, 4, 0.5)
WRONG = Row("b", "é\u2028", "verified", "failed", False, False, 8, 1.5, "AssertionError")
SPARE = Row("c", "pass\n", "fallback", "passed", False, True, 12, 1.0)
REPORT = Report((RIGHT, WRONG, SPARE))


def test_a_fallback_is_not_a_result() -> None:
    assert [row.passed for row in REPORT.rows] == [True, False, False]
    assert {name: rate.hits for name, rate in REPORT.rates.items()} == {"pass@1": 1, "exact": 1, "parses": 2}
    assert {name: (rate.hits, rate.total) for name, rate in REPORT.verdicts.items()} == {
        "fallback": (1, 1),
        "verified": (1, 2),
    }


def test_json_holds_rates_intervals_and_costs() -> None:
    found = json.loads(json.dumps(REPORT.to_json()))
    assert found["tasks"] == 3
    assert found["pass@1"]["hits"] == 1
    assert found["pass@1"]["low"] < found["pass@1"]["rate"] < found["pass@1"]["high"]
    assert found["statuses"] == {"failed": 1, "passed": 2}
    assert (found["forwards"]["mean"], found["forwards"]["median"], found["seconds"]["total"]) == (8, 8, 3)


def test_a_table_has_a_column_a_report_even_for_nothing() -> None:
    rows = {name: (full, empty) for name, full, empty in table({"full": REPORT, "empty": Report(())})}
    assert rows[""] == ("full", "empty")
    assert rows["tasks"] == ("3", "0")
    assert rows["pass@1"][0].startswith("33.3 % (")
    assert (rows["fallback"], rows["verified"]) == (("1", "0"), ("2", "0"))
    assert (rows["forwards"], rows["s / task"]) == (("8.0", "-"), ("1.00", "-"))
    Report(()).to_json()


def test_rows_are_read_as_written(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    assert read_rows(path) == {}
    path.write_text("".join(row.line() + "\n" for row in REPORT.rows), encoding="utf-8")
    assert tuple(read_rows(path).values()) == REPORT.rows


def test_a_line_cut_short_is_dropped_so_that_the_next_can_follow(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(RIGHT.line() + "\n" + WRONG.line()[:20], encoding="utf-8")
    assert list(read_rows(path)) == ["a"]
    assert path.read_text(encoding="utf-8") == RIGHT.line() + "\n"


@pytest.mark.parametrize("line", ["{", "[]", '{"task_id": "x"}', RIGHT.line().replace("0.5", '"0.5"')])
def test_a_strange_line_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(RIGHT.line() + "\n" + line + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"rows\.jsonl:2"):
        read_rows(path)
