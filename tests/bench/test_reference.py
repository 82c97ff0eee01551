"""The n-gram filler: it completes what it saw, looks at the other side, and reads training files only."""

import json
from math import prod
from pathlib import Path

import numpy as np
import pytest

from dcode.bench.kneserney import Floats, Ids
from dcode.bench.reference import LINE_TOKENS, NGram, search, train_ngram
from dcode.errors import InputError
from tests.oracle import tokenizer

NEWLINE = 0


def test_it_completes_a_line_it_has_seen() -> None:
    seen = [1, 2, 3, NEWLINE, 4, 5, 6, NEWLINE, 7, NEWLINE]
    ngram = NGram.train([seen] * 3, 8)
    assert ngram.fill_line([1, 2, 3, NEWLINE], [7, NEWLINE], NEWLINE) == [4, 5, 6]


def test_the_other_side_decides_between_equal_lines() -> None:
    streams = [[1, NEWLINE, 2, NEWLINE, 4, NEWLINE], [1, NEWLINE, 3, NEWLINE, 5, NEWLINE]] * 4
    ngram = NGram.train(streams, 8)
    assert ngram.fill_line([1, NEWLINE], [4, NEWLINE], NEWLINE) == [2]
    assert ngram.fill_line([1, NEWLINE], [5, NEWLINE], NEWLINE) == [3]


def test_the_file_at_hand_teaches_its_own_names() -> None:
    ngram = NGram.train([[1, 2, NEWLINE]] * 5, 8)
    prefix = [1, 6, NEWLINE, 1, 6, NEWLINE, 1, 6, NEWLINE, 3, NEWLINE]
    assert NGram(ngram.trained, local=0.9).fill_line(prefix, prefix, NEWLINE) == [1, 6]
    assert NGram(ngram.trained, local=0.0).fill_line(prefix, prefix, NEWLINE) != [1, 6]


def test_a_line_is_never_empty_nor_endless() -> None:
    blank = NGram.train([[NEWLINE] * 20], 4)
    assert 1 <= len(blank.fill_line([], [], NEWLINE)) <= LINE_TOKENS
    endless = NGram.train([[1] * 200], 4, order=3)
    line = endless.fill_line([1, 1], [1], NEWLINE, beam=2)
    assert 1 <= len(line) <= LINE_TOKENS
    assert NEWLINE not in line


def test_a_wide_beam_finds_the_likeliest_lines() -> None:
    chances = {5: [0.1, 0.5, 0.4], 1: [0.2, 0.3, 0.5], 2: [0.7, 0.2, 0.1]}

    def predict(contexts: Ids) -> Floats:
        return np.array([chances[int(context[-1])] for context in contexts])

    def probability(ids: tuple[int, ...]) -> float:
        return prod(chances[before][token] for before, token in zip((5, *ids), ids, strict=False))

    lines = search(predict, (5,), NEWLINE, beam=3, wanted=4)
    assert [ids for _, ids in lines] == [(2, 0), (1, 2, 0), (1, 0), (1, 1, 2, 0)]
    assert [np.exp(total) for total, _ in lines] == pytest.approx([probability(ids) for _, ids in lines])
    assert [total for total, _ in lines] == sorted((total for total, _ in lines), reverse=True)


def corpus(folder: Path, *rows: object) -> Path:
    path = folder / "files.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_only_training_files_teach(tmp_path: Path) -> None:
    path = corpus(
        tmp_path,
        {"text": "alpha\nbeta\n", "split": "train"},
        {"text": "alpha\ngamma\n" * 9, "split": "held"},
    )
    ngram = train_ngram(path, tokenizer(), 10_000)
    encode = tokenizer().encode
    line = ngram.fill_line(encode(b"alpha\n"), [], encode(b"\n")[0])
    assert tokenizer().decode(line) == b"beta"


def test_training_stops_at_its_budget_and_is_seeded(tmp_path: Path) -> None:
    path = corpus(tmp_path, *({"text": f"name_{n} = {n}\n" * 5, "split": "train"} for n in range(20)))
    sizes = [len(train_ngram(path, tokenizer(), budget).trained.levels[-1].keys) for budget in (20, 200, 10_000)]
    assert sizes[0] < sizes[1] < sizes[2]
    first, again, other = (train_ngram(path, tokenizer(), 100, seed=seed).trained.unigram for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize("row", [{"text": "x"}, ["x"], {"split": "train"}])
def test_a_line_that_is_no_file_is_named(tmp_path: Path, row: object) -> None:
    with pytest.raises(InputError, match="not a file of a corpus"):
        train_ngram(corpus(tmp_path, row), tokenizer(), 10)
