"""Repair what does not parse by the smallest change: of one lexeme, certified by the parser, chosen by the model.

The faults are the damage: nothing is taken for granted but what parses. A file that parses is left alone, and one
that cannot be repaired stays as it was.
"""

import time
from bisect import bisect_left
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from dcode.diffusion.plan import Plan
from dcode.errors import InputError, OutOfTime
from dcode.jobs.fill import is_late
from dcode.jobs.infill import infill
from dcode.jobs.rank import Ranking, ranked
from dcode.model.load import Model
from dcode.syntax.changes import Words, advances, changes
from dcode.syntax.check import file_faults
from dcode.syntax.grammar import Grammar
from dcode.syntax.lexer import lexemes
from dcode.syntax.lines import lines_around
from dcode.syntax.suspects import detections
from dcode.text.edit import Edit
from dcode.text.fault import Fault
from dcode.text.frame import Frame, Slot
from dcode.text.result import Region, Result, Stopped
from dcode.text.source import Source
from dcode.text.span import Span

ROUNDS = 8
"""Changes to one file at most, one after another."""

FORWARDS = 64
"""Nothing more is begun once so many were spent. Of 495 damaged library files that were mended three took over 21; five
that were not would have gone on to hundreds."""

LEVELS = 2
"""How far from the faults to look for a change of one lexeme before several are written anew."""

WIDTHS = (1, 2, 4)
"""So many lexemes on each side of a detection are then written anew."""

TRIED = 12
"""So many changes, the most likely ones, are judged in the whole file."""


@dataclass(frozen=True, slots=True)
class Mended:
    """A view with the regions that differ from the original, what is still wrong with it, and what it cost."""

    view: bytes
    regions: tuple[Region, ...]
    faults: tuple[Fault, ...]
    forwards: int = 0
    rounds: int = 0


def fix(
    source: Source, model: Model, grammar: Grammar, plan: Plan, *, deadline: float | None = None
) -> Iterator[Frame | Result]:
    """Make the file parse; a Frame for every change, then one Result.

    Its regions are what changed: none if nothing was wrong. If it cannot be repaired, or not before the deadline
    (time.monotonic), its one region stays as it is and is called failed.
    """
    begun = time.monotonic()
    before = file_faults(grammar, source.view)
    now = Mended(source.view, (), before)
    stopped: Stopped = "clean"
    while now.faults:
        if is_late(deadline):
            stopped = "time"
            break
        rounds = now.rounds
        if rounds < ROUNDS and now.forwards < FORWARDS:
            now = yield from _one_change(now, model, grammar, begun, deadline)
        if now.rounds == rounds < ROUNDS:
            now = yield from _anew(now, model, grammar, plan, deadline)
        if now.rounds == rounds:
            stopped = "time" if is_late(deadline) else "rounds" if now.forwards < FORWARDS else "forwards"
            break
    seconds = {"total": time.monotonic() - begun}
    if now.faults:
        region = _left_alone(source.view, before)
        yield Result((region,), source.view, before, before, now.forwards, now.rounds, seconds, stopped)
    else:
        yield Result(now.regions, now.view, before, (), now.forwards, now.rounds, seconds, stopped)


def _one_change(
    now: Mended, model: Model, grammar: Grammar, begun: float, deadline: float | None
) -> Generator[Frame, None, Mended]:
    """The text after the likeliest change of one lexeme that mends it, or else brings it further; as it is if there
    is none, or none was found in time."""
    forwards, further = now.forwards, now
    for search in _searches(now, grammar):
        for found in search:
            if is_late(deadline):
                return replace(further, forwards=forwards)
            ranking = ranked(grammar, now.view, found, model)
            forwards += ranking.forwards
            best = _likeliest(now, ranking, grammar)
            if further is now or not best.faults:
                further = best
            if not further.faults:
                break
        if further is not now:
            yield _frame(further, time.monotonic() - begun)
            break
    return replace(further, forwards=forwards)


def _searches(now: Mended, grammar: Grammar) -> Iterator[Iterable[list[Edit]]]:
    """Changes that mend what is around the faults, ever further away; then those that leave less to mend."""
    words = Words.of(grammar, now.view)
    for level in range(LEVELS):
        yield changes(grammar, now.view, now.faults, words, level)
    yield [advances(grammar, now.view, now.faults, words)]


def _likeliest(now: Mended, ranking: Ranking, grammar: Grammar) -> Mended:
    """The text after the likeliest of these changes that mends it, or else brings it further; as it is if none does."""
    further = now
    for edit, confidence in ranking.edits[:TRIED]:
        after = _after(now, edit, confidence, grammar)
        if not after.faults:
            return after
        if further is now and _is_further(after, now):
            further = after
    return further


