"""A program that uses what nothing brings gets a hole above it, for imports and nothing else."""

from typing import Any

import pytest

from dcode.diffusion.plan import Plan
from dcode.jobs.generate import generate
from dcode.syntax.grammar import grammar
from dcode.text.result import Result
from dcode.text.source import Source
from tests.oracle import Oracle

PYTHON = grammar("python")


def made(*answers: bytes, slots: int = 24, **changes: float) -> tuple[Result, Oracle]:
    model = Oracle(answers)
    (result,) = (
        one
        for one in generate("print the separator", model, PYTHON, Plan(**changes), slots=slots)  # type: ignore[arg-type]
        if isinstance(one, Result)
    )
    return result, model


@pytest.mark.parametrize(
    ("program", "above", "whole"),
    [
        (b"print(sep)", b"from os import sep", b"from os import sep\n\n\nprint(sep)\n"),
        (b"import os\nprint(os, X)", b"import X", b"import X\nimport os\nprint(os, X)\n"),
        (b"#!python\nprint(sep)", b"from os import sep", b"#!python\nfrom os import sep\n\n\nprint(sep)\n"),
        (b"print(re.M, X)", b"import X", b"import X\nimport re\n\n\nprint(re.M, X)\n"),
    ],
)
def test_what_is_lacking_is_written_above(program: bytes, above: bytes, whole: bytes) -> None:
    result, model = made(program, above)
    assert result.view == result.regions[0].new == whole
    assert result.verdict == "verified" and result.unbound == () and not result.faults_after
    assert result.forwards == model.calls


@pytest.mark.parametrize("above", [b"sep = 1", b"import re", b"import sep\nsep()", b"("])
def test_what_brings_nothing_or_is_no_import_is_not_kept(above: bytes) -> None:
    result, model = made(b"print(sep)", above)
    assert result.view == b"print(sep)\n" and result.unbound == ("sep",)
    assert result.forwards == model.calls


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
    result, _ = made(program, b"x", slots=48)
    assert result.view == program + b"\n" and result.unbound == ("paths",)


def test_a_program_that_lacks_nothing_costs_nothing_more() -> None:
    result, model = made(b"print(1)")
    assert result.unbound == () and result.forwards == model.calls
    assert not model.answers


def test_what_stays_unbound_is_doubted() -> None:
    """The model is sure of its program, and still it is written once more."""
    result, model = made(b"print(sep)", b"x", tries=2, sure=0.5)
    assert result.unbound == ("sep",)
    once, first = made(b"print(sep)", b"x", tries=1, sure=0.5)
    assert model.calls == 2 * first.calls and result.forwards == 2 * once.forwards


def test_a_model_that_fills_no_holes_is_not_asked_for_one() -> None:
    model = Oracle([b"print(sep, re.M)"])
    model.block = 8
    result = [*generate("print", model, PYTHON, Plan(), slots=24)][-1]  # type: ignore[arg-type]
    assert isinstance(result, Result) and result.unbound == ("sep",)
    assert result.view == b"import re\n\n\nprint(sep, re.M)\n" and result.forwards == model.calls


@pytest.mark.parametrize("given", [{"feedback": False}, {"context": [Source.of(b"sep = 1\n", "a.py")]}])
def test_without_feedback_or_beside_other_files_nobody_looks(given: dict[str, Any]) -> None:
    model = Oracle([b"print(sep)"])
    result = [*generate("print", model, PYTHON, Plan(), slots=24, **given)][-1]  # type: ignore[arg-type]
    assert isinstance(result, Result) and result.unbound == () and result.view == b"print(sep)\n"
