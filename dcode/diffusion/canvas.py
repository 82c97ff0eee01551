"""The tokenized view in which only hole slots may change. It knows bytes and ids, not files, languages or networks.

Shapes: L positions. A position is FIXED (context), OPEN (a masked slot) or TAKEN (a slot that holds an id).
"""

from collections.abc import Sequence
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

    `suppressed` ids are never chosen: the mask itself, other special tokens, ids without text.
    """

    pieces: tuple[bytes, ...]
    mask_id: int
    void_id: int | None
    suppressed: tuple[int, ...]

    @cached_property
    def blank(self) -> tuple[int, ...]:
        """Ids that render to nothing but white space: the void, indents, newlines."""
        return tuple(number for number, piece in enumerate(self.pieces) if not piece.strip())


@dataclass(frozen=True)
class Canvas:
    """One row. `ranges` are the positions of each hole; `fixed` the exact bytes before, between and after them.

    `draft()` is always the whole file: the first and last of `fixed` reach beyond what the network sees.
    A transition returns a new canvas.
    """

    ids_L: Tensor
    state_L: Tensor
    ranges: tuple[range, ...]
    fixed: tuple[bytes, ...]
    vocabulary: Vocabulary

    @staticmethod
    def of(
        context: Sequence[Sequence[int]], slots: Sequence[int], fixed: Sequence[bytes], vocabulary: Vocabulary
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
        return Canvas(torch.tensor(ids), torch.tensor(state), tuple(ranges), tuple(fixed), vocabulary)

    def __len__(self) -> int:
        return len(self.ids_L)

    @property
    def open_L(self) -> Tensor:
        """True at masked slots."""
        return self.state_L == OPEN

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

    def text(self, position: int) -> bytes:
        """The bytes a slot renders to; an open one to none."""
        return self.vocabulary.pieces[int(self.ids_L[position])] if self.state_L[position] == TAKEN else b""

    def fills(self) -> tuple[bytes, ...]:
        """The bytes of every hole."""
        return tuple(b"".join(self.text(position) for position in hole) for hole in self.ranges)

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
