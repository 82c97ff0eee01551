"""Cut some lines out of each of many files, have the hole filled, and count the files that parse.

Nothing is run, and nothing is known of what the lines were for: whether a fill is right is not asked, only whether the
file still parses, and whose text that is. Who fills is a function; it knows no models.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from statistics import fmean, median

from dcode.evaluate.infill import Fill, Filler
from dcode.evaluate.metrics import Rate, exact_match, parses
from dcode.evaluate.report import Row, percent, read_rows
from dcode.evaluate.sources import Fetch, Place, view_of
from dcode.evaluate.tasks import InfillTask, filled

LINES = range(2, 9)
"""How many lines a hole has; the first and the last are not blank."""

DRAWS = 50
"""How often a file is tried before it is left out."""

CHOSEN = ("line", "block")
"""The groups of listed holes."""

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


def listed(places: Iterable[Place], fetch: Fetch) -> list[InfillTask]:
    """The holes of the list on which settings are chosen, of one line and of more."""
    return [_listed(place, fetch) for place in places if place.group in CHOSEN]


def parts(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """All rows, those of listed holes of one line and of more, and those of each verdict."""
    found = {"all": [*rows]}
    kinds = {name: [row for row in rows if row.task_id.startswith(f"{name} ")] for name in CHOSEN}
    found |= {name: own for name, own in kinds.items() if own}
    return found | {
        name: [row for row in rows if row.verdict == name] for name in sorted({row.verdict for row in rows})
    }


def table(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """A row a part, for whoever draws the table."""
    head = ("", "holes", "parse", "exact", "forwards", "s / hole")
    return [head, *(_line(name, own) for name, own in parts(rows).items())]


def figures(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """The table as plain values; "exact": holes that hold what stood there."""
    return {
        name: {
            "holes": len(own),
            "parse": sum(row.parses for row in own),
            "exact": sum(row.exact for row in own),
            "forwards": round(fmean(row.forwards for row in own), 2) if own else 0.0,
        }
        for name, own in parts(rows).items()
    }


def _listed(place: Place, fetch: Fetch) -> InfillTask:
    lines = view_of(place, fetch).decode().splitlines(keepends=True)
    before, there, behind = (
        "".join(part) for part in (lines[: place.first - 1], lines[place.first - 1 : place.last], lines[place.last :])
    )
    return InfillTask(place.task_id, before, behind, there, test="", entry_point="")


def _cut(name: str, text: str, draw: random.Random) -> InfillTask | None:
    lines = text.splitlines(keepends=True)
    for _ in range(DRAWS if len(lines) > LINES.start else 0):
        start = draw.randrange(len(lines))
        end = start + draw.choice(LINES)
        if end < len(lines) and lines[start].strip() and lines[end - 1].strip():
            before, there, behind = ("".join(part) for part in (lines[:start], lines[start:end], lines[end:]))
            return InfillTask(f"{name}:{start + 1}-{end}", before, behind, there, test="", entry_point="")
    return None


def _line(name: str, rows: Sequence[Row]) -> tuple[str, ...]:
    if not rows:
        return (name, "0", *["-"] * 4)
    shares = (
        percent(Rate(sum(hits), len(rows))) for hits in zip(*((row.parses, row.exact) for row in rows), strict=True)
    )
    costs = (f"{fmean(row.forwards for row in rows):.1f}", f"{median(row.seconds for row in rows):.2f}")
    return (name, str(len(rows)), *shares, *costs)
