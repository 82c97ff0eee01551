"""The filler that a sceptic would ask for: n-grams of the same tokens, from the same training files.

Two n-gram models are mixed, one of the training files and one of the file at hand (its names and habits). A line is
written from left to right by beam search, and the first tokens of the other side choose among the finished lines.
It knows no grammar, and of text only how training files are stored.
"""

import json
import math
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dcode.bench.kneserney import Floats, Ids, KneserNey
from dcode.errors import InputError
from dcode.model.tokenizer import Tokenizer

Predict = Callable[[Ids], Floats]
Line = tuple[float, tuple[int, ...]]
"""The logarithm of a line's probability, and its ids."""

LOCAL = 0.3
LINE_TOKENS = 64
LOOKAHEAD = 4
FINALISTS = 4


@dataclass(frozen=True)
class NGram:
    """`trained` on the corpus; `local` is the weight of the model of the file at hand, 0 for none."""

    trained: KneserNey
    local: float = LOCAL

    @staticmethod
    def train(streams: Iterable[Sequence[int]], size: int, order: int = 5) -> "NGram":
        """Count `streams` of ids below `size`."""
        return NGram(KneserNey.train(streams, size, order))

    def fill_line(self, prefix: Sequence[int], suffix: Sequence[int], newline_id: int, beam: int = 16) -> list[int]:
        """The likeliest of `lines`."""
        return self.lines(prefix, suffix, newline_id, beam)[0]

    def lines(self, prefix: Sequence[int], suffix: Sequence[int], newline_id: int, beam: int = 16) -> list[list[int]]:
        """Lines to stand between `prefix`, which ends a line, and `suffix`, which begins one; likeliest first.

        Each is 1 to LINE_TOKENS ids without the newline. Equal arguments give equal lines.
        """
        start, after = self.trained.recent(prefix), tuple(suffix[:LOOKAHEAD])
        predict = self._predict(prefix, suffix)
        ended = search(predict, start, newline_id, beam, FINALISTS * beam)
        totals = [total + _log_probability(predict, (*start, *ids), after) for total, ids in ended]
        order = sorted(range(len(ended)), key=lambda index: -totals[index])
        return [list(ended[index][1][:-1]) for index in order]

    def _predict(self, prefix: Sequence[int], suffix: Sequence[int]) -> Predict:
        if not self.local:
            return self.trained.distribution
        here = KneserNey.train([prefix, suffix], self.trained.size, self.trained.width + 1)
        return lambda contexts: (
            (1 - self.local) * self.trained.distribution(contexts) + self.local * here.distribution(contexts)
        )


def search(predict: Predict, start: tuple[int, ...], newline_id: int, beam: int, wanted: int) -> list[Line]:
    """The `wanted` likeliest lines that beam search sees end, each with its newline, likeliest first."""
    alive: list[Line] = [(0.0, ())]
    ended: list[Line] = []
    for length in range(LINE_TOKENS + 1):
        totals = np.array([total for total, _ in alive])
        chances = predict(np.array([(*start, *ids)[-len(start) :] for _, ids in alive]))
        if length:
            logs = totals + np.log(chances[:, newline_id])
            ended += [(float(total), (*ids, newline_id)) for total, (_, ids) in zip(logs, alive, strict=True)]
            ended = sorted(ended, key=lambda line: -line[0])[:wanted]
            # A line never gains by growing.
            if len(ended) == wanted and totals[0] < ended[-1][0]:
                break
        chances[:, newline_id] = 0
        chances *= np.exp(totals - totals[0])[:, None]
        alive = [
            (float(totals[0]) + math.log(chances[row, token]), (*alive[row][1], token))
            for row, token in _largest(chances, beam)
        ]
    return ended


def train_ngram(path: Path, tokenizer: Tokenizer, max_tokens: int, *, order: int = 5, seed: int = 0) -> NGram:
    """Train on the files of the split "train" in `path` (JSON lines), in a seeded order, up to `max_tokens`.

    20 million tokens take 280 MB afterwards, 1.3 GB at the worst.
    """
    return NGram.train(_streams(path, tokenizer, max_tokens, seed), len(tokenizer.pieces), order)


def _largest(values: Floats, count: int) -> list[tuple[int, int]]:
    """Row and column of the `count` largest values over 0, largest first, the earlier first among equals."""
    best = np.argpartition(-values, min(count, values.size) - 1, axis=None)[:count]
    best = best[np.lexsort((best, -values.flat[best]))]
    return [divmod(int(place), values.shape[1]) for place in best if values.flat[place] > 0]


def _log_probability(predict: Predict, context: tuple[int, ...], following: tuple[int, ...]) -> float:
    """Natural logarithm of the probability that `following` comes after `context`."""
    if not following:
        return 0.0
    ids = np.array([*context, *following])
    rows = predict(np.lib.stride_tricks.sliding_window_view(ids[:-1], len(context))[-len(following) :])
    return float(np.log(rows[np.arange(len(following)), list(following)]).sum())


def _streams(path: Path, tokenizer: Tokenizer, max_tokens: int, seed: int) -> Iterator[list[int]]:
    """Token ids of whole files; the last may be cut."""
    with path.open("rb") as file:
        starts = [0]
        starts.extend(file.tell() for _ in iter(file.readline, b""))
        random.Random(seed).shuffle(starts)
        for start in starts:
            file.seek(start)
            text = _training_text(file.readline(), path)
            ids = tokenizer.encode(text.encode())[:max_tokens]
            max_tokens -= len(ids)
            yield ids
            if max_tokens <= 0:
                return


def _training_text(line: bytes, path: Path) -> str:
    """The text of a training file; nothing for files of other splits and at the end of the corpus."""
    if not line.strip():
        return ""
    try:
        row = json.loads(line)
        return str(row["text"]) if row["split"] == "train" else ""
    except (ValueError, TypeError, KeyError):
        raise InputError(f"{path} has a line that is not a file of a corpus: {line[:60]!r}") from None
