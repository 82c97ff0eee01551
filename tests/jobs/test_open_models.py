"""The whole road with a tiny random checkpoint of every public family: what it writes is noise, how is not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from dcode.diffusion.canvas import Canvas
from dcode.diffusion.plan import Plan
from dcode.diffusion.sampler import denoise
from dcode.errors import ModelError
from dcode.jobs.fill import vocabulary
from dcode.jobs.generate import generate
from dcode.jobs.infill import infill
from dcode.model.load import Model, load
from dcode.syntax.grammar import grammar
from dcode.text.result import Result
from dcode.text.source import Source
from dcode.text.span import Span
from tests.model import tiny as families

PYTHON = grammar("python")
FILE = b"a = 1\nb = 2\nc = 3\n"
HOLES = [Span(4, 5), Span(16, 17)]
FULL: list[tuple[str, Callable[[Path], Any]]] = [
    ("open-dcoder-0.5b={}", families.qwen2),
    ("{}", families.dream),
    ("dreamon-7b={}", families.dream),
    ("qwen3-mdlm-0.6b={}", families.qwen3),
    ("qwen-coder-mdlm-0.5b={}", families.a2d),
    ("coda-1.7b={}", families.coda),
    ("llada-8b={}", families.llada),
    ("illada-8b={}", families.illada),
]
BLOCKS: list[tuple[str, Callable[[Path], Any], int]] = [
    ("sdar-8b-chat={}", families.sdar, 4),
    ("stable-diffcoder-8b={}", families.llama, 4),
    ("fast-dllm-7b={}", families.fast_dllm, 32),
    ("qwen-coder-bd3lm-0.5b={}", families.a2d, 32),
]


@pytest.fixture(params=FULL, ids=[f"{make.__name__} as {name}" for name, make in FULL])
def model(request: pytest.FixtureRequest, tmp_path: Path) -> Model:
    name, make = request.param
    return load(name.format(make(tmp_path)[0]), precision="float32")


def results(stream: object) -> list[Result]:
    return [seen for seen in stream if isinstance(seen, Result)]  # type: ignore[attr-defined]


def test_two_holes_are_filled_and_nothing_else_changes(model: Model) -> None:
    def once() -> Result:
        stream = infill(Source.of(FILE, "a.py"), HOLES, model, PYTHON, Plan(steps=4), slots=3)
        return results(stream)[0]

    result = once()
    assert result.view.startswith(b"a = ") and b"\nb = 2\nc = " in result.view and result.view.endswith(b"\n")
    assert result.faults_after == () and result.verdict in ("verified", "fallback")
    assert once() == result or once().view == result.view


def test_without_feedback_nobody_looks(model: Model) -> None:
    (result,) = results(infill(Source.of(FILE, "a.py"), HOLES, model, PYTHON, Plan(steps=3), slots=2, feedback=False))
    assert result.verdict == "unchecked" and result.repairs == 0


def test_a_program_is_written_without_special_tokens(model: Model) -> None:
    one, two = (
        results(generate("x", model, PYTHON, Plan(steps=4), slots=12, feedback=feedback))[0]
        for feedback in (True, False)
    )
    for result in (one, two):
        assert b"<|" not in result.view and b"<M>" not in result.view and b"```" not in result.view
    assert one.verdict in ("verified", "failed") and two.verdict in ("unchecked", "failed")


def test_rows_of_one_length_answer_as_they_would_alone(model: Model) -> None:
    known = vocabulary(model)
    begin = model.tokenizer.begin_id
    texts = (b"x = ", b"y + ", b"z * ")
    canvases = [
        Canvas.of([[begin, *model.tokenizer.encode(text)], [*text]], [5], [text, text], known) for text in texts
    ]
    plan = Plan(commit="fixed", per_step=2)
    together = {step.row: step.canvas for step in denoise(canvases, model.predict, plan, [None] * 3)}
    for number, canvas in enumerate(canvases):
        *_, alone = denoise([canvas], model.predict, plan, [None])
        assert torch.equal(together[number].ids_L, alone.canvas.ids_L)


@pytest.mark.parametrize(("name", "make", "block"), BLOCKS, ids=[name for name, *_ in BLOCKS])
def test_a_block_causal_model_generates_and_says_that_it_cannot_infill(
    tmp_path: Path, name: str, make: Callable[[Path], Any], block: int
) -> None:
    model = load(name.format(make(tmp_path)[0]), precision="float32")
    assert model.block == block
    stream = list(generate("x", model, PYTHON, Plan(commit="fixed"), slots=12, feedback=False))
    (result,) = results(stream)
    assert result.verdict in ("unchecked", "failed") and result.forwards >= 12
    with pytest.raises(ModelError, match="sees nothing behind a hole"):
        list(infill(Source.of(FILE, "a.py"), HOLES, model, PYTHON, Plan()))
