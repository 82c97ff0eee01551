"""An n-gram model of token ids: interpolated Kneser-Ney smoothing, one discount an order (Chen and Goodman 1999).

The highest order counts occurrences, lower ones count the different tokens seen before. An n-gram is a 64-bit key, a
hash of its context above the id of its last token, so that one sorted array an order answers by bisection both how
often an n-gram occurs and what may follow a context: 12 bytes an n-gram. Contexts that share a hash (about one in ten
million n-grams at 8 k ids) share their counts. It knows neither text nor lines.
"""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.uint32]
Ids = npt.NDArray[np.signedinteger[Any]]
Floats = npt.NDArray[np.float64]

FACTOR, SHIFT = np.uint64(0x9E3779B97F4A7C15), np.uint64(29)


@dataclass(frozen=True)
class Level:
    """All n-grams of one order, sorted by key, and their counts."""

    keys: Keys
    counts: Counts
    discount: float

    @cached_property
    def sums(self) -> npt.NDArray[np.int64]:
        """How much is counted before each n-gram, and in all."""
        return np.concatenate(([0], np.cumsum(self.counts, dtype=np.int64)))


@dataclass(frozen=True)
class KneserNey:
    """Probabilities of the next id, given those before it. Ids are below `size`; `levels` begin at order 2."""

    size: int
    unigram: Floats
    levels: tuple[Level, ...]

    @staticmethod
    def train(streams: Iterable[Sequence[int]], size: int, order: int) -> "KneserNey":
        """Count `streams` of ids below `size`; n-grams do not cross from one stream to the next."""
        assert order >= 2, order
        stream = _joined(streams, size, order)
        places = np.flatnonzero(stream < size)
        levels: list[Level] = []
        for length in range(order, 1, -1):
            before = (stream[places - back] for back in range(1, length))
            keys = _contexts(before, len(places), size) | stream[places].astype(np.uint64)
            keys, first, counts = np.unique(keys, return_index=True, return_counts=True)
            levels.insert(0, Level(keys, counts.astype(np.uint32), _discount(counts)))
            places = places[first]
        # One more of every id, so that none is impossible.
        unigram = np.bincount(stream[places], minlength=size) + 1.0
        return KneserNey(size, unigram / unigram.sum(), tuple(levels))

    @property
    def width(self) -> int:
        """How many ids of a context matter."""
        return len(self.levels)

    def recent(self, context: Sequence[int]) -> tuple[int, ...]:
        """The last `width` ids; before the beginning of a stream stands the id `size`."""
        return (*[self.size] * self.width, *context[-self.width :])[-self.width :]

    def distribution(self, contexts: Ids) -> Floats:
        """Probabilities of every next id, a row for each row of `contexts`, which are `width` ids or more."""
        rows = np.tile(self.unigram, (len(contexts), 1))
        mask = _mask(self.size)
        for length, level in enumerate(self.levels, 1):
            keys = _contexts((contexts[:, -back] for back in range(1, length + 1)), len(contexts), self.size)
            lows = np.searchsorted(level.keys, keys)
            highs = np.searchsorted(level.keys, keys | mask, side="right")
            for row, low, high in zip(rows, lows, highs, strict=True):
                if low < high:
                    _interpolate(row, level.keys[low:high] & mask, level.counts[low:high], level.discount)
        return rows

    def chances(self, contexts: Ids, ids: Ids) -> Floats:
        """Probabilities of these next ids, one for each row of `contexts`, which are `width` ids or more."""
        values = self.unigram[ids]
        mask = _mask(self.size)
        for length, level in enumerate(self.levels, 1):
            if not len(level.keys):
                return values
            keys = _contexts((contexts[:, -back] for back in range(1, length + 1)), len(contexts), self.size)
            lows, highs = np.searchsorted(level.keys, keys), np.searchsorted(level.keys, keys | mask, side="right")
            wanted = keys | ids.astype(np.uint64)
            at = np.searchsorted(level.keys, wanted).clip(max=len(level.keys) - 1)
            own = np.where(level.keys[at] == wanted, level.counts[at] - level.discount, 0.0)
            total = level.sums[highs] - level.sums[lows]
            higher = (own + level.discount * (highs - lows) * values) / np.maximum(total, 1)
            values = np.where(lows < highs, higher, values)
        return values


def _joined(streams: Iterable[Sequence[int]], size: int, order: int) -> Ids:
    """All streams behind one another, with `order - 1` separators (the id `size`) before each."""
    ids = array("i")
    for stream in streams:
        ids.extend([size] * (order - 1))
        ids.extend(stream)
    return np.array(ids, dtype=np.int32)


def _mask(size: int) -> np.uint64:
    """The low bits of a key, enough for every id and the separator."""
    return np.uint64((1 << size.bit_length()) - 1)


def _contexts(before: Iterable[Ids], rows: int, size: int) -> Keys:
    """Keys of contexts, low bits free for an id; `before` holds their ids, the nearest first."""
    keys = np.zeros(rows, np.uint64)
    for ids in before:
        keys = (keys ^ (ids.astype(np.uint64) + np.uint64(1))) * FACTOR
        keys ^= keys >> SHIFT
    return keys & ~_mask(size)


def _discount(counts: npt.NDArray[np.int64]) -> float:
    """What absolute discounting takes from every count: n1 / (n1 + 2 n2), of n-grams seen once and twice."""
    once, twice = int((counts == 1).sum()), int((counts == 2).sum())
    return once / (once + 2 * twice) if once and twice else 0.5


def _interpolate(row: Floats, following: Keys, counts: Counts, discount: float) -> None:
    """Mix the estimate of a higher order into `row`, which holds that of the lower one."""
    total = counts.sum()
    row *= discount * len(counts) / total
    row[following.astype(np.int64)] += (counts - discount) / total
