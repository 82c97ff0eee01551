"""The speed bench: fair canvases and a peer of the same size. No seconds are asserted."""

from dcode.bench.peer import causal_peer
from dcode.bench.speed import CASES, Case, cut, measure, table
from dcode.diffusion.plan import Plan
from dcode.jobs.fill import vocabulary
from dcode.model.backbone import parameters
from tests.oracle import random_model

TEXT = b"for number in range(10):\n    total = total + number * 2\n" * 60


def test_every_canvas_has_the_size_its_name_says() -> None:
    model = random_model(window=1024)
    ids = model.tokenizer.encode(TEXT)
    for case in CASES:
        canvas = cut(case, ids, vocabulary(model))
        assert len(canvas) == case.context + case.slots
        assert int(canvas.open_L.sum()) == case.slots
        assert bool(canvas.open_L[-1]) == bool(case.block)


def test_the_peer_is_as_large_in_every_part() -> None:
    net = random_model().net
    taps = sum(weight.numel() for name, weight in net.named_parameters() if name.endswith(".taps"))
    assert parameters(causal_peer(net.config)) == parameters(net) - taps, "all but the neighbours, which its kind lacks"


def test_what_does_not_fit_the_window_is_left_out_and_the_counts_are_true() -> None:
    cases = (Case("small", 20, (6, 2)), Case("large", 500, (8,)))
    seen = list(measure(random_model(), Plan(steps=4), TEXT, runs=1, cases=cases))
    assert [one.way for one in seen] == ["dcode", "dcode, one token a forward", "causal peer, cached"]
    assert {one.case for one in seen} == {"small"}
    assert seen[0].forwards <= 4 and seen[0].positions == seen[0].forwards * 28
    assert (seen[2].forwards, seen[2].positions) == (8, 27)
    rows = table(seen)
    assert len(rows) == 4 and len({len(row) for row in rows}) == 1 and rows[3][2] == "8"
