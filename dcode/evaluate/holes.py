"""Cut some lines out of each of many files, have the hole filled, and count the files that parse.

Nothing is run, and nothing is known of what the lines were for: whether a fill is right is not asked, only whether the
file still parses, and whose text that is. Who fills is a function; it knows no models.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from statistics import fmean, median

from dcode.evaluate.infill import Fill, Filler
from dcode.evaluate.metrics import Rate, exact_match, parses
from dcode.evaluate.report import Row, percent, read_rows
from dcode.evaluate.tasks import InfillTask, filled

LINES = range(2, 9)
"""How many lines a hole has; the first and the last are not blank."""

DRAWS = 50
"""How often a file is tried before it is left out."""

NOT_RUN = "not run"


def cut(texts: Iterable[tuple[str, str]], rows: int, seed: int) -> Iterator[InfillTask]:
    """So many holes of whole lines, one a file; files that do not parse are left out."""
    draw = random.Random(seed)
    for name, text in texts:
        if rows == 0:
            return
        task = _cut(name, text, draw) if parses(text) else None
        if task is not None:
            rows -= 1
            yield task


def measure(
    tasks: Iterable[InfillTask],
    fill: Filler,
    on_row: Callable[[Row], object] = lambda row: None,
    *,
    done: Path | None = None,
) -> tuple[Row, ...]:
    """A row a task, in order; appended to `done` (JSON lines), whose tasks are not done again: one file a filler."""
    kept = read_rows(done) if done else {}
    rows = []
    for task in tasks:
        row = kept.get(task.task_id) or _filled(task, fill(task))
        if done and task.task_id not in kept:
            with done.open("a", encoding="utf-8") as file:
                file.write(row.line() + "\n")
        rows.append(row)
        on_row(row)
    return tuple(rows)


def _filled(task: InfillTask, answer: Fill) -> Row:
    whole = parses(filled(task, answer.text))
    exact = exact_match(answer.text, task.canonical)
    return Row(task.task_id, answer.text, answer.verdict, NOT_RUN, exact, whole, answer.forwards, answer.seconds)


def rates(rows: Sequence[Row]) -> dict[str, Rate]:
    """Of all files, and of those of each verdict: how many parse."""
    whole, every = Counter(row.verdict for row in rows if row.parses), Counter(row.verdict for row in rows)
    parts = {verdict: Rate(whole[verdict], every[verdict]) for verdict in sorted(every)}
    return {"all": Rate(whole.total(), every.total())} | parts


def table(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """A row a verdict, for whoever draws the table."""
    return [("verdict", "holes", "parse", "forwards", "s / hole"), *(_line(rows, *one) for one in rates(rows).items())]


def figures(rows: Sequence[Row]) -> dict[str, object]:
    """The table as plain values, and how many holes hold what stood there."""
    forwards = round(fmean(row.forwards for row in rows), 2) if rows else 0.0
    found = {verdict: {"holes": rate.total, "parse": rate.hits} for verdict, rate in rates(rows).items()}
    return {"verdicts": found, "exact": sum(row.exact for row in rows), "forwards": forwards}


def _cut(name: str, text: str, draw: random.Random) -> InfillTask | None:
    lines = text.splitlines(keepends=True)
    for _ in range(DRAWS if len(lines) > LINES.start else 0):
        start = draw.randrange(len(lines))
        end = start + draw.choice(LINES)
        if end < len(lines) and lines[start].strip() and lines[end - 1].strip():
            before, there, behind = ("".join(part) for part in (lines[:start], lines[start:end], lines[end:]))
            return InfillTask(f"{name}:{start + 1}-{end}", before, behind, there, test="", entry_point="")
    return None


def _line(rows: Sequence[Row], verdict: str, rate: Rate) -> tuple[str, ...]:
    own = [row for row in rows if verdict in ("all", row.verdict)]
    if not own:
        return (verdict, "0", "-", "-", "-")
    forwards, seconds = fmean(row.forwards for row in own), median(row.seconds for row in own)
    return (verdict, str(rate.total), percent(rate), f"{forwards:.1f}", f"{seconds:.2f}")