def _anew(
    now: Mended, model: Model, grammar: Grammar, plan: Plan, deadline: float | None
) -> Generator[Frame, None, Mended]:
    """The text after the model has written some lexemes in doubt anew, few at first; as it is if nothing came of it."""
    source = Source.of(now.view, "draft")
    forwards = now.forwards
    if model.is_causal and (model.framing is None or not model.framing.hole):
        return now  # it was never taught to fill a hole
    for span in _doubtful(now, grammar):
        if forwards >= FORWARDS or is_late(deadline):
            break
        try:
            for seen in infill(source, [span], model, grammar, plan, deadline=deadline):
                if isinstance(seen, Frame):
                    yield seen
                    continue
                forwards += seen.forwards
                region = seen.regions[0]
                after = _after(now, region.edit, region.confidence, grammar)
                code = lexemes(grammar, region.new, Span(0, len(region.new)))
                if code and region.verdict in ("verified", "uncertified") and _is_further(after, now):
                    return replace(after, forwards=forwards)
        except (InputError, OutOfTime):
            break
    return replace(now, forwards=forwards)


def _doubtful(now: Mended, grammar: Grammar) -> list[Span]:
    """So many lexemes before and behind each place where a checker noticed, in its lines and those beside them."""
    spans: list[Span] = []
    for wide in WIDTHS:
        for at in detections(now.view, now.faults):
            near = lexemes(grammar, now.view, lines_around(now.view, Span(at, at), 1))
            index = bisect_left([one.end for one in near], at)
            chosen = near[max(0, index - wide) : index + wide]
            spans += [Span(chosen[0].start, chosen[-1].end)] if chosen else []
    return list(dict.fromkeys(spans))


def _after(now: Mended, edit: Edit, confidence: float, grammar: Grammar) -> Mended:
    """What is left to do once the edit is made."""
    view = now.view[: edit.span.start] + edit.new + now.view[edit.span.end :]
    return Mended(view, merged(now, edit, confidence), file_faults(grammar, view), now.forwards, now.rounds + 1)


def _is_further(after: Mended, now: Mended) -> bool:
    """Whether faults became fewer, or the first ones moved down: of many that do not depend on each other, checkers
    that name only the first may name any."""
    return len(after.faults) < len(now.faults) or _left(after) < _left(now)


def _left(now: Mended) -> int:
    """How many bytes lie behind the first fault of every checker."""
    first: dict[str, int] = {}
    for fault in now.faults:
        first.setdefault(fault.checker, len(now.view) - fault.span.start + 1)
    return sum(first.values())


def merged(now: Mended, edit: Edit, confidence: float) -> tuple[Region, ...]:
    """The regions with one more edit of what they made of the original; what touches becomes one region."""
    ahead, touched, behind = [], [], []
    start, end = edit.span.start, edit.span.end
    moved = moved_ahead = 0
    for one in now.regions:
        here = Span(one.span.start + moved, one.span.start + moved + len(one.new))
        moved += len(one.new) - len(one.span)
        if here.end < edit.span.start:
            ahead.append(one)
            moved_ahead = moved
        elif here.start > edit.span.end:
            behind.append(one)
        else:
            touched.append(one)
            start, end = min(start, here.start), max(end, here.end)
    old = _original(now, start, end, touched, moved_ahead)
    new = now.view[start : edit.span.start] + edit.new + now.view[edit.span.end : end]
    sure = min([confidence, *(one.confidence for one in touched)])
    at = start - moved_ahead
    return (*ahead, Region(Span(at, at + len(old)), old, new, "verified", sure), *behind)


def _original(now: Mended, start: int, end: int, touched: Sequence[Region], moved: int) -> bytes:
    """What stood in the original where `start` to `end` of the view is now."""
    parts, at = [], start
    for one in touched:
        here = one.span.start + moved
        parts += [now.view[at:here], one.old]
        at = here + len(one.new)
        moved += len(one.new) - len(one.span)
    return b"".join([*parts, now.view[at:end]])


def _left_alone(view: bytes, faults: Sequence[Fault]) -> Region:
    """The first line that a fault is in, as it was."""
    at = faults[0].span.start
    span = lines_around(view, Span(at, at))
    text = view[span.start : span.end]
    return Region(span, text, text, "failed", 0.0)


def _frame(after: Mended, seconds: float) -> Frame:
    """What may be seen of a change: the regions so far in their lines."""
    holes = tuple((Slot(one.new.decode("utf-8", "replace"), "fresh", one.confidence),) for one in after.regions)
    return Frame(after.rounds, ROUNDS, holes, 0, len(after.faults), seconds, phase="rank")
