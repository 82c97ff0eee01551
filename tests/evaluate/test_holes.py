"""Holes cut from files: whole lines, one a file, the same for the same seed; and what is counted of them."""

from pathlib import Path

from dcode.evaluate.holes import LINES, NOT_RUN, cut, figures, measure, rates, table
from dcode.evaluate.infill import Fill
from dcode.evaluate.tasks import InfillTask

TEXT = "".join(f"def f{n}(a):\n    b = a + {n}\n\n    return b\n" for n in range(9))
FILES = [("one.py", TEXT), ("broken.py", "def (:\n" * 9), ("short.py", "x = 1\n"), ("two.py", TEXT), ("three.py", TEXT)]


def test_holes_are_whole_lines_of_files_that_parse() -> None:
    tasks = list(cut(FILES, 2, 0))
    assert [task.task_id.partition(":")[0] for task in tasks] == ["one.py", "two.py"]
    for task in tasks:
        assert task.prefix + task.canonical + task.suffix == TEXT
        lines = task.canonical.splitlines()
        assert len(lines) in LINES and lines[0].strip() and lines[-1].strip()
        assert task.prefix.endswith("\n") or not task.prefix
    assert tasks == list(cut(FILES, 2, 0)) != list(cut(FILES, 2, 1))


def test_what_parses_is_counted_by_verdict() -> None:
    def fill(task: InfillTask) -> Fill:
        first = task.task_id.startswith("one")
        return Fill(task.canonical if first else "(\n", "verified" if first else "uncertified", 4, 0.5)

    rows = measure(cut(FILES, 9, 0), fill)
    assert [row.status for row in rows] == [NOT_RUN] * 3 and not any(row.passed for row in rows)
    assert {name: (rate.hits, rate.total) for name, rate in rates(rows).items()} == {
        "all": (1, 3),
        "uncertified": (0, 2),
        "verified": (1, 1),
    }
    assert [row[:2] for row in table(rows)] == [
        ("verdict", "holes"),
        ("all", "3"),
        ("uncertified", "2"),
        ("verified", "1"),
    ]
    assert figures(rows)["exact"] == 1 and figures(rows)["forwards"] == 4
    assert table(())[1:] == [("all", "0", "-", "-", "-")]


def test_what_was_kept_is_not_filled_again(tmp_path: Path) -> None:
    kept, asked = tmp_path / "kept", list[str]()

    def fill(task: InfillTask) -> Fill:
        asked.append(task.task_id)
        return Fill(task.canonical, "verified", 4, 0.5)

    first = measure(cut(FILES, 2, 0), fill, done=kept)
    every = measure(cut(FILES, 9, 0), fill, done=kept)
    assert every[:2] == first and len(asked) == len(set(asked)) == len(every) == 3
