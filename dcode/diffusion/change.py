"""One change of a full canvas's bytes, told in ids: which slots it needs, and where the two texts part.

It knows slots and pieces, not why a change is wanted.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from dcode.diffusion.canvas import TAKEN, Canvas
from dcode.text.checker import Certified
from dcode.text.span import Span


@dataclass(frozen=True, slots=True)
class Change:
    """A hole's new ids. `slot` is the first position that differs: it holds `old` before and `new` after.

    `keeps` are the positions whose ids move along unchanged to the hole's new positions, -1 for what is new.
    """

    hole: int
    ids: tuple[int, ...]
    keeps: tuple[int, ...]
    slot: int
    old: int
    new: int


def changes(canvas: Canvas, certified: Sequence[Certified]) -> Iterator[Change]:
    """Every certified change that fits the slots of its hole, in order."""
    offsets = canvas.offsets()
    texts = {position: canvas.text(position) for position in offsets}
    kept = canvas.ids_L.tolist()
    for place in certified:
        for filler in place.fillers:
            if (change := _change(canvas, offsets, texts, kept, place.span, filler)) is not None:
                yield change


def changed(canvas: Canvas, change: Change) -> tuple[Canvas, Tensor]:
    """The canvas after the change, full as before; also where each position was, -1 for what is new."""
    hole = canvas.ranges[change.hole]
    shift = len(change.ids) - len(hole)
    ids_L = torch.cat((canvas.ids_L[: hole.start], torch.tensor(change.ids), canvas.ids_L[hole.stop :]))
    taken = torch.full((len(change.ids),), TAKEN)
    state_L = torch.cat((canvas.state_L[: hole.start], taken, canvas.state_L[hole.stop :]))
    ranges = (
        *canvas.ranges[: change.hole],
        range(hole.start, hole.stop + shift),
        *(range(one.start + shift, one.stop + shift) for one in canvas.ranges[change.hole + 1 :]),
    )
    origin = (*range(hole.start), *change.keeps, *range(hole.stop, len(canvas)))
    return replace(canvas, ids_L=ids_L, state_L=state_L, ranges=ranges), torch.tensor(origin)


def moved(canvas: Canvas, change: Change, origin_L: Tensor) -> tuple[Canvas, Tensor]:
    """The canvas after one more change; also where its positions were before all of them, -1 for what is new."""
    canvas, before_L = changed(canvas, change)
    return canvas, torch.where(before_L < 0, -1, origin_L[before_L.clamp_min(0)])


def _change(
    canvas: Canvas,
    offsets: dict[int, Span],
    texts: dict[int, bytes],
    kept: Sequence[int],
    span: Span,
    filler: bytes,
) -> Change | None:
    """The change in ids; None if it changes none, does not fit or cannot be spelled."""
    number = next(
        (n for n, hole in enumerate(canvas.ranges) if len(hole) and _covers(offsets, hole, span)),
        None,
    )
    if number is None:
        return None
    hole = canvas.ranges[number]
    text = [position for position in hole if texts[position]]
    first = bisect_right(text, span.start, key=lambda position: offsets[position].end)
    last = max(first, bisect_left(text, span.end, key=lambda position: offsets[position].start))
    before, middle, behind = text[:first], text[first:last], text[last:]
    front = texts[middle[0]][: span.start - offsets[middle[0]].start] if middle else b""
    back = texts[middle[-1]][span.end - offsets[middle[-1]].start :] if middle else b""
    spelled = canvas.vocabulary.spell(front + filler + back)
    if spelled is None:
        return None
    keeps = (*before, *[-1] * len(spelled), *behind)
    ids = (*(kept[p] for p in before), *spelled, *(kept[p] for p in behind))
    void = canvas.vocabulary.void_id
    if void is not None:
        spare = len(hole) - len(ids)
        ids, keeps = (*ids, *[void] * spare), (*keeps, *[-1] * spare)
    if not ids or len(ids) > len(hole):
        return None
    old = [kept[position] for position in hole]
    at = next((n for n, (one, other) in enumerate(zip(old, ids, strict=False)) if one != other), len(ids))
    if at == len(ids):
        return None
    return Change(number, ids, keeps, hole.start + at, old[at], ids[at])


def _covers(offsets: dict[int, Span], hole: range, span: Span) -> bool:
    return offsets[hole[0]].start <= span.start and span.end <= offsets[hole[-1]].end
