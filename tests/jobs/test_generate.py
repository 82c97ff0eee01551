"""A program in blocks of one token, as a causal model writes it."""

from typing import Any

from torch import Tensor

from dcode.diffusion.plan import Plan
from dcode.jobs.generate import generate
from dcode.syntax.grammar import grammar
from dcode.text.result import Result
from tests.oracle import Oracle


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
    stream = generate("print one", model, grammar("python"), Plan(), slots=12, feedback=False)
    (result,) = (one for one in stream if isinstance(one, Result))
    assert result.view == b"print(1)\n" and result.forwards == model.calls >= 12
