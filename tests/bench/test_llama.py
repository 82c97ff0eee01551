"""dcode beside llama.cpp, without it: the same text on both sides, turns, the better of the threads."""

from typing import Any

import pytest

from dcode.bench import llama
from dcode.bench.llama import BEFORE, BEHIND, Pair, around, compare, table
from dcode.diffusion.plan import Plan
from dcode.syntax.grammar import grammar
from tests.cli.scripted import Script
from tests.oracle import random_model, tokenizer

TEXT = b"".join(b"def f%d(a):\n    return a + %d\n\n\n" % (n, n) for n in range(120))


@pytest.mark.parametrize("count", [1, 21])
def test_a_hole_has_the_tokens_around_it_that_its_name_says(count: int) -> None:
    before, there, behind = around(TEXT, count, tokenizer())
    assert before + there + behind in TEXT and there.count(b"\n") == count
    for text, most in ((before, BEFORE), (behind, BEHIND)):
        tokens = sum(len(tokenizer().encode(line)) for line in text.splitlines(keepends=True))
        assert most - 40 < tokens <= most


def test_sides_take_turns_on_every_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Any] = []
    monkeypatch.setattr(llama, "infill", Script([("return 7", "verified")]).infill)

    def ask(act: str, **arguments: Any) -> dict[str, Any]:
        said.append((act, arguments.get("threads")) if act == "open" else act)
        if act == "hole":
            assert (
                arguments["bytes"] == len("return 7")
                and (arguments["before"] + arguments["behind"]).encode() not in TEXT
            )
        return {"seconds": 0.25}

    model = random_model(window=1024)
    pairs = list(compare(model, Plan(steps=2), grammar("python"), TEXT, ask, lambda n: said.append(n), runs=2))  # type: ignore[arg-type]
    assert [pair.name.split(",")[0] for pair in pairs][:3] == [
        "read 512 tokens",
        "write 64 behind them",
        "hole of 1 line",
    ]
    assert said[:10] == [1, ("open", 1), "read", "read", "read", 2, ("open", 2), "read", "read", "read"]
    assert pairs[0].llama == {1: 2048, 2: 2048} and pairs[1].llama == {1: 256, 2: 256}
    assert all(value > 0 for pair in pairs for value in pair.dcode.values())
    assert len({len(row) for row in table(pairs)}) == 1


def test_a_ratio_is_that_of_the_better_threads() -> None:
    assert Pair("s", False, {1: 2.0, 2: 4.0}, {1: 6.0, 2: 5.0}).ratio == 2.5
    assert Pair("per s", True, {1: 30.0, 2: 40.0}, {1: 20.0, 2: 10.0}).ratio == 2
