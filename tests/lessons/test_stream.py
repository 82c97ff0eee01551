"""The rows: what is held out or forbidden does not teach, and one seed writes one file."""

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from dcode.errors import InputError
from dcode.lessons.family import Family
from dcode.lessons.heldout import held_out, reserved, splits
from dcode.lessons.overlap import Overlap, seal
from dcode.lessons.pattern import pattern
from dcode.lessons.skeleton import skeleton
from dcode.lessons.stream import Counts, Row, rows, write
from dcode.lessons.whole import whole

NOTHING = Overlap.of(seal([], []))


def drawn(families: tuple[Family, ...], overlap: Overlap = NOTHING) -> tuple[list[Row], Counts]:
    """The rows that ask for a program; those that change one are test_edits' business."""
    counts = Counts()
    return [row for row in rows(families, 200, 0, counts, overlap) if not row.old], counts


def taught(found: list[Row]) -> list[Row]:
    return [row for row in found if row.split == "train"]


def named(family: Family, held: bool) -> Family:
    """The family under a name that is held out, or is not."""
    names = (f"{family.name}_{number}" for number in range(1000))
    return next(new for name in names if bool(held_out([new := replace(family, name=name)])) == held)


def test_a_seed_writes_one_file(families: tuple[Family, ...], tmp_path: Path) -> None:
    counts = [write(tmp_path / name, 50, seed, families) for name, seed in (("a", 1), ("b", 1), ("c", 2))]
    texts = [(tmp_path / name / "lessons.jsonl").read_bytes() for name in "abc"]
    assert texts[0] == texts[1] != texts[2]
    read = [json.loads(line) for line in texts[0].splitlines()]
    assert Counter(row["split"] for row in read) == counts[0].rows
    for row in read:
        assert ({"setup", "test"} & set(row) == set()) == (row["split"] == "train")


def test_splits_keep_apart(families: tuple[Family, ...]) -> None:
    family = named(families[0], held=False)
    found, _ = drawn((family,))
    parts = splits(family)
    asked: dict[str, set[str]] = {}
    for row in found:
        asked.setdefault(row.split, set()).add(row.request.lower().strip(".?"))
    assert set(asked) == {"train", "wording", "pattern", "values"}
    assert sum(map(len, asked.values())) == len(set().union(*asked.values()))
    assert {pattern(row.request) for row in found if row.split == "pattern"} <= set(parts.patterns)
    assert not {pattern(row.request) for row in taught(found)} & set(parts.patterns)
    measured = [row.request for row in found if row.split != "train"]
    assert len(set(measured)) == len(measured)
    for row in found:
        value = int(re.findall(r"\d+", row.request)[0])
        if row.split in ("train", "values"):
            assert reserved(family, "n", value) == (row.split == "values")


def test_a_held_out_family_and_its_double_do_not_teach(families: tuple[Family, ...]) -> None:
    held = named(families[0], held=True)
    double = named(replace(families[0], asks=("the same under another name, by $n",)), held=False)
    assert skeleton(held) == skeleton(double) != skeleton(families[1])
    found, counts = drawn((held, double))
    assert not taught(found)
    assert {row.split for row in found if row.family == held.name} == {"family"}
    assert counts.families == {"held out": 2}


def test_planted_violations_are_dropped_and_counted(families: tuple[Family, ...]) -> None:
    family = named(families[0], held=False)
    clean, _ = drawn((family,))
    prompt = next(row.request for row in clean if row.split == "train")
    found, counts = drawn((family,), Overlap.of(seal([prompt], [])))
    assert counts.dropped["prompt"] > 0
    assert prompt not in {row.request for row in found}
    planted = Overlap.of(seal([], ["def raise_by_3(readings): return [value + 3 for value in readings]"]))
    poisoned = replace(family, code=family.code + "kept = [value for value in gauges if raise_gauges]\n")
    assert taught(drawn((poisoned,))[0])
    found, counts = drawn((poisoned,), Overlap.of(seal([], [poisoned.code])))
    assert not found
    assert counts.dropped["gram"] > 0
    assert taught(drawn((family,), planted)[0])


def test_one_request_belongs_to_one_family(families: tuple[Family, ...]) -> None:
    first, second = (named(families[0], held=False), named(replace(families[0], name="other"), held=False))
    found, counts = drawn((first, second))
    assert counts.dropped["repeated"] > 0
    owners: dict[str, set[str]] = {}
    for row in found:
        owners.setdefault(row.request.lower().strip(".?"), set()).add(row.family)
    assert all(len(names) == 1 for names in owners.values())


def test_changes_and_repairs_bring_their_prompt(families: tuple[Family, ...]) -> None:
    taught_family, held_family = named(families[0], held=False), named(families[1], held=True)
    counts = Counts()
    found = [row for row in rows((taught_family, held_family), 200, 0, counts, NOTHING) if row.old]
    assert counts.changes["edit"] > 10 and counts.changes["repair"] > 10
    assert {(row.family, row.split) for row in found} == {
        (taught_family.name, "train"),
        (held_family.name, "edit"),
        (held_family.name, "repair"),
    }
    for row in found:
        told = json.loads(row.line())
        assert told["prompt"].splitlines()[0] == f"# edit: {row.request}"
        assert all(line.startswith("#-") for line in told["prompt"].splitlines()[1:])
        assert ({"test", "old"} <= set(told)) == (row.split != "train")


def test_code_that_is_shown_must_not_be_a_benchmark(families: tuple[Family, ...]) -> None:
    family = named(families[0], held=False)
    family = replace(family, code=family.code.replace("value + $n", "value + $n + len(carefully(chosen, words))"))
    counts = Counts()
    overlap = Overlap.of(seal([], ["def raise_gauges(gauges):\n    return value + 3 + len(carefully(chosen, words))"]))
    assert not [row for row in rows((family,), 200, 0, counts, overlap) if "carefully" in row.old]
    assert counts.dropped["gram"] > 0


def test_a_file_of_rows_is_whole_or_the_one_before(families: tuple[Family, ...], tmp_path: Path) -> None:
    write(tmp_path, 5, 0, families)
    before = (tmp_path / "lessons.jsonl").read_bytes()
    with pytest.raises(KeyboardInterrupt), whole(tmp_path / "lessons.jsonl") as sink:
        sink.write("half")
        raise KeyboardInterrupt
    with pytest.raises(InputError, match="No space left"), whole(tmp_path / "lessons.jsonl") as sink:
        raise OSError(28, "No space left on device")
    assert not list(tmp_path.glob("*.part"))
    assert (tmp_path / "lessons.jsonl").read_bytes() == before
