"""FaultLoc: R1 finds what parsers only point near; the counted search is the one that everybody uses."""

import random

import pytest
import torch

from dcode.bench.corrupt import NOISES, Corrupted, corrupt
from dcode.bench.faultloc import FaultLoc, certified_repairs, compile_position, error_nodes, figures, table
from dcode.bench.lexicon import Lexicon
from dcode.bench.library import Function, functions, halves, standard_library
from dcode.bench.modelrank import ModelRanker, disjoint
from dcode.bench.rank import NGramRanker
from dcode.syntax.check import file_faults
from dcode.syntax.repairs import repairs
from dcode.syntax.suspects import suspects
from dcode.text.span import Span
from tests.bench.damage import FUNCTION, PYTHON, lexicon
from tests.oracle import random_model


def broken(seed: int) -> Corrupted:
    found = corrupt(lexicon(), FUNCTION, "frequency", random.Random(seed))
    assert found is not None
    return found


def test_the_counted_search_is_that_of_repairs() -> None:
    text, ranker = broken(0), NGramRanker(lexicon())
    found, parses = certified_repairs(PYTHON, text.view, ranker)
    faults = file_faults(PYTHON, text.view)
    extra = ranker.proposals(text.view, suspects(PYTHON, text.view, faults))
    assert found == repairs(PYTHON, text.view, faults, extra=extra)
    assert found and parses >= sum(len(one.fillers) for one in found)


def test_a_ranker_prefers_what_it_has_seen() -> None:
    view = b"def f(self) yield\n    return 1\n"
    wrong = Span(view.index(b"yield"), view.index(b"\n"))
    seen = [b"def f(self) :\n    return 1\n", b"import os\nyield os\n"] * 9

    def gain(span: Span, *fillers: bytes) -> float:
        return NGramRanker(Lexicon.train(PYTHON, seen)).gains(view, {span: fillers})[span]

    assert gain(wrong, b":") > 0 == gain(wrong, b"yield") > gain(wrong, b"nothing")
    assert gain(wrong, b":", b"import") == pytest.approx(gain(wrong, b":"))
    assert gain(wrong, b":") > gain(Span(8, 8), b":")


def test_lexemes_that_parsers_point_at() -> None:
    view = b"x = 1\ny = 2 3\nz = 4\n"
    assert Span(12, 13) in compile_position(PYTHON, view) and len(compile_position(PYTHON, view)) <= 5
    assert {view[one.start : one.end] for one in error_nodes(PYTHON, view)} & {b"2", b"3"}
    missing = b"x = (1\ny = 2\n"
    assert error_nodes(PYTHON, missing)


def test_certified_repairs_find_what_parsers_miss() -> None:
    _, files = halves(standard_library(), 0)
    bench = FaultLoc(lexicon(), NGramRanker(lexicon()), 0)
    rows = [row for item in enumerate(functions(PYTHON, files, 2, 0)) for row in bench(item)]

    def top(way: str) -> int:
        return sum(0 <= row.rank < 3 for row in rows if row.way == way)

    texts = len(rows) // 4
    assert texts == 2 * len(NOISES)
    assert top("R1") >= 0.8 * texts
    assert top("R1") > max(top("ERROR nodes"), top("compile ±2"))
    assert len(table(rows)) == 1 + 4 * len(NOISES)
    assert {one["way"] for one in figures(rows)} == {row.way for row in rows}


@pytest.mark.slow
def test_the_published_relation() -> None:
    _, files = halves(standard_library(), 0)
    bench = FaultLoc(lexicon(), NGramRanker(lexicon()), 0)
    rows = [row for item in enumerate(functions(PYTHON, files, 100, 0)) for row in bench(item)]
    for noise in NOISES:
        shares = {
            way: sum(0 <= row.rank < 3 for row in rows if (row.noise, row.way) == (noise, way)) / 100
            for way in ("R1", "ERROR nodes", "compile ±2")
        }
        assert shares["R1"] >= max(shares["ERROR nodes"], shares["compile ±2"]) + 0.1


def test_equal_seeds_give_equal_rows() -> None:
    bench = FaultLoc(lexicon(), NGramRanker(lexicon()), 3)
    item = (0, Function("f", b"def f(x):\n    return [x, (1)]\n", 10))
    rows = bench(item)
    assert len(rows) == 4 * len(NOISES) and rows == bench(item)


def test_a_model_ranks_every_lexeme_that_it_sees() -> None:
    ranker = ModelRanker(random_model())
    text = broken(0)
    places = suspects(PYTHON, text.view, file_faults(PYTHON, text.view))
    proposals = ranker.proposals(text.view, places)
    gains = ranker.gains(text.view, dict.fromkeys(places, (b"x", b"")))
    assert set(proposals) == set(gains) == set(disjoint(places))
    assert all(words and b"" not in words for words in proposals.values())
    one = disjoint(places)[0]
    now = text.view[one.start : one.end]
    assert ranker.gains(text.view, {one: (now,)})[one] == pytest.approx(0)


def test_a_model_masks_all_places_in_a_window_of_its_size() -> None:
    model = random_model(window=64)
    seen: list[tuple[int, int]] = []

    class Watched:
        window, tokenizer = model.window, model.tokenizer

        def predict(self, ids_BL: torch.Tensor, want_BL: torch.Tensor) -> torch.Tensor:
            seen.append((ids_BL.shape[1], int(want_BL.sum())))
            return model.predict(ids_BL, want_BL)

    ranker = ModelRanker(Watched())  # type: ignore[arg-type]
    at = FUNCTION.index(b"best = value")
    gains = ranker.gains(FUNCTION, {Span(at, at + 4): (b"x",), Span(at + 5, at + 6): (b"x",)})
    assert len(gains) == 2
    ((length, masks),) = seen
    assert length <= 64 and masks >= 4
