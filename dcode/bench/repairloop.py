"""RepairLoop: does the sampling loop get a broken text to parse? The real loop, with a scripted denoiser.

The body of a function is one hole. What the denoiser writes first holds k wrong lexemes, each of which would break
it alone; what it writes after that is right as often as it is told to be. The truth is not known to the checker, so
that no witness is the truth. Of the three ways the first two differ in where the checker says the damage is, in nothing
else; the third is the loop as it is usually built.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import accumulate, product
from statistics import fmean

from dcode.bench.corrupt import breaking, fitting, written
from dcode.bench.errornodes import Ended, ErrorNodes, masked_again
from dcode.bench.lexicon import Lexicon, split
from dcode.bench.library import Function
from dcode.bench.rates import rate, rate_json
from dcode.bench.scripted import Fits, Scripted, vocabulary
from dcode.diffusion.canvas import Canvas
from dcode.diffusion.plan import Plan
from dcode.diffusion.sampler import Predict, denoise
from dcode.errors import InputError
from dcode.evaluate.report import percent
from dcode.syntax.check import GrammarChecker, file_faults
from dcode.text.checker import Checker
from dcode.text.span import Span

WRONG = (1, 4, 8)
ACCURACIES = (0.95, 0.8)

WORDS = 1024
"""How many words the denoiser knows beside those of the function: more would only make it slow."""

PIECES = range(60, 241)
"""How many slots a body has."""

SPARE = 4
"""Slots that a body has over: what is inserted needs room."""

SLOTS_A_FORWARD = 16
"""How many slots the plain run fills at least with each forward."""


@dataclass(frozen=True, slots=True)
class Loop:
    """One run: whether the loop ended without a fault, and at what cost."""

    text: str
    wrong: int
    accuracy: float
    way: str
    clean: bool
    exact: bool
    remasked: int
    forwards: int


Way = Callable[[Canvas, Predict, Plan], Ended]


@dataclass(frozen=True)
class Task:
    """The pieces of a function's `body` between `head` and the end, and the wrong words at its places."""

    name: str
    head: bytes
    body: tuple[bytes, ...]
    wrong: dict[int, bytes]


