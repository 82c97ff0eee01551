"""Muon in float32 is torch's Muon, at the precision a CPU is quick in."""

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.optim import Muon

from dcode.train import optim
from dcode.train.config import TrainConfig
from dcode.train.optim import WideMuon, orthogonal

COEFFICIENTS = Muon([nn.Parameter(torch.eye(2))]).defaults["ns_coefficients"]


@pytest.mark.parametrize("shape", [(64, 32), (32, 64), (48, 48)])
def test_its_updates_are_those_of_torch(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    begun = torch.randn(shape)
    one, two = (nn.Parameter(begun.clone()) for _ in range(2))
    built = [kind([w], lr=0.02, weight_decay=0.05, momentum=0.95) for kind, w in ((Muon, one), (WideMuon, two))]
    for _ in range(4):
        one.grad = torch.randn(shape)
        two.grad = one.grad.clone()
        for optimizer in built:
            optimizer.step()
    moved = (one - begun).norm()
    assert moved > 0.1 and (one - two).norm() < 0.02 * moved  # bfloat16 has 8 bits


def test_one_resumes_the_others_state() -> None:
    weight = nn.Parameter(torch.eye(4))
    first = Muon([weight], lr=0.1)
    weight.grad = torch.ones(4, 4)
    first.step()
    second = WideMuon([weight], lr=0.5)
    second.load_state_dict(first.state_dict())
    assert second.param_groups[0]["lr"] == 0.1
    assert torch.equal(second.state[weight]["momentum_buffer"], torch.full((4, 4), 1 - 0.95))


def test_a_matrix_becomes_orthogonal() -> None:
    torch.manual_seed(0)
    for shape in ((8, 20), (20, 8)):
        values = torch.linalg.svdvals(orthogonal(torch.randn(shape), COEFFICIENTS, 5))
        assert bool((values > 0.6).all()) and bool((values < 1.3).all())


def test_where_bfloat16_is_emulated_nothing_is_computed_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    net = nn.Module()
    net.layers = nn.Linear(4, 4)
    config = TrainConfig(Path(), Path(), Path())
    kinds = []
    for quick in ("float32", "bfloat16"):
        monkeypatch.setattr(optim, "quickest_precision", lambda quick=quick: quick)
        kinds.append(type(optim.optimizers(net, config)[0]))
    assert kinds == [WideMuon, Muon]
