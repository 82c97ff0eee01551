"""Rows are full, drawn by weight, and decided by their seed."""

import json
import random
from collections import Counter
from pathlib import Path

import pytest

from dcode.train import data
from dcode.train.config import Stage
from dcode.train.cut import Cutter
from tests.oracle import tokenizer

TOK = tokenizer()
TEXT = "\n".join(f"def f{i}(a, b):\n    total = a + b * {i}\n    return total\n" for i in range(40))
CORPUS = data.Corpus((TEXT, "x = 1\n"), (1.0, 1.5), (("add two numbers", "def add(a, b):\n    return a + b"),))
CUTTER = Cutter(TOK, void_anywhere=0.1)


@pytest.mark.parametrize("seed", range(12))
def test_a_row_is_full_and_has_something_to_learn(seed: int) -> None:
    row = data.row(CORPUS, CUTTER, Stage(1, 200, 0.3, 0.4, 0.3), random.Random(seed))
    assert len(row.ids) == len(row.eligible) == len(row.segment) == len(row.rate) == 200
    assert any(row.eligible)
    assert TOK.mask_id not in row.ids
    assert all(0 < rate <= 1 for rate in row.rate)
    special = {TOK.begin_id, TOK.end_id}
    assert not any(number in special for number, hole in zip(row.ids, row.eligible, strict=True) if hole)


def test_families_come_by_weight_whatever_their_number_of_rows(tmp_path: Path) -> None:
    def told(**row: str) -> str:
        return json.dumps({"split": "train", "domain": "lists", "request": "r", "code": "c"} | row) + "\n"

    (tmp_path / "files.jsonl").write_text(json.dumps({"text": TEXT, "split": "train"}) + "\n")
    (tmp_path / "pairs.jsonl").write_text("")
    many = [told(family="many", code=f"many{n}") for n in range(90)]
    few = [told(family="few", code="few"), told(family="few", code="few")]
    rest = [
        told(family="many", prompt="# edit", code="changed"),
        told(family="parts", domain="pipelines", code="parts"),
    ]
    held = [told(family="many", split="wording", code="held")]
    (tmp_path / "lessons.jsonl").write_text("".join(many + few + rest + held))
    corpus = data.Corpus.read(tmp_path)
    rng = random.Random(0)
    drawn = Counter(corpus.lesson(rng)[1].rstrip("0123456789") for _ in range(4000))
    assert set(drawn) == {"many", "few", "changed", "parts"}
    assert 0.9 < drawn["many"] / drawn["few"] < 1.1
    assert 0.7 < drawn["changed"] / (data.CHANGED * drawn["few"]) < 1.3
    assert 0.6 < drawn["parts"] / (data.OFTEN["pipelines"] * drawn["few"]) < 1.4


def test_the_schedule_decides_the_rates() -> None:
    clipped = Cutter(TOK, void_anywhere=0.1, schedule="clipped")
    row = data.row(CORPUS, clipped, Stage(1, 200, 0.3, 0.4, 0.3), random.Random(0))
    assert all(0.3 <= rate <= 0.8 for rate in row.rate)


def test_equal_seeds_give_equal_batches() -> None:
    stage = Stage(1, 128, 0.3, 0.4, 0.3)
    one, same, other = (data.batch(CORPUS, CUTTER, stage, 3, seed) for seed in ("0:1", "0:1", "0:2"))
    assert one.ids_BL.equal(same.ids_BL) and one.rate_BL.equal(same.rate_BL)
    assert not one.ids_BL.equal(other.ids_BL)
    assert one.ids_BL.shape == (3, 128)
