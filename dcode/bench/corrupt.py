"""One wrong lexeme: a text that parsed and no longer does, and where it was changed.

Three kinds of noise: any known word, a word as often as it occurs, a word that fits between its neighbours. It knows
no repair.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dcode.bench.lexicon import Lexicon, is_gap, split
from dcode.syntax.check import file_faults
from dcode.text.span import Span

Noise = Literal["uniform", "frequency", "plausible"]
NOISES: tuple[Noise, ...] = ("uniform", "frequency", "plausible")

TRIES = 400
"""How many changes are tried until one breaks the text."""


@dataclass(frozen=True, slots=True)
class Corrupted:
    """A broken text; `span` is the wrong lexeme in it, `was` what stood there."""

    view: bytes
    span: Span
    was: bytes


def corrupt(lexicon: Lexicon, view: bytes, noise: Noise, generator: random.Random) -> Corrupted | None:
    """A text without faults, broken by another word in place of one lexeme; None if that is not found."""
    pieces = split(lexicon.grammar, view)
    wrong = breaking(lexicon, pieces, range(len(pieces)), 1, noise, generator)
    if wrong is None:
        return None
    ((place, word),) = wrong.items()
    at = sum(map(len, pieces[:place]))
    return Corrupted(b"".join(written(pieces, wrong)), Span(at, at + len(word)), pieces[place])


def breaking(
    lexicon: Lexicon, pieces: Sequence[bytes], within: range, count: int, noise: Noise, generator: random.Random
) -> dict[int, bytes] | None:
    """Words for `count` places, each of which breaks the text even alone; None if they are not found.

    The lexemes around them stay what they are: a new word does not grow together with them.
    """
    places = [place for place in within if not is_gap(lexicon.grammar, pieces[place])]
    wrong: dict[int, bytes] = {}
    for _ in range(TRIES if len(places) >= count else 0):
        place = generator.choice(places)
        word = draw(lexicon, pieces, place, noise, generator)
        alone, together = (written(pieces, change) for change in ({place: word}, wrong | {place: word}))
        if word == pieces[place] or place in wrong or split(lexicon.grammar, b"".join(together)) != together:
            continue
        if file_faults(lexicon.grammar, b"".join(alone)):
            wrong[place] = word
        if len(wrong) == count:
            return wrong
    return None


def written(pieces: Sequence[bytes], wrong: Mapping[int, bytes]) -> list[bytes]:
    """The pieces with the words at their places."""
    return [wrong.get(place, piece) for place, piece in enumerate(pieces)]


def draw(lexicon: Lexicon, pieces: Sequence[bytes], place: int, noise: Noise, generator: random.Random) -> bytes:
    """A known lexeme for a place, by one kind of noise; it may be the one that stands there."""
    if noise == "uniform":
        return lexicon.words[generator.choice(lexicon.lexeme_numbers)]
    if noise == "frequency":
        counts = [lexicon.counts[number] for number in lexicon.lexeme_numbers]
        return lexicon.words[generator.choices(lexicon.lexeme_numbers, counts)[0]]
    numbers, chances = fitting(lexicon, pieces, place)
    return lexicon.words[generator.choices(numbers, chances)[0]]


def fitting(lexicon: Lexicon, pieces: Sequence[bytes], place: int) -> tuple[list[int], list[float]]:
    """The known words that fit a place, without its own, and how well: lexemes for a lexeme, gaps for a gap."""
    ids = lexicon.ids(pieces[max(0, place - lexicon.ngram.width) : place + lexicon.ngram.width + 1])
    at = min(place, lexicon.ngram.width)
    numbers, chances = lexicon.likely(ids[:at], ids[at + 1 :])
    known = lexicon.gap_numbers if is_gap(lexicon.grammar, pieces[place]) else lexicon.lexeme_numbers
    fit = np.isin(numbers, known) & (np.array(numbers) != ids[at])
    return [n for n, yes in zip(numbers, fit, strict=True) if yes], chances[fit].tolist()
