"""`--preset`: what it sets is in the plan that a run states, over the model's defaults and under other flags."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scripted import Run

from dcode.cli.work import get_plan
from dcode.model.checkpoint import find
from dcode.settings import Settings


def stated(run: Run, tiny: Path, *args: str) -> dict[str, Any]:
    line = ("gen", "add one", "-m", f"mini={tiny}", "--slots", "6", "--no-feedback", "--json", *args)
    document = json.loads(run(*line).out)
    return {"forwards": document["forwards"], **document["parameters"]["plan"]}


def test_best_takes_one_slot_a_step_and_leaves_the_models_defaults(run: Run, tiny: Path) -> None:
    plan = stated(run, tiny, "--preset", "best", "--seed", "5")
    assert (plan["commit"], plan["per_step"], plan["threshold"], plan["seed"]) == ("fixed", 1, 0.75, 5)
    assert plan["forwards"] % 6 == 0, "six slots a candidate, a forward each"


def test_fast_takes_more_than_one_and_steps_have_the_last_word(run: Run, tiny: Path) -> None:
    assert stated(run, tiny, "--preset", "fast")["commit"] == "factor"
    assert stated(run, tiny, "--preset", "best", "--steps", "2")["forwards"] % 2 == 0


def test_programs_are_written_from_the_left_holes_are_not(run: Run, tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n", "utf-8")
    line = ("infill", str(tmp_path / "a.py"), "--lines", "1", "-m", f"mini={tiny}", "--no-feedback", "--json")
    holes = json.loads(run(*line).out)["parameters"]["plan"]
    assert (holes["order"], holes["threshold"]) == ("confidence", 0.6)
    assert stated(run, tiny)["order"] == "left"


def test_the_fast_preset_of_the_embedded_model_lets_a_hole_change_tokens_in_sight_and_leaves_programs_alone() -> None:
    row, settings = find("mini"), replace(Settings(), preset="fast")
    hole, program = (get_plan(settings, row, what) for what in ("holes", "programs"))
    assert (hole.commit, hole.threshold, hole.apart, hole.revise) == ("threshold", 0.3, 0.0, 0.5)
    assert (program.commit, program.order, program.revise) == ("factor", "left", 0.0)


def test_what_is_rewritten_has_settings_of_its_own(run: Run, tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n", "utf-8")
    line = ("edit", str(tmp_path / "a.py"), "--lines", "1", "say y", "-m", f"mini={tiny}", "--json")
    plan = json.loads(run(*line).out)["parameters"]["plan"]
    assert (plan["order"], plan["threshold"]) == ("confidence", 0.9)


def test_a_preset_can_stand_in_the_environment(run: Run, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DCODE_PRESET", "fast")
    assert stated(run, tiny)["commit"] == "factor"


def test_an_unknown_preset_is_named_before_any_model_is_read(run: Run) -> None:
    seen = run("gen", "x", "--preset", "fastest", "-m", "mini")
    assert (seen.code, seen.out) == (2, b"") and "fastest" in seen.err and "balanced" in seen.err
