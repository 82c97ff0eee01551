"""Documents for training, cut exactly as inference cuts them.

A document is a list of pieces that were tokenized apart: context, which stays clean, and holes, whose tokens may be
masked. It knows texts and tokens, no corpus.
"""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dcode.diffusion.noise import Schedule
from dcode.model.tokenizer import Tokenizer

BYTES_PER_TOKEN = 3.0

Document = list[tuple[list[int], bool]]
"""Ids of each piece, and whether it is a hole."""


@dataclass(frozen=True, slots=True)
class Cutter:
    """Cuts texts into documents; every method returns at most `room` tokens, or None if the text does not fit."""

    tokenizer: Tokenizer
    void_anywhere: float
    schedule: Schedule = "linear"

    def plain(self, text: str, room: int, rng: random.Random) -> Document:
        """A stretch of lines, all of it maskable; the last token marks the end if the file ends there."""
        stretch, first, last = _stretch(text, room, rng)
        head = [self.tokenizer.begin_id] * (first and room > 1)
        ids = self._encode(stretch)[: room - len(head)]
        fits = len(head) + len(ids) < room
        return [(head, False), (ids, True), ([self.tokenizer.end_id] * (fits and last), False)]

    def holes(self, text: str, room: int, rng: random.Random) -> Document | None:
        """A stretch of lines with one to four holes, clean around them."""
        stretch, first, last = _stretch(text, int(room * rng.uniform(0.5, 0.9)), rng)
        spans = cut_spans(stretch, rng)
        if not spans:
            return None
        document: Document = [([self.tokenizer.begin_id] * first, False)]
        at = 0
        for start, end in spans:
            document.append((self._encode(stretch[at:start]), False))
            document.append((self.padded(self._encode(stretch[start:end]), rng), True))
            at = end
        document.append((self._encode(stretch[at:]), False))
        document.append(([self.tokenizer.end_id] * last, False))
        return _trim(document, room)

    def request(self, header: str, code: str, room: int, rng: random.Random, *, begun: bool = False) -> Document | None:
        """Comment lines that ask, then code in one hole, as `dcode gen` and `dcode edit` write them.

        `begun`: some of the code stands there already.
        """
        body = self._encode(code.rstrip("\n"))
        if len(body) + 8 > room:
            return None
        head = [self.tokenizer.begin_id, *self._encode(header)]
        slots = self.padded(body, rng, likely=128)
        shown = rng.randrange(max(1, len(body))) if begun else 0
        hole = [(slots[:shown], False), (slots[shown:], True)] if begun else [(slots, True)]
        document: Document = [(head, False), *hole, ([self.tokenizer.end_id], False)]
        return document if sum(len(ids) for ids, _ in document) <= room else None

    def padded(self, ids: list[int], rng: random.Random, likely: int = 64) -> list[int]:
        """The tokens of a hole and a random number of voids: at the end, now and then anywhere."""
        count = len(ids)
        slots = rng.choices(
            (count, max(16, math.ceil(1.5 * count)), max(likely, count), rng.randint(count, 2 * count + 16)),
            weights=(15, 35, 15, 35),
        )[0]
        void = self.tokenizer.void_id
        assert void is not None, "what we train has voids"
        voids = [void] * (slots - count)
        if rng.random() >= self.void_anywhere:
            return ids + voids
        places = set(rng.sample(range(slots), slots - count))
        rest = iter(ids)
        return [void if place in places else next(rest) for place in range(slots)]

    def _encode(self, text: str) -> list[int]:
        return self.tokenizer.encode(text.encode("utf-8"))


def cut_spans(text: str, rng: random.Random) -> list[tuple[int, int]]:
    """One to four disjoint holes (character offsets), cut the ways `--lines`, `--node` and `--at` cut them."""
    lines = [(at, at + len(line)) for at, line in _lines(text)]
    if not lines:
        return []
    found: list[tuple[int, int]] = []
    for _ in range(rng.choice((1, 1, 2, 3, 4))):
        start, end = _one_span(text, lines, rng)
        if start < end and all(end < a or b < start for a, b in found):
            found.append((start, end))
    return sorted(found)


def _one_span(text: str, lines: Sequence[tuple[int, int]], rng: random.Random) -> tuple[int, int]:
    first = rng.randrange(len(lines))
    kind = rng.random()
    if kind < 0.2:  # a stretch of characters, anywhere
        start = rng.randrange(len(text))
        return start, min(len(text), start + 1 + int(rng.expovariate(1 / 30)))
    if kind < 0.4:  # to the end of the block that the line stands in
        last = _block_end(text, lines, first)
    else:
        last = first if rng.random() < 0.5 else min(len(lines) - 1, first + int(rng.expovariate(1 / 5)))
    while last > first and not text[slice(*lines[last])].strip():
        last -= 1
    whole = rng.random() < 0.25
    start = lines[first][0]
    indent = len(text[start : lines[first][1]]) - len(text[start : lines[first][1]].lstrip())
    return (start if whole else start + indent), lines[last][1]


def _block_end(text: str, lines: Sequence[tuple[int, int]], first: int) -> int:
    depth = _depth(text[slice(*lines[first])])
    last = first
    for number in range(first, min(len(lines), first + 30)):
        line = text[slice(*lines[number])]
        if line.strip() and _depth(line) < depth:
            break
        last = number
    return last


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _lines(text: str) -> Iterator[tuple[int, str]]:
    at = 0
    for line in text.split("\n"):
        yield at, line
        at += len(line) + 1


def _stretch(text: str, tokens: int, rng: random.Random) -> tuple[str, bool, bool]:
    """About `tokens` tokens of whole lines; whether they start, and whether they end, the file."""
    size = int(tokens * BYTES_PER_TOKEN) + 200
    if len(text) <= size and rng.random() < 0.8:
        return text, True, True
    start = 0 if rng.random() < 0.15 else rng.randrange(max(1, len(text) - size // 2))
    if start:
        start = text.find("\n", start) + 1
    end = text.find("\n", min(len(text), start + size))
    return (text[start:], start == 0, True) if end < 0 else (text[start : end + 1], start == 0, False)


def _trim(document: Document, room: int) -> Document | None:
    """Drop context at the far ends until the document fits; None if a hole would have to be cut."""
    over = sum(len(ids) for ids, _ in document) - room
    for index in (len(document) - 1, len(document) - 2, 0, 1):
        ids, hole = document[index]
        if over <= 0:
            break
        if hole:
            return None
        keep = max(0, len(ids) - over)
        over -= len(ids) - keep
        document[index] = (ids[:keep] if index > 1 else ids[len(ids) - keep :], False)
    return document if over <= 0 and any(hole and ids for ids, hole in document) else None
