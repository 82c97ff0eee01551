"""A lane gives what a whole forward gives; what is read beside it, too."""

import pytest
import torch

from dcode.diffusion.reader import Branch, read
from dcode.model.load import Model
from tests.oracle import random_model


@pytest.fixture(scope="module")
def model() -> Model:
    return random_model(seed=3, attention="causal", shift=True)


def ids_of(length: int, rows: int = 1) -> torch.Tensor:
    return torch.randint(4, 500, (rows, length), generator=torch.Generator().manual_seed(length))


def at(length: int, *places: int) -> torch.Tensor:
    return torch.isin(torch.arange(length), torch.tensor(places))[None]


def test_a_row_in_parts_is_the_row_at_once(model: Model) -> None:
    ids, lane = ids_of(40), model.lane()
    whole = model.predict(ids, at(40, 5, 20, 39))
    parts = [model.predict(ids, at(40, place), lane) for place in (5, 20, 39)]
    torch.testing.assert_close(torch.cat(parts), whole, atol=1e-5, rtol=1e-5)
    assert len(lane) == 39


def test_a_lane_finds_what_changed(model: Model) -> None:
    ids, lane = ids_of(40), model.lane()
    model.predict(ids, at(40, 39), lane)
    ids[0, 17] = 7
    torch.testing.assert_close(
        model.predict(ids, at(40, 39), lane), model.predict(ids, at(40, 39)), atol=1e-5, rtol=1e-5
    )
    assert lane.known(ids) == 39


def test_forks_go_on_apart_and_rows_may_stop(model: Model) -> None:
    ids, lane = ids_of(30), model.lane()
    model.predict(ids, at(30, 20), lane)
    forks, three = lane.fork(3), ids.repeat(3, 1)
    three[1, 20], three[2, 22] = 9, 11
    want = at(30, 29).repeat(3, 1)
    torch.testing.assert_close(model.predict(three, want, forks), model.predict(three, want), atol=1e-5, rtol=1e-5)
    forks.keep([0, 2])
    assert forks.numbers == (0, 2) and forks.known(three[[0, 2]]) == 29 and len(lane) == 20
    longer = torch.cat((three[[0, 2]], ids_of(2, 2)), 1)
    want = at(32, 31).repeat(2, 1)
    torch.testing.assert_close(model.predict(longer, want, forks), model.predict(longer, want), atol=1e-5, rtol=1e-5)


def test_texts_beside_a_lane_are_read_as_if_they_stood_there(model: Model) -> None:
    ids, lane = ids_of(30), model.lane()
    model.predict(ids, at(30, 20), lane)
    trunk = ids[0, 20:28].tolist()
    branches = [Branch(3, (5, 6, 7)), Branch(0, (9,)), Branch(8, (11, 12, 13, 14))]
    first, others = read(trunk, branches, model, lane)

    def exact(before: list[int], text: list[int]) -> torch.Tensor:
        row = torch.tensor([[*ids[0, :20].tolist(), *before, *text]])
        want = torch.arange(row.shape[1])[None] >= 20 + len(before)
        return torch.log_softmax(model.predict(row, want), -1).gather(1, torch.tensor(text)[:, None])[:, 0]

    torch.testing.assert_close(first, exact([], trunk), atol=1e-5, rtol=1e-5)
    for branch, found in zip(branches, others, strict=True):
        torch.testing.assert_close(found, exact(trunk[: branch.after], [*branch.ids]), atol=1e-5, rtol=1e-5)
    assert len(lane) == 20
