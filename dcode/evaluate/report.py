"""What an evaluation found: rows, the figures drawn from them, and rows of text for a table.

It knows neither models nor tasks nor terminals. Rows are kept as JSON lines, which let a run resume.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from statistics import fmean, median
from typing import TypeVar, get_type_hints

from dcode.errors import InputError
from dcode.evaluate.metrics import Rate, bootstrap

T = TypeVar("T")

NO_ANSWER = frozenset({"fallback", "failed"})
"""Verdicts under which nothing of the model's own would be written: such a row cannot pass."""


@dataclass(frozen=True, slots=True)
class Row:
    """One task: the text given, its verdict, how the program ended (`status`), and the cost.

    `error` is the last line that the program complained with.
    """

    task_id: str
    text: str
    verdict: str
    status: str
    exact: bool
    parses: bool
    forwards: int
    seconds: float
    error: str = ""

    @property
    def passed(self) -> bool:
        """Whether the program ran to its end with the answerer's own text; a fallback is not a result."""
        return self.status == "passed" and self.verdict not in NO_ANSWER

    def line(self) -> str:
        """The row as one line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)


@dataclass(frozen=True)
class Report:
    """All rows of one evaluation, in task order."""

    rows: tuple[Row, ...]

    @cached_property
    def rates(self) -> dict[str, Rate]:
        """pass@1, exact match and parse rate over all rows."""
        return {
            "pass@1": Rate(sum(row.passed for row in self.rows), len(self.rows)),
            "exact": Rate(sum(row.exact for row in self.rows), len(self.rows)),
            "parses": Rate(sum(row.parses for row in self.rows), len(self.rows)),
        }

    @cached_property
    def verdicts(self) -> dict[str, Rate]:
        """For every verdict, how many of its programs ran to their end; fallbacks are counted here alone."""
        total = Counter(row.verdict for row in self.rows)
        ended = Counter(row.verdict for row in self.rows if row.status == "passed")
        return {verdict: Rate(ended[verdict], total[verdict]) for verdict in sorted(total)}

    def to_json(self) -> dict[str, object]:
        """Plain values for `json.dumps`, rows left out: they lie in their own file."""
        forwards = [float(row.forwards) for row in self.rows]
        seconds = [row.seconds for row in self.rows]
        return {
            "tasks": len(self.rows),
            **{name: _rate(rate) for name, rate in self.rates.items()},
            "verdicts": {name: {"tasks": rate.total, "ran": rate.hits} for name, rate in self.verdicts.items()},
            "statuses": dict(sorted(Counter(row.status for row in self.rows).items())),
            "forwards": _spread(forwards),
            "seconds": _spread(seconds) | {"total": round(sum(seconds), 3)},
        }


def read_rows(path: Path) -> dict[str, Row]:
    """Rows written so far, by task; none if there is no file."""
    return {row.task_id: row for row in read_kept(path, Row)}


def read_kept(path: Path, kind: type[T]) -> list[T]:
    """What was kept so far, one dataclass of plain values a line; a last line cut short by a crash is removed."""
    if not path.exists():
        return []
    whole, newline, cut = path.read_text(encoding="utf-8").rpartition("\n")
    if cut:
        path.write_text(whole + newline, encoding="utf-8")
    return [_kept(line, f"{path}:{number}", kind) for number, line in enumerate(whole.split("\n"), 1) if line]


def table(reports: Mapping[str, Report]) -> list[tuple[str, ...]]:
    """A column a report and a row a figure, for whoever draws the table."""
    verdicts = sorted({name for report in reports.values() for name in report.verdicts})
    head = ("", "tasks", "pass@1", "exact", "parses", *verdicts, "forwards", "s / task")
    columns = [head, *((name, *_cells(report, verdicts)) for name, report in reports.items())]
    return list(zip(*columns, strict=True))


def percent(rate: Rate) -> str:
    """A rate for people: `12.0 % (8.8-16.2)`, the bounds of the 95 % interval in brackets."""
    low, high = rate.interval
    return f"{100 * rate.value:.1f} % ({100 * low:.1f}-{100 * high:.1f})"


def _cells(report: Report, verdicts: Sequence[str]) -> tuple[str, ...]:
    rates = tuple(percent(rate) for rate in report.rates.values())
    counts = Counter(row.verdict for row in report.rows)
    forwards = f"{fmean(row.forwards for row in report.rows):.1f}" if report.rows else "-"
    seconds = f"{median(row.seconds for row in report.rows):.2f}" if report.rows else "-"
    return (str(len(report.rows)), *rates, *(str(counts[name]) for name in verdicts), forwards, seconds)


def _rate(rate: Rate) -> dict[str, object]:
    low, high = rate.interval
    return {"hits": rate.hits, "rate": round(rate.value, 4), "low": round(low, 4), "high": round(high, 4)}


def _spread(values: list[float]) -> dict[str, float]:
    if not values:
        return {}
    low, high = bootstrap(values)
    figures = {"mean": fmean(values), "low": low, "high": high, "median": median(values)}
    return {name: round(value, 3) for name, value in figures.items()}


def _kept(line: str, where: str, kind: type[T]) -> T:
    hint = "delete the file to start the evaluation anew"
    try:
        values = json.loads(line)
        row = kind(**values)
    except (ValueError, TypeError) as error:
        raise InputError(f"{where} is not a row of an evaluation: {error}", hint=hint) from None
    for name, wanted in get_type_hints(kind).items():
        if not isinstance(getattr(row, name), int | float if wanted is float else wanted):
            raise InputError(f"{where} has no {wanted.__name__} in {name!r}", hint=hint)
    return row
