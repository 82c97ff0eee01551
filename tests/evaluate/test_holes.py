"""Holes cut from files: whole lines, one a file, the same for the same seed; and what is counted of them."""

from pathlib import Path

from dcode.evaluate.holes import LINES, NOT_RUN, cut, figures, listed, measure, table
from dcode.evaluate.infill import Fill
from dcode.evaluate.sources import Place
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
    found = {name: (one["parse"], one["holes"], one["exact"]) for name, one in figures(rows).items()}
    assert found == {"all": (1, 3, 1), "uncertified": (0, 2, 0), "verified": (1, 1, 1)}
    assert figures(rows)["all"]["forwards"] == 4
    assert [row[:2] for row in table(rows)] == [("", "holes"), ("all", "3"), ("uncertified", "2"), ("verified", "1")]
    assert table(())[1:] == [("all", "0", "-", "-", "-", "-")]


def test_listed_holes_are_cut_where_the_list_says_and_counted_apart(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(TEXT, encoding="utf-8")
    places = [
        Place(group, "python", "p", "a.py", "", 2, last) for group, last in (("line", 2), ("block", 4), ("body", 4))
    ]
    tasks = listed(places, lambda package: tmp_path)
    assert [task.canonical for task in tasks] == ["    b = a + 0\n", "    b = a + 0\n\n    return b\n"]
    assert all(task.prefix + task.canonical + task.suffix == TEXT for task in tasks)
    rows = measure(tasks, lambda task: Fill("    b = a + 0\n", "verified", 1, 0.5))
    assert {name: (one["holes"], one["exact"]) for name, one in figures(rows).items()} == {
        "all": (2, 1),
        "line": (1, 1),
        "block": (1, 0),
        "verified": (2, 1),
    }


def test_what_was_kept_is_not_filled_again(tmp_path: Path) -> None:
    kept, asked = tmp_path / "kept", list[str]()

    def fill(task: InfillTask) -> Fill:
        asked.append(task.task_id)
        return Fill(task.canonical, "verified", 4, 0.5)

    first = measure(cut(FILES, 2, 0), fill, done=kept)
    every = measure(cut(FILES, 9, 0), fill, done=kept)
    assert every[:2] == first and len(asked) == len(set(asked)) == len(every) == 3
