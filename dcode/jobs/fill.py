"""Fill one canvas with a model: the sampling loop turned into Frames and an Outcome. All jobs go through here."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from dcode.diffusion.canvas import OPEN, TAKEN, Canvas, Vocabulary
from dcode.diffusion.plan import Plan
from dcode.diffusion.sampler import Step, denoise
from dcode.errors import OutOfTime
from dcode.model.load import Model
from dcode.text.checker import Checker
from dcode.text.fault import Fault
from dcode.text.frame import Frame, Slot, SlotState
from dcode.text.result import Result, Stopped, Verdict

FENCE = b"```"
"""What stands around code in the answers of chat models."""

NEAR = 3
"""Lines of the surroundings that a Frame carries on each side of a hole, the hole's own among them."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The fills of a canvas's holes and their mean confidences; the new faults that remain, and what it cost."""

    fills: tuple[bytes, ...]
    confidence: tuple[float, ...]
    faults: tuple[Fault, ...]
    forwards: int
    repairs: int
    stopped: Stopped


def fill(
    canvas: Canvas, model: Model, plan: Plan, checker: Checker | None, deadline: float | None, attempt: int = 0
) -> Iterator[Frame | Outcome]:
    """Yield a Frame per forward pass, then the Outcome; `attempt` is the number of the candidate.

    After `deadline` (time.monotonic) the furthest full canvas is the outcome; OutOfTime if there is none. How sure the
    model is, it was when it took a token.
    """
    begun = time.monotonic()
    last: Step | None = None
    stopped: Stopped | None = None
    for step in denoise([canvas], model.predict, plan, [checker]):
        last = step
        yield frame(step, time.monotonic() - begun, attempt)
        if is_late(deadline) and step.repair.stopped is None:
            stopped = "time"
            break
    assert last is not None
    if last.repair.best is None:
        raise OutOfTime("the time budget ended before every slot was filled", hint="allow more with --time-budget")
    best, sure_L = last.repair.best, last.best_confidence_L
    sure = tuple(_mean([float(sure_L[place]) for place in hole if best.text(place)]) for hole in best.ranges)
    stopped = stopped or last.repair.stopped or "rounds"
    yield Outcome(best.fills(), sure, last.repair.faults, last.index, last.repair.rounds, stopped)


def is_late(deadline: float | None) -> bool:
    """Whether a deadline (time.monotonic) is over."""
    return deadline is not None and time.monotonic() > deadline


def distinct(results: Iterable[Result]) -> list[Result]:
    """The results without those whose text came up before."""
    first: dict[bytes, Result] = {}
    for result in results:
        first.setdefault(result.view, result)
    return list(first.values())


def _mean(values: Sequence[float]) -> float:
    """1 of nothing: who writes nothing doubts nothing."""
    return sum(values) / len(values) if values else 1.0


def frame(step: Step, seconds: float, attempt: int) -> Frame:
    """What may be seen of a step."""
    fresh, dropped = set(step.committed), set(step.dropped)

    states, ids, sure = step.canvas.state_L.tolist(), step.canvas.ids_L.tolist(), step.confidence_L.tolist()
    pieces = step.canvas.vocabulary.pieces

    def slot(position: int) -> Slot:
        if states[position] != TAKEN:
            return Slot("", "dropped" if position in dropped else "masked", sure[position])
        state: SlotState = "fresh" if position in fresh else "taken"
        return Slot(pieces[ids[position]].decode("utf-8", "replace"), state, sure[position])

    holes = tuple(tuple(slot(position) for position in hole) for hole in step.canvas.ranges)
    masked = int((step.canvas.state_L == OPEN).sum())
    near = around(step.canvas.fixed)
    return Frame(
        step.index, step.limit, holes, masked, len(step.repair.faults), seconds, near, attempt, phase=step.phase
    )


@lru_cache(maxsize=4)
def around(fixed: tuple[bytes, ...]) -> tuple[str, ...]:
    """The lines next to the holes: so many of each piece, from its end before a hole, from its start behind one."""
    first, *between, last = (piece.decode("utf-8", "replace").split("\n") for piece in fixed)
    middle = [piece if len(piece) <= 2 * NEAR else [*piece[:NEAR], "···", *piece[-NEAR:]] for piece in between]
    return tuple("\n".join(lines) for lines in (first[-NEAR:], *middle, last[:NEAR]))


def verdict(outcome: Outcome, checker: Checker | None) -> Verdict:
    """What the checker says of an outcome, before any fallback."""
    if checker is None:
        return "unchecked"
    if outcome.faults or outcome.stopped not in ("clean", "time"):
        return "failed"
    return "verified" if checker.witness() is not None else "uncertified"


def vocabulary(model: Model, *, ends: bool = False) -> Vocabulary:
    """The ids a model may write: no special tokens but those that change a hole's length, no control characters.

    With `ends` the mark of the end stands for a void slot where a model has no other: what is written is open-ended.
    """
    known = model.tokenizer
    void = known.end_id if ends and known.void_id is None else known.void_id
    return _vocabulary(known.pieces, (known.mask_id, void, known.expand_id, known.delete_id), model.vocab, ends)


def from_the_left(model: Model) -> Vocabulary:
    """The ids that a left-to-right model may write, and those that end what it writes."""
    assert model.framing is not None, "who asks knows how"
    return _from_the_left(model.tokenizer.pieces, model.framing.stop_ids(model.tokenizer), model.tokenizer.end_id)


@lru_cache(maxsize=4)
def _from_the_left(pieces: tuple[bytes, ...], stops: frozenset[int], end_id: int) -> Vocabulary:
    stops |= {end_id}
    unfit = (n for n, piece in enumerate(pieces) if n not in stops and (not piece or _has_control(piece)))
    return Vocabulary(pieces, end_id, end_id, tuple(unfit), stops=stops)


def _has_control(piece: bytes) -> bool:
    return any((byte < 32 and byte not in (9, 10)) or byte == 127 for byte in piece)


@lru_cache(maxsize=4)
def _vocabulary(
    pieces: tuple[bytes, ...], ids: tuple[int, int | None, int | None, int | None], size: int, ends: bool
) -> Vocabulary:
    mask_id, void_id, expand_id, delete_id = ids

    def unfit(number: int) -> bool:
        if number >= len(pieces) or not pieces[number]:
            return number not in ids[1:]
        # A model that answers in a code fence is to end where it would close the fence.
        fence = ends and FENCE in pieces[number]
        return fence or _has_control(pieces[number])

    suppressed = tuple(number for number in range(size) if unfit(number))
    return Vocabulary(pieces, mask_id, void_id, suppressed, expand_id, delete_id)
