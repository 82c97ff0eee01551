"""Where a model's holes need a search for their lengths: it is done once, fits the window, and heeds the curve."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from dcode.diffusion.canvas import Canvas
from dcode.diffusion.plan import Plan
from dcode.errors import ModelError
from dcode.jobs import lengths
from dcode.jobs.fill import vocabulary
from dcode.jobs.infill import infill, seeing_both_sides
from dcode.jobs.lengths import find_lengths, fit_lengths
from dcode.model import registry
from dcode.model.load import Model
from dcode.text.result import Result
from dcode.text.source import Source
from dcode.text.span import Span
from tests.oracle import random_model

FILE = b"a = 1\nb = 2\nc = 3\n"
HOLES = [Span(4, 5), Span(16, 17)]


def searching(window: int = 256) -> Model:
    model = random_model(window=window)
    return replace(model, checkpoint=replace(model.checkpoint, length="search"))


def blank(model: Model, between: int) -> object:
    def canvas(slots: Sequence[int]) -> Canvas:
        return Canvas.of([[1], [7] * between, [2]], slots, [b"", b" " * between, b""], vocabulary(model))

    return canvas


def results(model: Model, count: int) -> list[Result]:
    stream = infill(Source.of(FILE, "a.py"), HOLES, model, None, Plan(), slots=6, count=count)
    return [seen for seen in stream if isinstance(seen, Result)]


def test_candidates_share_one_search_and_take_lengths_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, ...]] = []

    def counted(*args: object) -> object:
        found = find_lengths(*args)  # type: ignore[arg-type]
        asked.extend(slots for slots, _ in found.tried[:3])
        return found

    monkeypatch.setattr("dcode.jobs.infill.find_lengths", counted)
    one, *others = sorted(results(searching(), 3), key=lambda result: -result.forwards)
    assert len(asked) == 3 and len(set(asked)) == 3
    assert all(result.forwards < one.forwards for result in others)


@pytest.mark.parametrize(("window", "between"), [(48, 5), (64, 20), (40, 30)])
def test_a_search_stays_within_the_window_with_what_is_between_the_holes(window: int, between: int) -> None:
    model = searching(window)
    found = find_lengths(model, blank(model, between), (12, 4))  # type: ignore[arg-type]
    assert all(min(slots) >= 1 and sum(slots) + between <= max(window - 32, between + 2) for slots, _ in found.tried)


def test_a_fitted_curve_is_heeded() -> None:
    model = searching()
    flat = find_lengths(model, blank(model, 3), (12, 12))  # type: ignore[arg-type]
    registry.keep_curve(model.checkpoint.name, {"1": 1.0, "20": 1.0, "21": 1e-6})
    steep = find_lengths(model, blank(model, 3), (12, 12))  # type: ignore[arg-type]
    assert max(flat.slots) < 21 or flat.slots != steep.slots
    assert max(steep.slots) >= 21


def test_a_fit_covers_the_lengths_that_the_window_has_room_for() -> None:
    model = random_model(window=2 * lengths.AROUND + 20)
    curve = fit_lengths(model, [b"total = price * count\n" * 40] * 2)
    assert curve.lengths == (1, 2, 4, 8, 16) and all(0 < mean <= 1 for mean in curve.means)


class Grows:
    """Wants nothing but to grow; `seen` are the lengths of the rows it was asked about."""

    def __init__(self, window: int) -> None:
        model = random_model(window=window)
        known = model.tokenizer
        assert known.void_id is not None
        self.tokenizer, self.grows = replace(known, void_id=None, expand_id=known.void_id), known.void_id
        self.checkpoint = replace(model.checkpoint, length="expand")
        self.window, self.vocab, self.block, self.model = window, model.vocab, 0, model
        self.is_causal = False
        self.seen: list[int] = []

    def predict(self, ids_BL: Tensor, want_BL: Tensor, **rest: object) -> Tensor:
        self.seen.append(ids_BL.shape[1])
        logits_NV = self.model.predict(ids_BL, want_BL)
        return logits_NV.index_fill(1, torch.tensor([self.grows]), 99.0)


@pytest.mark.parametrize("window", [64, 90, 512])
def test_holes_grow_to_three_times_their_size_and_never_beyond_the_window(window: int) -> None:
    model = Grows(window)
    stream = infill(Source.of(FILE * 4, "a.py"), [Span(4, 5)], model, None, Plan(), slots=16)  # type: ignore[arg-type]
    assert [result for result in stream if isinstance(result, Result)]
    assert max(model.seen) == min(window, model.seen[0] + 32)


def test_models_that_see_no_more_than_what_stands_before_name_those_that_do() -> None:
    able = seeing_both_sides()
    assert able[0] == "mini" and "dreamon-7b" in able
    assert not {"stable-diffcoder-8b", "sdar-8b-chat", "fast-dllm-7b"} & set(able)
    blocks = random_model(attention="block-causal", block=4)
    with pytest.raises(ModelError) as raised:
        results(blocks, 1)
    assert raised.value.exit_code == 5 and all(name in raised.value.hint for name in able)
