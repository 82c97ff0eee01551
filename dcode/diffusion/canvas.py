"""The tokenized view in which only hole slots may change. It knows bytes and ids, not files, languages or networks.

Shapes: L positions. A position is FIXED (context), OPEN (a masked slot) or TAKEN (a slot that holds an id).
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate

import torch
from torch import Tensor

from dcode.text.checker import Draft
from dcode.text.span import Span

FIXED, OPEN, TAKEN = 0, 1, 2


@dataclass(frozen=True)
class Vocabulary:
    """What ids stand for: `pieces[id]` are its bytes; `void_id` renders to nothing (None: the model has no voids).

    `suppressed` ids are never chosen: the mask itself, other special tokens, ids without text. A slot that chooses
    `expand_id` becomes two open ones, one that chooses `delete_id` vanishes (arXiv 2602.01326; None: not trained to).
    Of what is written from the left nothing comes behind one of the `stops`.
    """

    pieces: tuple[bytes, ...]
    mask_id: int
    void_id: int | None
    suppressed: tuple[int, ...]
    expand_id: int | None = None
    delete_id: int | None = None
    stops: frozenset[int] = frozenset()

    @cached_property
    def blank(self) -> tuple[int, ...]:
        """Ids that render to nothing but white space: the void, indents, newlines."""
        return tuple(number for number, piece in enumerate(self.pieces) if not piece.strip())

    def continuing(self, text: bytes) -> list[int]:
        """Ids whose bytes begin a text, or that it begins; every text has a first byte, and every byte an id."""
        never = {*self.suppressed, *self.stops}
        pieces = enumerate(self.pieces)
        return [n for n, p in pieces if p and n not in never and (p.startswith(text) or text.startswith(p))]

    @cached_property
    def _spelling(self) -> dict[bytes, int]:
        """The first id of every text that may be written."""
        never = {*self.suppressed, self.expand_id, self.delete_id}
        pieces = enumerate(self.pieces)
        return {piece: number for number, piece in reversed([*pieces]) if piece and number not in never}

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self._spelling), default=0)

    def spell(self, text: bytes) -> tuple[int, ...] | None:
        """Ids that render to a text, the longest pieces first; None if there are none."""
        ids: list[int] = []
        at = 0
        while at < len(text):
            ends = range(min(len(text), at + self._longest), at, -1)
            end = next((end for end in ends if text[at:end] in self._spelling), None)
            if end is None:
                return None
            ids.append(self._spelling[text[at:end]])
            at = end
        return tuple(ids)


@dataclass(frozen=True)
class Canvas:
    """One row. `ranges` are the positions of each hole; `fixed` the exact bytes before, between and after them.

    `draft()` is always the whole file: the first and last of `fixed` reach beyond what the network sees.
    `room`: how many more slots each hole may grow by. `is_over`: whether a text written so
    far needs no more; `forced`: what the text of the only hole begins with. A transition returns a new canvas.
    """

    ids_L: Tensor
    state_L: Tensor
    ranges: tuple[range, ...]
    fixed: tuple[bytes, ...]
    vocabulary: Vocabulary
    room: tuple[int, ...] = ()
    is_over: Callable[[bytes], object] | None = None
    forced: bytes = b""

    @staticmethod
    def of(
        context: Sequence[Sequence[int]],
        slots: Sequence[int],
        fixed: Sequence[bytes],
        vocabulary: Vocabulary,
        room: Sequence[int] = (),
    ) -> "Canvas":
        """Holes of so many `slots` between the context pieces (one more than holes), all of them masked."""
        assert len(context) == len(fixed) == len(slots) + 1 and len(context[0]) > 0, "position 0 is never a slot"
        ids: list[int] = list(context[0])
        state = [FIXED] * len(ids)
        ranges = []
        for count, after in zip(slots, context[1:], strict=True):
            ranges.append(range(len(ids), len(ids) + count))
            ids += [vocabulary.mask_id] * count + list(after)
            state += [OPEN] * count + [FIXED] * len(after)
        room = tuple(room) or (0,) * len(ranges)
        return Canvas(torch.tensor(ids), torch.tensor(state), tuple(ranges), tuple(fixed), vocabulary, room)

    def __len__(self) -> int:
        return len(self.ids_L)

    @property
    def open_L(self) -> Tensor:
        """True at masked slots."""
        return self.state_L == OPEN

    @property
    def taken_L(self) -> Tensor:
        """True at slots that hold an id."""
        return self.state_L == TAKEN

    def commit(self, positions_N: Tensor, ids_N: Tensor) -> "Canvas":
        """Fill open slots."""
        assert bool((self.state_L[positions_N] == OPEN).all()), "only open slots can be filled"
        return replace(
            self,
            ids_L=self.ids_L.index_copy(0, positions_N, ids_N),
            state_L=self.state_L.index_fill(0, positions_N, TAKEN),
        )

    def remask(self, positions_N: Tensor) -> "Canvas":
        """Open taken slots again."""
        assert bool((self.state_L[positions_N] == TAKEN).all()), "only taken slots can be opened"
        return replace(
            self,
            ids_L=self.ids_L.index_fill(0, positions_N, self.vocabulary.mask_id),
            state_L=self.state_L.index_fill(0, positions_N, OPEN),
        )

    def resized(self, expanded: Collection[int], deleted: Collection[int]) -> tuple["Canvas", Tensor]:
        """Open slots become two, or vanish; also where each position was before, -1 for a slot that is new."""
        assert all(self.state_L[position] == OPEN for position in (*expanded, *deleted)), "only open slots change"
        origin: list[int] = []
        ranges: list[range] = []
        at = 0
        for hole in self.ranges:
            origin += range(at, hole.start)
            start = len(origin)
            for position in hole:
                origin += () if position in deleted else (position, -1) if position in expanded else (position,)
            ranges.append(range(start, len(origin)))
            at = hole.stop
        origin += range(at, len(self))
        room = tuple(left - sum(p in expanded for p in hole) for left, hole in zip(self.room, self.ranges, strict=True))
        assert min(room, default=0) >= 0, "a hole has no room to grow"
        index_L = torch.tensor(origin)
        old_L = index_L.clamp_min(0)
        fresh_L = index_L < 0
        ids_L = self.ids_L[old_L].masked_fill(fresh_L, self.vocabulary.mask_id)
        state_L = self.state_L[old_L].masked_fill(fresh_L, OPEN)
        changed = replace(self, ids_L=ids_L, state_L=state_L, ranges=tuple(ranges), room=room)
        return changed, index_L

    def ended(self) -> "Canvas":
        """The same, with voids in the open slots of a hole whose text is over, or has a stop."""
        vocabulary, canvas = self.vocabulary, self
        if not vocabulary.stops and self.is_over is None:
            return self
        assert vocabulary.void_id is not None, "the rest of a hole that is over is void"
        for hole in self.ranges:
            open_L = self.open_L[hole.start : hole.stop]
            ids = self.ids_L[hole.start : hole.stop][~open_L].tolist()
            over = not vocabulary.stops.isdisjoint(ids[-1:])
            if not over and self.is_over is not None:
                over = bool(self.is_over(b"".join(vocabulary.pieces[number] for number in ids)))
            if over and bool(open_L.any()):
                rest_N = open_L.nonzero()[:, 0] + hole.start
                canvas = canvas.commit(rest_N, torch.full_like(rest_N, vocabulary.void_id))
        return canvas

    def closed(self) -> "Canvas":
        """The same, but no hole may grow."""
        return replace(self, room=(0,) * len(self.ranges))

    def text(self, position: int) -> bytes:
        """The bytes a slot renders to; an open one to none."""
        return self.vocabulary.pieces[int(self.ids_L[position])] if self.state_L[position] == TAKEN else b""

    def fills(self) -> tuple[bytes, ...]:
        """The bytes of every hole."""
        texts = [self.vocabulary.pieces[n] if state == TAKEN else b"" for n, state in self._slots]
        return tuple(b"".join(texts[hole.start : hole.stop]) for hole in self.ranges)

    @property
    def _slots(self) -> list[tuple[int, int]]:
        """Id and state of every position."""
        return list(zip(self.ids_L.tolist(), self.state_L.tolist(), strict=True))

    def draft(self) -> Draft:
        """The whole file with the fills in place."""
        spans, parts, at = [], [self.fixed[0]], len(self.fixed[0])
        for fill, after in zip(self.fills(), self.fixed[1:], strict=True):
            spans.append(Span(at, at + len(fill)))
            parts += [fill, after]
            at += len(fill) + len(after)
        return Draft(b"".join(parts), tuple(spans))

    def offsets(self) -> dict[int, Span]:
        """Where in the draft each slot's bytes lie."""
        found: dict[int, Span] = {}
        for hole, span in zip(self.ranges, self.draft().holes, strict=True):
            ends = list(accumulate((len(self.text(position)) for position in hole), initial=span.start))
            found.update({position: Span(ends[i], ends[i + 1]) for i, position in enumerate(hole)})
        return found

    def taken_in(self, spans: Sequence[Span]) -> Tensor:
        """Positions of taken slots whose bytes overlap the spans of the draft; empty slots that touch them count."""
        offsets = self.offsets()
        hits = [
            position
            for position, own in offsets.items()
            if self.state_L[position] == TAKEN
            and any(own.overlaps(span) or (len(own) == 0 and span.start <= own.start <= span.end) for span in spans)
        ]
        return torch.tensor(hits, dtype=torch.long)
