"""Neighbours seen directly: the same as a depthwise convolution, never across documents, and nothing while zero."""

import pytest
import torch

from dcode.errors import ModelError
from dcode.model.backbone import Backbone, initialise
from dcode.model.config import Config
from dcode.model.layers import Near, neighbours

WITHOUT = Config(96, 48, 2, 4, 4, 12, 80, 64)
WITH = Config(96, 48, 2, 4, 4, 12, 80, 64, near=2)
CPU = torch.device("cpu")


def network(*, trained: bool) -> Backbone:
    net = Backbone(WITH)
    initialise(net, torch.Generator().manual_seed(0))
    for name, weight in net.named_parameters():
        if name.endswith(".taps") and trained:
            torch.nn.init.normal_(weight, generator=torch.Generator().manual_seed(1))
    return net.eval()


def test_it_is_a_depthwise_convolution_beside_what_was_there() -> None:
    torch.manual_seed(0)
    near, x_BLD = Near(48, 2), torch.randn(3, 20, 48)
    torch.nn.init.normal_(near.taps)
    kernel = torch.cat((near.taps[..., :2], torch.ones(48, 1, 1), near.taps[..., 2:]), dim=-1)
    wanted_BDL = torch.nn.functional.conv1d(x_BLD.transpose(1, 2), kernel, padding=2, groups=48)
    torch.testing.assert_close(near(x_BLD, neighbours(20, 2, None, CPU)), wanted_BDL.transpose(1, 2))


@torch.no_grad()
def test_taps_of_zero_change_nothing() -> None:
    net, plain = network(trained=False), Backbone(WITHOUT)
    plain.load_state_dict({name: weight for name, weight in net.state_dict().items() if not name.endswith(".taps")})
    ids_BL = torch.randint(0, 96, (2, 20), generator=torch.Generator().manual_seed(2))
    assert torch.equal(net.hidden(ids_BL), plain.hidden(ids_BL))


@torch.no_grad()
def test_documents_in_one_row_do_not_see_each_other() -> None:
    net = network(trained=True)
    ids_BL = torch.randint(0, 96, (1, 20), generator=torch.Generator().manual_seed(3))
    apart_BLD = net.hidden(ids_BL, torch.tensor([[0] * 8 + [1] * 12]))
    torch.testing.assert_close(apart_BLD[:, :8], net.hidden(ids_BL[:, :8]), rtol=1e-4, atol=1e-4)
    assert not torch.allclose(net.hidden(ids_BL)[:, 7], apart_BLD[:, 7], atol=1e-2)


@pytest.mark.parametrize("changes", [{"near": -1}, {"near": 9}, {"near": 1.5}, {"near": 2, "attention": "causal"}])
def test_an_impossible_reach_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ModelError, match="near"):
        Config.of({**WITHOUT.to_json(), **changes})


@torch.no_grad()
def test_bfloat16_stays_bfloat16_past_the_neighbours() -> None:
    net = Backbone(WITH)
    initialise(net, torch.Generator().manual_seed(0))
    ids = torch.randint(4, 90, (1, 20), generator=torch.Generator().manual_seed(1))
    want = torch.ones_like(ids, dtype=torch.bool)
    exact = net(ids, want)
    small = net.to(torch.bfloat16)(ids, want)
    assert small.dtype == torch.bfloat16
    assert float((small.float() - exact).norm() / exact.norm()) < 0.03
