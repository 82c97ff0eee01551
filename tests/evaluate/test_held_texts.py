"""What a model makes of text it has not learned from: bits a byte, and doubt about wrong tokens."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from dcode.errors import InputError
from dcode.evaluate import bpb, confidence
from dcode.evaluate.texts import functions, held_texts
from tests.oracle import random_model, tokenizer

TEXT = "\n".join(f"def f{i}(a, b):\n    total = a + b * {i}\n    return total\n" for i in range(40))


class Blind:
    """Finds every token equally likely."""

    def __init__(self) -> None:
        self.tokenizer, self.window = tokenizer(), 256

    def predict(self, ids_BL: Tensor, want_BL: Tensor, **_: Any) -> Tensor:
        return torch.zeros(int(want_BL.sum()), len(self.tokenizer.pieces))


class Knowing(Blind):
    """Finds the tokens that it is told of likely, in their order."""

    def __init__(self, right: list[int]) -> None:
        super().__init__()
        self.right = right

    def predict(self, ids_BL: Tensor, want_BL: Tensor, **_: Any) -> Tensor:
        logits = super().predict(ids_BL, want_BL)
        right = torch.tensor(self.right * len(ids_BL))
        return logits.scatter(1, right[:, None], 9.0)


def test_a_blind_model_costs_what_its_vocabulary_costs() -> None:
    blind: Any = Blind()
    scores = bpb.measure({"p": [TEXT]}, blind, rows=4, length=64)
    for score in scores["p"]:
        assert score.nats_per_token == pytest.approx(math.log(len(blind.tokenizer.pieces)), rel=1e-5)
        assert score.bits_per_byte > 0
    assert [score.tokens for score in scores["p"]] == sorted(score.tokens for score in scores["p"])
    every = bpb.total({**scores, "q": scores["p"]})
    assert every[0].tokens == 2 * scores["p"][0].tokens
    assert every[1].bits_per_byte == pytest.approx(scores["p"][1].bits_per_byte)


def test_a_seed_masks_the_same_and_short_texts_give_nothing() -> None:
    model = random_model(window=64)
    assert bpb.measure({"p": [TEXT]}, model, seed=1) == bpb.measure({"p": [TEXT]}, model, seed=1)
    assert bpb.measure({"p": [TEXT]}, model, seed=1) != bpb.measure({"p": [TEXT]}, model, seed=2)
    (score, *_) = bpb.measure({"p": ["x = 1\n"]}, model)["p"]
    assert score.tokens == 0 and math.isnan(score.nats_per_token)


def test_the_wrong_token_is_ranked_by_its_probability() -> None:
    source = "def f(a, b):\n    total = a + b * 3\n    return total\n"
    ids = tokenizer().encode(source.encode())
    knowing: Any = Knowing(ids)
    trials = confidence.measure([source, "short"], knowing, 5)
    assert [trial.noise for trial in trials] == list(confidence.NOISES)
    assert [trial.rank for trial in trials] == [1, 1, 1]
    assert all(rate.value == 1.0 for rate in confidence.rates(trials, 1).values())
    assert confidence.chance(trials, 5) == pytest.approx(5 / len(ids))
    blind: Any = Blind()
    assert all(trial.rank == len(ids) for trial in confidence.measure([source], blind, 5))
    assert confidence.chance([], 1) == 0.0


def test_held_texts_are_those_of_a_corpus_or_of_a_folder(tmp_path: Path) -> None:
    rows = [{"package": "p", "text": TEXT, "split": split} for split in ("train", "held")]
    corpus, folder = tmp_path / "corpus", tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    corpus.mkdir()
    (corpus / "files.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert held_texts(corpus) == {"p": (TEXT,)}
    for name, data in (("a.py", b"x = 1\n"), ("inner/b.py", b"y = 2\n"), ("c.py", b"\xff\xfe\xfa"), ("d.txt", b"no")):
        (folder / name).write_bytes(data)
    assert held_texts(folder) == {"folder": ("x = 1\n",), "inner": ("y = 2\n",)}
    for place in (tmp_path / "none", tmp_path / "folder" / "inner" / "b.py"):
        with pytest.raises(InputError, match="no folder"):
            held_texts(place)
    (corpus / "files.jsonl").write_text(json.dumps(rows[0]) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="no held-out text"):
        held_texts(corpus)


def test_functions_are_dedented_and_shuffled_by_the_seed() -> None:
    text = "class A:\n    def f(self):\n        return 1\n\n\ndef g():\n    return 2\n"
    found = list(functions({"p": [text, "def broken("]}, 0))
    assert set(found) == {("p", "def f(self):\n    return 1\n"), ("p", "def g():\n    return 2\n")}
    one, again, other = (list(functions({"p": [TEXT]}, seed)) for seed in (1, 1, 2))
    assert one == again != other
