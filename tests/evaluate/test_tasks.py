"""Reading tasks, putting a fill into one, and drawing a sample."""

import gzip
import json
from pathlib import Path

import pytest

from dcode.errors import InputError
from dcode.evaluate.tasks import InfillTask, program, read_infill, sample

ROW = {
    "task_id": "Single/1/L0",
    "prompt": "def double(x):\n",
    "suffix": "",
    "canonical_solution": "    return 2 * x\n",
    "test": "def check(f):\n    assert f(4) == 8\n",
    "entry_point": "double",
}
TASK = InfillTask(*(ROW[name] for name in ("task_id", "prompt", "suffix", "canonical_solution", "test", "entry_point")))


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz"])
def test_read_infill(tmp_path: Path, suffix: str) -> None:
    data = (json.dumps(ROW) + "\n\n" + json.dumps({**ROW, "task_id": "é\u2028"}, ensure_ascii=False) + "\n").encode()
    path = tmp_path / f"tasks{suffix}"
    path.write_bytes(gzip.compress(data) if suffix.endswith(".gz") else data)
    first, second = read_infill(path)
    assert first == TASK
    assert second.task_id == "é\u2028"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "jsonl:2 is not JSON"),
        ("[]", "jsonl:2 has no text in 'task_id'"),
        (json.dumps({**ROW, "suffix": None}), "jsonl:2 has no text in 'suffix'"),
        ('"\udcff"', "jsonl:2 is not JSON"),
        (json.dumps(ROW), "two rows"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, says: str) -> None:
    path = tmp_path / "tasks.jsonl"
    path.write_bytes((json.dumps(ROW) + "\n" + line).encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match=says):
        read_infill(path)


@pytest.mark.parametrize("data", [None, b"not gzip", gzip.compress(b"{}", mtime=0)[:-3]], ids=["none", "text", "cut"])
def test_an_unreadable_file_is_an_input_error(tmp_path: Path, data: bytes | None) -> None:
    path = tmp_path / "tasks.jsonl.gz"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(InputError, match="cannot read"):
        read_infill(path)


def test_the_program_runs_the_test() -> None:
    exec(program(TASK, TASK.canonical), {})
    with pytest.raises(AssertionError):
        exec(program(TASK, "    return x\n"), {})


def test_samples_are_seeded_distinct_and_in_order() -> None:
    tasks = [InfillTask(str(n), "", "", "", "", "") for n in range(50)]
    drawn = sample(tasks, 10, seed=3)
    assert drawn == sample(tasks, 10, seed=3) != sample(tasks, 10, seed=4)
    assert drawn == sorted(set(drawn), key=tasks.index)
    assert sample(tasks, 99, seed=0) == tasks
