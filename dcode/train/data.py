"""Training rows: a corpus, what is drawn from it, and documents packed into rows of one length.

Several documents share a row and do not see each other (their segments differ). Which row comes is decided by
(seed, step, row) alone, so a resumed run sees what an uninterrupted one would have seen.
"""

import json
import random
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dcode.diffusion.noise import mask_rate
from dcode.errors import InputError
from dcode.lessons.compose import DOMAIN as COMPOSED
from dcode.text.prompt import request_header
from dcode.train.config import Stage
from dcode.train.cut import Cutter, Document

SMALLEST = 40
"""Fewer tokens than this are not worth a document of their own kind."""

HOLED = 0.05
"""The share of requests whose program is there already, but for holes."""

LEAST = 0.2
"""The lowest mask rate drawn: below it a row gives few tokens with loss, and easy ones."""

UNSEEN, BEGUN = 0.2, 0.55
"""The shares of requests whose program is masked to the last token, where what is asked for decides everything, and
from some token on: a program is uncovered from its front more often than not."""

OFTEN = {COMPOSED: 0.06, "staples": 4.0, "basics": 4.0, "everyday": 4.0}
"""How often a family of these domains comes for every time that one of the others comes."""

CHANGED = 0.2
"""How often changes of a family's programs come for every time that the family comes."""

DRAWS = 6
"""Documents tried for what is left of a row, until one fits; then a stretch of a file fills it."""


Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Corpus:
    """Texts of files, (header, code) pairs of functions and of lessons; a header is the comment lines that ask.

    `weights` are cumulative, so that large files come more often; lessons lie by family, whatever its number of rows.
    """

    files: tuple[str, ...]
    weights: tuple[float, ...]
    pairs: tuple[Pair, ...]
    lessons: tuple[tuple[Pair, ...], ...] = ()
    lesson_weights: tuple[float, ...] = ()

    @staticmethod
    def read(folder: Path, split: str = "train") -> "Corpus":
        """What `dcode train corpus` wrote; InputError if it is not there."""
        files = [row["text"] for row in _rows(folder / "files.jsonl") if row["split"] == split]
        pairs = tuple(_pair(row) for row in _rows(folder / "pairs.jsonl") if row["split"] == split)
        if not files:
            raise InputError(f"{folder} holds no files of the split {split!r}", hint="dcode train corpus makes one")
        lessons = _families(folder / "lessons.jsonl", split) if (folder / "lessons.jsonl").is_file() else {}
        return Corpus(
            files=tuple(files),
            weights=tuple(accumulate(len(text) ** 0.8 for text in files)),
            pairs=pairs,
            lessons=tuple(map(tuple, lessons.values())),
            lesson_weights=tuple(accumulate(weight for _, weight in lessons)),
        )

    def file(self, rng: random.Random) -> str:
        """One file, by weight."""
        return self.files[bisect_left(self.weights, rng.random() * self.weights[-1])]

    def lesson(self, rng: random.Random) -> Pair:
        """One lesson: a family by weight, then any of its rows."""
        return rng.choice(self.lessons[bisect_left(self.lesson_weights, rng.random() * self.lesson_weights[-1])])


@dataclass(slots=True)
class Row:
    """Parallel lists over positions: the clean id, whether it may be masked, its document, its mask rate."""

    ids: list[int] = field(default_factory=list)
    eligible: list[bool] = field(default_factory=list)
    segment: list[int] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)

    def add(self, pieces: Document, rate: float) -> None:
        """Append a document with its mask rate."""
        number = self.segment[-1] + 1 if self.segment else 0
        for ids, hole in pieces:
            self.ids += ids
            self.eligible += [hole] * len(ids)
            self.segment += [number] * len(ids)
            self.rate += [rate] * len(ids)


Timed = tuple[Document, float]
"""A document and the time of the forward process it is shown at, 0 clean to 1 all masked."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Tensors [B, L] of a step: clean ids, may be masked, document numbers, mask rates."""

    ids_BL: Tensor
    eligible_BL: Tensor
    segment_BL: Tensor
    rate_BL: Tensor


def batch(corpus: Corpus, cutter: Cutter, stage: Stage, rows: int, seed: str) -> Batch:
    """The rows of one step, decided by `seed` alone."""
    made = [row(corpus, cutter, stage, random.Random(f"{seed}:{number}")) for number in range(rows)]
    return Batch(
        torch.from_numpy(np.array([one.ids for one in made], dtype=np.int64)),
        torch.from_numpy(np.array([one.eligible for one in made], dtype=bool)),
        torch.from_numpy(np.array([one.segment for one in made], dtype=np.int64)),
        torch.from_numpy(np.array([one.rate for one in made], dtype=np.float32)),
    )


def row(corpus: Corpus, cutter: Cutter, stage: Stage, rng: random.Random) -> Row:
    """Documents until `stage.length` tokens are full; what is left at the end is cut from a plain file."""
    packed = Row()
    while (room := stage.length - len(packed.ids)) > 0:
        draws = (_draw(corpus, cutter, stage, room, rng) for _ in range(DRAWS if room > SMALLEST else 0))
        document, time = next((drawn for drawn in draws if drawn), None) or _plain(corpus, cutter, room, rng)
        packed.add(document, mask_rate(cutter.schedule, time))
    return packed


def _draw(corpus: Corpus, cutter: Cutter, stage: Stage, room: int, rng: random.Random) -> Timed | None:
    shares = (stage.plain, stage.holes, stage.requests * bool(corpus.pairs), stage.lessons * bool(corpus.lessons))
    task = rng.choices(("plain", "holes", "requests", "lessons"), weights=shares)[0]
    if task == "plain":
        return _plain(corpus, cutter, room, rng)
    if task == "holes":
        return _timed(cutter.holes(corpus.file(rng), room, rng), rng.uniform(LEAST, 1.0))
    header, code = corpus.lesson(rng) if task == "lessons" else rng.choice(corpus.pairs)
    if rng.random() < HOLED:
        return _timed(cutter.holes(header + code, room, rng), rng.uniform(LEAST, 1.0))
    (way,) = rng.choices(("unseen", "begun", "noised"), (UNSEEN, BEGUN, 1 - UNSEEN - BEGUN))
    time = 1.0 - (1.0 - LEAST) * rng.random() ** 2 if way == "noised" else 1.0
    return _timed(cutter.request(header, code, room, rng, begun=way == "begun"), time)


def _plain(corpus: Corpus, cutter: Cutter, room: int, rng: random.Random) -> Timed:
    return cutter.plain(corpus.file(rng), room, rng), rng.uniform(LEAST, 1.0)


def _timed(document: Document | None, time: float) -> Timed | None:
    return (document, time) if document else None


def _pair(row: Mapping[str, str]) -> Pair:
    # A lesson that changes code which is shown brings its whole prompt.
    return row.get("prompt") or request_header(row["request"], "#"), row["code"]


def _families(path: Path, split: str) -> dict[tuple[str, float], list[Pair]]:
    """The lessons by family and weight; what writes programs and what changes them count as two families."""
    found: dict[tuple[str, float], list[Pair]] = {}
    for row in _rows(path):
        if row["split"] == split:
            weight = OFTEN.get(row["domain"], 1.0) * (CHANGED if "prompt" in row else 1.0)
            found.setdefault((row["family"], weight), []).append(_pair(row))
    return found


def _rows(path: Path) -> Iterator[dict[str, str]]:
    if not path.is_file():
        raise InputError(f"{path} is missing", hint="dcode train corpus makes it")
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            yield json.loads(line)
