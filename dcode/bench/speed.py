"""How fast slots are filled: the same canvases by the model's own plan, one token a forward, and by a causal peer.

Every figure is a median over runs after one warm-up, in one process with one thread count. Seconds belong to the
machine they were measured on; what carries over are the ratios and the counts of forwards.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from dcode.bench.peer import causal_peer, generate_s
from dcode.diffusion.canvas import Canvas, Vocabulary
from dcode.diffusion.plan import Plan
from dcode.diffusion.sampler import denoise
from dcode.jobs.fill import vocabulary
from dcode.model.load import Model


@dataclass(frozen=True, slots=True)
class Case:
    """A canvas: tokens of context, slots of each hole, and how many slots a block opens (0: all)."""

    name: str
    context: int
    holes: tuple[int, ...]
    block: int = 0

    @property
    def slots(self) -> int:
        """Slots of all holes."""
        return sum(self.holes)


CASES = (
    Case("G1 prompt 64, 128 new", 64, (128,), block=32),
    Case("I1 one hole of 16 in 256", 240, (16,)),
    Case("I2 four holes of 8 in 512", 480, (8, 8, 8, 8)),
    Case("I3 one hole of 32 in 1024", 992, (32,)),
)


@dataclass(frozen=True, slots=True)
class Timing:
    """One case by one way: forwards, positions they computed, median seconds, and slots filled a second."""

    case: str
    way: str
    forwards: int
    positions: int
    seconds: float
    per_s: float


TEXT_BYTES = 20_000
"""How much text the contexts of all cases need, and some to spare."""


def table(timings: Sequence[Timing]) -> list[tuple[str, ...]]:
    """A head and one row a timing; `positions` are those that all forwards of a run computed together."""
    head = ("case", "way", "forwards", "positions", "seconds", "tokens/s")
    return [
        head,
        *(
            (one.case, one.way, str(one.forwards), str(one.positions), f"{one.seconds:.3f}", f"{one.per_s:.0f}")
            for one in timings
        ),
    ]


def measure(model: Model, plan: Plan, text: bytes, *, runs: int = 5, cases: Sequence[Case] = CASES) -> Iterator[Timing]:
    """Time every case that fits the model's window; `text` is where the contexts are cut from."""
    ids = model.tokenizer.encode(text)
    peer = causal_peer(model.net.config)
    single = replace(plan, commit="fixed", per_step=1)
    for case in cases:
        if case.context + case.slots > model.window:
            continue
        assert len(ids) >= case.context, "a longer text is needed"
        canvas = cut(case, ids, vocabulary(model))
        yield _ours(case, "dcode", canvas, model, replace(plan, block=case.block), runs)
        yield _ours(case, "dcode, one token a forward", canvas, model, replace(single, block=case.block), runs)
        seconds = _median(lambda: generate_s(peer, ids[: case.context], case.slots), runs)  # noqa: B023
        computed = case.context + case.slots - 1
        yield Timing(case.name, "causal peer, cached", case.slots, computed, seconds, case.slots / seconds)


def cut(case: Case, ids: Sequence[int], known: Vocabulary) -> Canvas:
    """The holes of a case, spread evenly over its context; with one hole and a block all context stands before it."""
    parts = len(case.holes) + 1
    ends = [case.context, case.context] if case.block else [case.context * (i + 1) // parts for i in range(parts)]
    context = [list(ids[start:end]) for start, end in zip([0, *ends[:-1]], ends, strict=True)]
    return Canvas.of(context, case.holes, [b""] * parts, known)


def _ours(case: Case, way: str, canvas: Canvas, model: Model, plan: Plan, runs: int) -> Timing:
    forwards = 0

    def once() -> float:
        nonlocal forwards
        begun = time.perf_counter()
        forwards = sum(1 for _ in denoise([canvas], model.predict, plan, [None]))
        return time.perf_counter() - begun

    seconds = _median(once, runs)
    return Timing(case.name, way, forwards, forwards * len(canvas), seconds, case.slots / seconds)


def _median(once: Callable[[], float], runs: int) -> float:
    once()
    return statistics.median(once() for _ in range(runs))