@dataclass(frozen=True)
class RepairLoop:
    """A bench bound to what it needs; called with a task it gives a `Loop` an accuracy and way."""

    lexicon: Lexicon
    seed: int

    def __call__(self, task: Task) -> list[Loop]:
        """Run the loop in every way, with the same denoiser."""
        spoilt = b"".join(written(task.body, task.wrong))
        # The hole is cut from the broken text: what the checker takes for the original is not the truth.
        checker = GrammarChecker(
            self.lexicon.grammar, task.head + spoilt, [Span(len(task.head), len(task.head + spoilt))]
        )
        grammar = self.lexicon.grammar
        ways: dict[str, Way] = {
            "R1 and ladder": partial(_sampled, checker=checker),
            "ERROR nodes": partial(_sampled, checker=ErrorNodes(grammar, checker)),
            "ERROR nodes alone": partial(masked_again, grammar=grammar, checker=checker),
        }

        @cache
        def fits(slot: int) -> tuple[list[int], list[float]]:
            return fitting(self.lexicon, task.body, slot) if 0 <= slot < len(task.body) else ([], [])

        return [self._run(task, fits, accuracy, *way) for accuracy, way in product(ACCURACIES, ways.items())]

    def _run(self, task: Task, fits: Fits, accuracy: float, name: str, way: Way) -> Loop:
        generator = random.Random(f"{self.seed} {task.name} {accuracy}")
        canvas, denoiser = scripted(self.lexicon.words, task, fits, accuracy, generator)
        plan = Plan(steps=-(-len(task.body) // SLOTS_A_FORWARD), seed=self.seed)
        text, clean, remasked, forwards = way(canvas, denoiser.predict, plan)
        clean = clean and not file_faults(self.lexicon.grammar, text)
        exact = text == task.head + b"".join(task.body)
        return Loop(task.name, len(task.wrong), accuracy, name, clean, exact, remasked, forwards)


def _sampled(canvas: Canvas, predict: Predict, plan: Plan, *, checker: Checker) -> Ended:
    """The sampling loop with a checker."""
    remasked = 0
    for step in denoise([canvas], predict, plan, [checker]):
        remasked += len(step.dropped)
    best = step.repair.best
    assert best is not None
    return Ended(best.draft().data, step.repair.stopped == "clean", remasked, step.index)


def tasks(lexicon: Lexicon, functions: Iterable[Function], wrong: int, count: int, seed: int) -> list[Task]:
    """So many functions with a body of fit length, each with so many wrong lexemes; InputError if there are fewer."""
    found: list[Task] = []
    for function in functions:
        pieces = split(lexicon.grammar, function.view)
        starts = accumulate(map(len, pieces), initial=0)
        first = next(place for place, start in enumerate(starts) if start >= function.head)
        if len(pieces) - first not in PIECES:
            continue
        generator = random.Random(f"{seed} {function.name} {wrong}")
        words = breaking(lexicon, pieces, range(first, len(pieces)), wrong, "plausible", generator)
        if words is not None:
            moved = {place - first: word for place, word in words.items()}
            found.append(Task(function.name, b"".join(pieces[:first]), tuple(pieces[first:]), moved))
        if len(found) == count:
            return found
    raise InputError(f"{count} functions were wanted, {len(found)} can be broken in {wrong} places")


def scripted(
    words: Sequence[bytes], task: Task, fits: Fits, accuracy: float, generator: random.Random
) -> tuple[Canvas, Scripted]:
    """The canvas of a task, all slots masked, and its denoiser."""
    known = vocabulary(words, task.body)
    number = {piece: n for n, piece in reversed([*enumerate(known.pieces)]) if piece}
    assert known.void_id is not None
    spare = [known.void_id] * SPARE
    # The network would see what stands before the hole; to this denoiser it says nothing.
    canvas = Canvas.of([[0], []], [len(task.body) + SPARE], [task.head, b""], known)
    truth = [*(number[piece] for piece in task.body), *spare]
    begin = [*(number[piece] for piece in written(task.body, task.wrong)), *spare]
    return canvas, Scripted(canvas, begin, truth, fits, accuracy, generator)


def table(rows: Iterable[Loop]) -> list[tuple[str, ...]]:
    """A head and one row for each number of wrong lexemes, accuracy and way."""
    head = ("wrong", "accuracy", "way", "texts", "parses", "the truth", "remasked", "forwards")
    return [
        head,
        *((f"{k}", f"{a:.2f}", way, f"{len(own)}", *_cells(own)) for (k, a, way), own in _grouped(rows).items()),
    ]


def figures(rows: Iterable[Loop]) -> list[dict[str, object]]:
    """The table as plain values."""
    return [
        {
            "wrong": wrong,
            "accuracy": accuracy,
            "way": way,
            "parses": rate_json(rate(row.clean for row in own)),
            "the truth": rate_json(rate(row.exact for row in own)),
            "remasked": round(fmean(row.remasked for row in own), 2),
            "forwards": round(fmean(row.forwards for row in own), 2),
        }
        for (wrong, accuracy, way), own in _grouped(rows).items()
    ]


def _grouped(rows: Iterable[Loop]) -> dict[tuple[int, float, str], list[Loop]]:
    groups: dict[tuple[int, float, str], list[Loop]] = {}
    for row in sorted(rows, key=lambda row: (row.wrong, -row.accuracy)):
        groups.setdefault((row.wrong, row.accuracy, row.way), []).append(row)
    return groups


def _cells(own: Sequence[Loop]) -> tuple[str, ...]:
    rates = (rate(row.clean for row in own), rate(row.exact for row in own))
    means = (fmean(row.remasked for row in own), fmean(row.forwards for row in own))
    return (*map(percent, rates), *(f"{mean:.1f}" for mean in means))
