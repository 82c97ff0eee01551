"""Text as pieces (lexemes, and what stands between them), and how likely a piece is between its neighbours.

What a bench uses in place of a network: n-grams of the pieces of other files. Words that are rare there count as
their kind. It knows a grammar's lexemes, no rules.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from dcode.bench.kneserney import Floats, KneserNey
from dcode.syntax.grammar import Grammar
from dcode.syntax.lexer import is_word, lexemes
from dcode.text.span import Span

KINDS = ("gap", "name", "number", "string", "sign")
"""What a piece may be. A word that is not known stands for all of its kind."""

WORDS = 4096
ORDER = 5

LIKELY = 128
"""How many words, by what stands before them, are looked at to find the likeliest between both sides."""


@dataclass(frozen=True)
class Lexicon:
    """The known `words`, how often each occurs, and n-grams of their numbers; behind those come the kinds' numbers."""

    grammar: Grammar
    words: tuple[bytes, ...]
    counts: tuple[int, ...]
    ngram: KneserNey

    @staticmethod
    def train(grammar: Grammar, texts: Iterable[bytes], *, words: int = WORDS, order: int = ORDER) -> "Lexicon":
        """Count the pieces of whole texts."""
        streams = [split(grammar, text) for text in texts]
        counts = Counter(piece for stream in streams for piece in stream)
        known = sorted(counts, key=lambda piece: (-counts[piece], piece))[:words]
        untaught = Lexicon(grammar, tuple(known), tuple(counts[word] for word in known), KneserNey(0, np.zeros(0), ()))
        return replace(untaught, ngram=KneserNey.train(map(untaught.ids, streams), len(known) + len(KINDS), order))

    def ids(self, pieces: Iterable[bytes]) -> list[int]:
        """The number of every piece."""
        return [self._number[piece] if piece in self._number else self._kind(piece) for piece in pieces]

    def log_chances(self, before: Sequence[int], options: Sequence[Sequence[int]], after: Sequence[int]) -> Floats:
        """For each option: the logarithm of the chance that it and what comes after it follow what is before."""
        width = self.ngram.width
        start, end = self.ngram.recent(before), tuple(after[:width])
        rows = [(*start, *option, *end) for option in options]
        contexts = np.array([row[at - width : at] for row in rows for at in range(width, len(row))], dtype=np.int64)
        ids = np.array([row[at] for row in rows for at in range(width, len(row))], dtype=np.int64)
        ends = np.cumsum([len(row) - width for row in rows])
        sums = np.concatenate(([0.0], np.cumsum(np.log(self.ngram.chances(contexts.reshape(-1, width), ids)))))
        totals: Floats = sums[ends] - sums[np.concatenate(([0], ends[:-1]))]
        return totals

    def likely(self, before: Sequence[int], after: Sequence[int]) -> tuple[tuple[int, ...], Floats]:
        """The likeliest numbers between two sides, likeliest first, and their chances among themselves."""
        (row,) = self.ngram.distribution(np.array([self.ngram.recent(before)]))
        best = np.argsort(-row, kind="stable")[:LIKELY]
        logs = self.log_chances(before, [(int(number),) for number in best], after)
        order = np.argsort(-logs, kind="stable")
        chances = np.exp(logs[order] - logs[order[0]])
        return tuple(int(number) for number in best[order]), chances / chances.sum()

    @cached_property
    def lexeme_numbers(self) -> tuple[int, ...]:
        """The numbers of the known words that are lexemes."""
        return tuple(number for number, word in enumerate(self.words) if not is_gap(self.grammar, word))

    @cached_property
    def gap_numbers(self) -> tuple[int, ...]:
        """The numbers of the other known words."""
        return tuple(number for number, word in enumerate(self.words) if is_gap(self.grammar, word))

    @cached_property
    def _number(self) -> dict[bytes, int]:
        return {word: number for number, word in enumerate(self.words)}

    def _kind(self, piece: bytes) -> int:
        return len(self.words) + KINDS.index(kind(self.grammar, piece))


def split(grammar: Grammar, view: bytes) -> list[bytes]:
    """All of a text in pieces: its lexemes, and the blanks, newlines and comments between them."""
    pieces: list[bytes] = []
    done = 0
    for span in lexemes(grammar, view, Span(0, len(view))):
        pieces += [view[done : span.start], view[span.start : span.end]]
        done = span.end
    return [piece for piece in (*pieces, view[done:]) if piece]


def is_gap(grammar: Grammar, piece: bytes) -> bool:
    """Whether a piece stands between lexemes."""
    return kind(grammar, piece) == "gap"


def kind(grammar: Grammar, piece: bytes) -> str:
    """Which of KINDS a piece is."""
    comment = grammar.comment.encode()
    if piece[:1].isspace() or (comment and piece.startswith(comment)):
        return "gap"
    if piece[:1].isdigit():
        return "number"
    if is_word(piece):
        return "name"
    return "string" if piece.startswith(grammar.quotes) and len(piece) > 1 else "sign"
