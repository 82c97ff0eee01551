"""Requests with tests of their own: rows are proved when read, and a program passes by what it does."""

import json
from pathlib import Path

import pytest

from dcode.errors import InputError
from dcode.evaluate.judge import equal, find_check
from dcode.evaluate.passes import Question
from dcode.evaluate.prompts import humaneval, read_prompts
from dcode.evaluate.tasks import InfillTask
from dcode.lessons.overlap import JACCARD, Overlap
from dcode.resources import data_path

DOUBLE = {"prompt": "double them", "kind": "function", "cases": [{"args": [[1, 2]], "want": [2, 4]}]}
SAVE = {
    "prompt": "save a list",
    "kind": "files",
    "setup": "",
    "calls": [[[1, 2], "out.json"]],
    "check": "out.json holds the list",
}
SUM = {"prompt": "add", "kind": "files", "setup": "open('n.txt', 'w').write('1\\n2\\n')", "calls": [["n.txt"]]}
SUM["check"] = "3 is returned or printed"


def asked(path: Path, *rows: object) -> tuple[Question, ...]:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return read_prompts(path)


@pytest.mark.parametrize(
    "answer",
    [
        "def double(xs):\n    return [2 * x for x in xs]\n",
        "def helper(x):\n    return 2 * x\n\n\ndef double(xs):\n    return map(helper, xs)\n",
        "def double(xs):\n    for at, x in enumerate(xs):\n        xs[at] = 2 * x\n",
        "def double(xs):\n    print([2 * x for x in xs])\n",
    ],
)
def test_there_are_many_ways_to_answer(tmp_path: Path, answer: str) -> None:
    (one,) = asked(tmp_path / "p.jsonl", DOUBLE)
    assert one.execute(answer).passed


@pytest.mark.parametrize("answer", ["", "x =", "def double(xs):\n    return xs\n", "def double(xs):\n    exit()\n"])
def test_what_does_not_answer_fails(tmp_path: Path, answer: str) -> None:
    (one,) = asked(tmp_path / "p.jsonl", DOUBLE)
    assert not one.execute(answer).passed


def test_files_are_looked_at_after_a_call_or_a_script(tmp_path: Path) -> None:
    save, add = asked(tmp_path / "p.jsonl", SAVE, SUM)
    assert save.execute("import json\n\ndef save(xs, path):\n    json.dump(xs, open(path, 'w'))\n").passed
    assert not save.execute("def save(xs, path):\n    open(path, 'w').write('[]')\n").passed
    assert add.execute("print(sum(int(line) for line in open('n.txt')))\n").passed
    assert not add.execute("print(4)\n").passed


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"prompt": "x"}, "no known kind"),
        ({"kind": "function", "prompt": "x"}, "no list in 'cases'"),
        ({**SAVE, "check": "it is pretty"}, "nobody can decide"),
        ({**SAVE, "setup": "from no_such_module import x"}, "needs no_such_module"),
        ([], "no known kind"),
    ],
)
def test_a_row_that_cannot_be_judged_is_named(tmp_path: Path, row: object, says: str) -> None:
    with pytest.raises(InputError, match=rf"p\.jsonl:2 .*{says}"):
        asked(tmp_path / "p.jsonl", DOUBLE, row)


def test_no_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        read_prompts(tmp_path / "none.jsonl")


def test_values_are_equal_as_a_person_would_say() -> None:
    assert equal((1, 2.0000000001), [1, 2])
    assert not equal(True, 1) and not equal(1, True)
    assert not equal([1], [1, 2]) and equal("a", "a")


def test_checks_are_found_by_their_sentence() -> None:
    assert find_check("an image of 32x20 is returned or written")[1] == ("32", "20")
    with pytest.raises(LookupError):
        find_check("an image is returned")


TASK = InfillTask(
    "t", "import math\n\n\ndef root(x):\n    '''Its root.'''\n", "", "", "def check(f):\n    assert f(9) == 3\n", "root"
)


@pytest.mark.parametrize(
    ("way", "answer", "passed"),
    [
        ("infill", "    return math.sqrt(x)\n", True),
        ("infill", "    return x\n", False),
        ("gen", "def root(x):\n    return math.sqrt(x)\n", True),
        ("gen", "import cmath\n\n\ndef root(x):\n    return cmath.sqrt(x)\n", True),
        ("gen", "def other(x):\n    return math.sqrt(x)\n", False),
        ("gen", "    return math.sqrt(x)\n", False),
    ],
)
def test_a_function_passes_its_own_test_as_a_whole_and_as_a_body(way: str, answer: str, passed: bool) -> None:
    (one,) = humaneval([TASK], way)
    assert (one.request.endswith(TASK.prefix), one.request == TASK.prefix) == (True, way == "infill")
    assert one.execute(answer).passed is passed


def test_the_requests_of_our_own_can_be_judged_and_are_no_demonstration() -> None:
    asked, held = read_prompts(data_path("evaluate/requests.jsonl")), Overlap.read()
    assert len({one.request for one in asked}) == 30
    assert all(held.nearest(one.request) < JACCARD for one in asked)
    wrong = "def answer(*arguments):\n    return None\n"
    assert not any(one.execute(wrong).passed for one in asked)
