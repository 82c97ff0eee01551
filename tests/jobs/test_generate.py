"""Programs by a model that fills masks: in blocks of one token too, and with the imports that are certain."""

from typing import Any

import pytest
from torch import Tensor

from dcode.diffusion.plan import Plan
from dcode.jobs.generate import generate
from dcode.syntax.grammar import grammar
from dcode.text.result import Result
from dcode.text.source import Source
from tests.oracle import Oracle

PYTHON = grammar("python")


class Blind(Oracle):
    """It knows the answer to the first open slot; at later ones it would write anything."""

    def predict(self, *args: Any, **more: Any) -> Tensor:
        logits_NV = super().predict(*args, **more)
        (anything,) = self.tokenizer.encode(b"x")
        logits_NV[1:] = 0.0
        logits_NV[1:, anything] = 9.0
        return logits_NV


def test_a_causal_model_ends_where_a_void_is_likeliest() -> None:
    """It cannot say of later slots that they are void, so the first one must not wait for them."""
    model = Blind([b"print(1)"], sure=0.6)
    model.block = 1
    stream = generate("print one", model, PYTHON, Plan(), slots=12, feedback=False)
    (result,) = (one for one in stream if isinstance(one, Result))
    assert result.view == b"print(1)\n" and result.forwards == model.calls >= 12


def made(*answers: bytes, slots: int = 24) -> tuple[Result, Oracle]:
    model = Oracle(answers)
    (result,) = (
        one for one in generate("print the separator", model, PYTHON, Plan(), slots=slots) if isinstance(one, Result)
    )
    return result, model


def test_imports_stand_behind_what_a_compiler_wants_at_the_top() -> None:
    program = b'"""Say."""\nfrom __future__ import annotations\nprint(re.M)'
    result, _ = made(program, slots=48)
    assert result.unbound == () and result.verdict == "verified"
    assert result.view.startswith(b'"""Say."""\nfrom __future__ import annotations\n')
    assert b"import re\n" in result.view and result.view.endswith(b"print(re.M)\n")


def test_what_is_certain_needs_no_model() -> None:
    result, model = made(b"print(re.M)")
    assert result.view == result.regions[0].new == b"import re\n\n\nprint(re.M)\n"
    assert result.unbound == () and result.forwards == model.calls


def test_a_slip_for_a_name_of_the_program_needs_no_model() -> None:
    result, model = made(b"def f(path):\n    return open(paths)")
    assert result.view == result.regions[0].new == b"def f(path):\n    return open(path)\n"
    assert result.unbound == () and result.forwards == model.calls


def test_a_slip_for_a_name_that_is_out_of_reach_is_left_as_it_was() -> None:
    program = b"def f(path):\n    pass\n\n\nopen(paths)"
    result, model = made(program, slots=48)
    assert result.view == program + b"\n" and result.unbound == ("paths",) and result.forwards == model.calls


@pytest.mark.parametrize("given", [{"feedback": False}, {"context": [Source.of(b"sep = 1\n", "a.py")]}])
def test_without_feedback_or_beside_other_files_nobody_looks(given: dict[str, Any]) -> None:
    model = Oracle([b"print(sep)"])
    result = [*generate("print", model, PYTHON, Plan(), slots=24, **given)][-1]  # type: ignore[arg-type]
    assert isinstance(result, Result) and result.unbound == () and result.view == b"print(sep)\n"
