"""How much better a text would be for a change at one place: what puts certified repairs in order.

A Ranker also proposes what may stand at a place. It knows texts and places, no faults.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from dcode.bench.lexicon import Lexicon, split
from dcode.syntax.lines import line_end, line_start
from dcode.text.span import Span

PROPOSALS = 16
"""Words that a ranker proposes for a place."""

NEAR = 160
"""Bytes on each side of a place, and what completes their lines, that n-grams are asked about."""

OTHER_LENGTH = 6.0
"""How much less likely, in nats, a lexeme too many or too few is held than a wrong one."""


class Ranker(Protocol):
    """Places are spans of the view, empty for an insertion; fillers are bytes, empty for a deletion."""

    def proposals(self, view: bytes, spans: Sequence[Span]) -> Mapping[Span, tuple[bytes, ...]]:
        """What it would write at some of these places, likeliest first."""
        ...

    def gains(self, view: bytes, fillers: Mapping[Span, Sequence[bytes]]) -> dict[Span, float]:
        """For each place: log p(best of its fillers) - log p(what stands there)."""
        ...


@dataclass(frozen=True)
class NGramRanker:
    """Asks n-grams of other files, one place after the other; the neighbours are taken as they stand."""

    lexicon: Lexicon

    def proposals(self, view: bytes, spans: Sequence[Span]) -> Mapping[Span, tuple[bytes, ...]]:
        """The likeliest known lexemes at every lexeme."""
        return {span: self._likely(view, span) for span in spans if len(span)}

    def gains(self, view: bytes, fillers: Mapping[Span, Sequence[bytes]]) -> dict[Span, float]:
        """By the chances of the fillers and of the pieces right behind them."""
        return {span: self._gain(view, span, choice) for span, choice in fillers.items() if choice}

    def _likely(self, view: bytes, span: Span) -> tuple[bytes, ...]:
        numbers, _ = self.lexicon.likely(*self._sides(view, span))
        lexemes = set(self.lexicon.lexeme_numbers)
        return tuple(self.lexicon.words[n] for n in numbers[: 2 * PROPOSALS] if n in lexemes)[:PROPOSALS]

    def _gain(self, view: bytes, span: Span, choice: Sequence[bytes]) -> float:
        before, after = self._sides(view, span)
        texts = (view[span.start : span.end], *choice)
        options = [self.lexicon.ids(split(self.lexicon.grammar, text)) for text in texts]
        now, *then = self.lexicon.log_chances(before, options, after)
        cost = (0.0 if len(span) and filler else OTHER_LENGTH for filler in choice)
        return float(max(chance - less for chance, less in zip(then, cost, strict=True)) - now)

    def _sides(self, view: bytes, span: Span) -> tuple[list[int], list[int]]:
        before = view[line_start(view, max(0, span.start - NEAR)) : span.start]
        after = view[span.end : line_end(view, span.end + NEAR)]
        width = self.lexicon.ngram.width
        pieces = (split(self.lexicon.grammar, before)[-width:], split(self.lexicon.grammar, after)[:width])
        return self.lexicon.ids(pieces[0]), self.lexicon.ids(pieces[1])
