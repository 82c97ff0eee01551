"""Presets lie over a model's defaults and under what was asked for; what cannot be is refused."""

import pytest

from dcode.diffusion.plan import PRESETS, Plan
from dcode.errors import UsageError


def test_a_preset_lies_between_the_defaults_and_what_was_chosen() -> None:
    defaults = {"threshold": 0.6, "commit": "entropy-bound", "context": 384}
    assert Plan.preset("balanced", defaults) == Plan(threshold=0.6, commit="entropy-bound")
    assert Plan.preset("fast", defaults) == Plan(threshold=0.6, commit="factor")
    assert Plan.preset("fast", defaults, {"fast": {"factor": 2.0}}).factor == 2.0
    assert Plan.preset("best", defaults, {"fast": {"factor": 2.0}}, seed=7) == Plan(
        threshold=0.6, commit="fixed", per_step=1, seed=7
    )


def test_without_a_model_a_preset_is_itself() -> None:
    assert [Plan.preset(name) for name in PRESETS] == [Plan(**values) for values in PRESETS.values()]


@pytest.mark.parametrize("name", ["", "fastest"])
def test_an_unknown_preset_is_named(name: str) -> None:
    with pytest.raises(UsageError, match=f"unknown preset {name!r}"):
        Plan.preset(name)


@pytest.mark.parametrize(
    "bad",
    [
        {"order": "right"},
        {"commit": "all"},
        {"schedule": "square"},
        {"entropy_bound": -1},
        {"factor": 0},
        {"revise": 2},
    ],
)
def test_what_is_no_rule_or_out_of_range_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="out of range"):
        Plan(**bad)  # type: ignore[arg-type]
