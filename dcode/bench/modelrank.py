"""A network as a Ranker: all places are masked at once, and one forward pass says what it would write there.

A place has at least SLOTS slots; what takes fewer ends in voids. It knows no faults.

Shapes: B rows (one), L positions, S slots of a place, V vocabulary.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor

from dcode.bench.rank import PROPOSALS
from dcode.model.load import Model
from dcode.text.span import Span

SLOTS = 2


@dataclass(frozen=True)
class ModelRanker:
    """Asks a model. Insertions are not ranked: with masks between all lexemes there would be nothing left to see."""

    model: Model

    def proposals(self, view: bytes, spans: Sequence[Span]) -> Mapping[Span, tuple[bytes, ...]]:
        """The likeliest first tokens at every lexeme, without blanks."""
        found = {}
        for span, log_p_SV in self._log_p(view, spans).items():
            likely = log_p_SV[0].topk(PROPOSALS).indices.tolist()
            texts = (self.model.tokenizer.pieces[number].strip() for number in likely)
            found[span] = tuple(dict.fromkeys(text for text in texts if text))
        return found

    def gains(self, view: bytes, fillers: Mapping[Span, Sequence[bytes]]) -> dict[Span, float]:
        """By the product of the chances at the slots of a place; what does not fit there is not likely at all."""
        found = {}
        for span, log_p_SV in self._log_p(view, [span for span, choice in fillers.items() if choice]).items():
            now = self._chance(log_p_SV, view[span.start : span.end])
            found[span] = max(self._chance(log_p_SV, filler) for filler in fillers[span]) - now
        return found

    def _chance(self, log_p_SV: Tensor, text: bytes) -> float:
        ids, slots = self.model.tokenizer.encode(text), len(log_p_SV)
        void = self.model.tokenizer.void_id
        if len(ids) > slots or (len(ids) < slots and void is None):
            return -torch.inf
        wanted_S = torch.tensor([*ids, *[void] * (slots - len(ids))], dtype=torch.long)
        return float(log_p_SV.gather(1, wanted_S[:, None]).sum())

    @torch.inference_mode()
    def _log_p(self, view: bytes, spans: Sequence[Span]) -> dict[Span, Tensor]:
        """Log probabilities [S, V] at each place that is not empty and fits the window."""
        encode, mask = self.model.tokenizer.encode, self.model.tokenizer.mask_id
        places = disjoint(spans)
        if not places:
            return {}
        slots = [max(SLOTS, len(encode(view[span.start : span.end]))) for span in places]
        first, *after = (encode(view[start:end]) for start, end in between(places, len(view)))
        room = self.model.window - sum(slots) - sum(map(len, after[:-1]))
        ids = [*encode(b"\n"), *first][-max(1, room // 2) :]
        for count, text in zip(slots, after, strict=True):
            ids += [*[mask] * count, *text]
        ids_BL = torch.tensor([ids[: self.model.window]])
        logits_NV = self.model.predict(ids_BL, torch.eq(ids_BL, mask))
        log_p_NV = torch.log_softmax(logits_NV, dim=-1)
        rows = [slice(end - count, end) for count, end in zip(slots, accumulate(slots), strict=True)]
        return {span: log_p_NV[row] for span, row in zip(places, rows, strict=True) if row.stop <= len(log_p_NV)}


def disjoint(spans: Sequence[Span]) -> list[Span]:
    """Those that are not empty, by position, without what begins in one before."""
    kept: list[Span] = []
    for span in sorted(spans):
        if len(span) and (not kept or kept[-1].end <= span.start):
            kept.append(span)
    return kept


def between(spans: Sequence[Span], length: int) -> list[tuple[int, int]]:
    """Start and end of the texts before, between and after disjoint spans."""
    return list(zip([0, *(span.end for span in spans)], [*(span.start for span in spans), length], strict=True))
