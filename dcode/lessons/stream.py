"""The lessons as rows of text, those that teach and those that measure, with everything forbidden dropped.

A row that measures carries its set-up and test, so that an answer can be executed. It writes one file and prints
nothing; what becomes of the rows is the trainer's and the evaluation's business.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Literal

from dcode.lessons.compose import DOMAIN, every_family
from dcode.lessons.edits import draw_edit, draw_repair
from dcode.lessons.expand import Lesson, Value, Values, draw, size
from dcode.lessons.family import GROUP, Family, names_in
from dcode.lessons.heldout import Splits, held_out, reserved, splits
from dcode.lessons.overlap import Overlap
from dcode.lessons.pattern import pattern
from dcode.lessons.reword import reworded
from dcode.lessons.skeleton import skeleton
from dcode.lessons.whole import whole
from dcode.text.prompt import edit_prompt

Split = Literal["train", "wording", "pattern", "values", "family", "edit", "repair"]
"""What a row measures: nothing (it teaches) · a held-out phrasing, way of asking, slot value, or family · changes and
repairs of code that is shown, in held-out families and held-out wordings."""

OF_HELD = ("family", "edit", "repair")
"""The splits whose rows are of families that never teach."""

TRIES = 4  # draws for each wanted row
MEASURED = 20  # of this many rows that teach, one measures, for each split
LEAST_MEASURED = 4
COMPOSED = 8  # a family made of parts gives one row where a written one gives so many
EDITS: dict[Literal["edit", "repair"], int] = {
    "edit": 6,
    "repair": 12,
}  # of this many rows that teach a program, one more teaches a change, a repair
REWORDED = 0.75  # the share of the requests that teach whose words may be exchanged
CAPITAL, STOP = 0.12, 0.08  # shares of the requests that teach that are written as sentences


@dataclass(frozen=True, slots=True)
class Row:
    """One line of `lessons.jsonl`; `setup` and `test` are empty in rows that teach.

    `old` is the program that a request to change something is about; such a row carries its whole `prompt`.
    """

    family: str
    domain: str
    request: str
    code: str
    split: Split
    setup: str = ""
    test: str = ""
    old: str = ""

    def line(self) -> str:
        """The row as one line of JSON."""
        told = asdict(self)
        if self.old:
            told["prompt"] = edit_prompt(self.request, self.old, COMMENT)
        unused = MEASURING if self.split == "train" else () if self.old else ("old",)
        for name in unused:
            del told[name]
        return json.dumps(told, ensure_ascii=False)


MEASURING = ("setup", "test", "old")
COMMENT = "#"


@dataclass(slots=True)
class Counts:
    """Rows written by split, draws dropped by reason, families by use, and teaching rows that change code by kind."""

    rows: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    families: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)


def write(out: Path, per_family: int, seed: int, families: Sequence[Family] | None = None) -> Counts:
    """Write `lessons.jsonl` into `out`: up to `per_family` teaching rows a family, and a share that measures."""
    counts = Counts()
    out.mkdir(parents=True, exist_ok=True)
    with whole(out / "lessons.jsonl") as file:
        for row in rows(every_family() if families is None else families, per_family, seed, counts):
            file.write(row.line() + "\n")
    return counts


def rows(
    families: Sequence[Family], per_family: int, seed: int, counts: Counts, overlap: Overlap | None = None
) -> Iterator[Row]:
    """The rows, family by family, measuring ones first: what they ask is not taught again.

    A request that teaches may come again with other names in its program, but in no other family or split.
    """
    writer = _Writer(families, seed, counts, overlap or Overlap.read())
    for family in families:
        yield from writer.measuring(family, max(LEAST_MEASURED, per_family // MEASURED))
    for family in families:
        share = per_family if family.domain != DOMAIN else max(1, per_family // COMPOSED)
        yield from writer.teaching(family, share)
        yield from writer.changing(family, share)


def measuring(
    families: Sequence[Family], split: Split, per_family: int, seed: int, overlap: Overlap | None = None
) -> Iterator[Row]:
    """Rows of one split that measures, family by family, drawn as `rows` draws them: no folder of rows is needed."""
    writer = _Writer(families, seed, Counts(), overlap or Overlap.read())
    for family in families:
        if (family.name in writer.held) != (split in OF_HELD):
            continue
        yield from (row for row in writer.measuring(family, per_family) if row.split == split)


class _Writer:
    """What was asked so far, and what must not be taught."""

    def __init__(self, families: Sequence[Family], seed: int, counts: Counts, overlap: Overlap) -> None:
        self.seed, self.counts, self.overlap = seed, counts, overlap
        self.held = held_out(families)
        self.hidden = {skeleton(family) for family in families if family.name in self.held}
        self.asked: dict[str, str] = {}
        self.told: set[tuple[str, str]] = set()

    def measuring(self, family: Family, number: int) -> Iterator[Row]:
        if family.name in self.held:
            yield from self._drawn(family, "family", family.asks, number)
            for kind in EDITS:
                yield from self._changed(family, kind, kind, number)
            return
        parts = splits(family)
        yield from self._drawn(family, "wording", parts.wording, number)
        yield from self._drawn(family, "pattern", parts.pattern, number)
        yield from self._drawn(family, "values", _varied(family, parts), number, "reserved")

    def teaching(self, family: Family, number: int) -> Iterator[Row]:
        if family.name in self.held or skeleton(family) in self.hidden:
            self.counts.families["held out"] += 1
            return
        self.counts.families["teaching"] += 1
        parts = splits(family)
        # Other words must not make it a way of asking that is held out.
        say = partial(_other_words, avoided=parts.patterns)
        yield from self._drawn(family, "train", parts.train, number, "train", (*parts.wording, *parts.pattern), say)

    def changing(self, family: Family, number: int) -> Iterator[Row]:
        """Rows that teach changes and repairs of the family's programs."""
        if family.name not in self.held and skeleton(family) not in self.hidden:
            for kind, share in EDITS.items():
                yield from self._changed(family, kind, "train", number // share)

    def _changed(self, family: Family, kind: Literal["edit", "repair"], split: Split, number: int) -> Iterator[Row]:
        rng = Random(f"{self.seed}:{family.name}:{kind}:{split}")
        make = draw_edit if kind == "edit" else draw_repair
        for _ in range(number):
            edit = make(family, rng, held=split != "train")
            if edit is None:
                continue
            violation = self.overlap.violates(edit.request, edit.new) or (self.overlap.shares(edit.old) and "gram")
            if violation:
                self.counts.dropped[violation] += 1
                continue
            self.counts.rows[split] += 1
            self.counts.changes[kind] += split == "train"
            measures = {} if split == "train" else {"setup": edit.setup, "test": edit.test}
            yield Row(family.name, family.domain, edit.request, edit.new, split, **measures, old=edit.old)

    def _drawn(
        self,
        family: Family,
        split: Split,
        asks: Sequence[str],
        number: int,
        values: Values = "any",
        hidden: Sequence[str] = (),
        say: Callable[[str, Random], str] = lambda ask, _: ask,
    ) -> Iterator[Row]:
        rng = Random(f"{self.seed}:{family.name}:{split}")
        avoided = _matcher(hidden)
        found = 0
        for _ in range(number * TRIES if asks else 0):
            if found == number:
                break
            lesson = draw(family, rng, asks, values, reserved, settled=True, say=say)
            reason = self._refused(lesson, f"{family.name} {split}", split == "train", avoided, values)
            if reason:
                self.counts.dropped[reason] += 1
                continue
            found += 1
            self.counts.rows[split] += 1
            yield _row(lesson, split, rng)

    def _refused(
        self, lesson: Lesson, owner: str, teaches: bool, avoided: re.Pattern[str] | None, values: Values
    ) -> str | None:
        """Why a lesson is dropped; if it is not, its request belongs to `owner`, a family and split, from now on."""
        if values != "any" and any(
            reserved(lesson.family, name, value) != (values == "reserved") for name, value in _random(lesson)
        ):
            return "value"
        if avoided and avoided.fullmatch(lesson.shape):
            return "wording"
        key = " ".join(re.findall(r"[^\s.?]+", lesson.request.lower()))
        again = key in self.asked and (self.asked[key] != owner or not teaches)
        if again or (key, lesson.code) in self.told:
            return "repeated"
        violation = self.overlap.violates(lesson.request, lesson.code)
        if violation:
            return violation
        self.asked[key] = owner
        self.told.add((key, lesson.code))
        return None


def _other_words(ask: str, rng: Random, avoided: Collection[str]) -> str:
    """The phrasing, or, more often, the same in other words, unless that were one of the `avoided` ways of asking."""
    other = reworded(ask, rng) if rng.random() < REWORDED else ask
    return ask if pattern(other) in avoided else other


def _row(lesson: Lesson, split: Split, rng: Random) -> Row:
    family = lesson.family
    if split == "train":
        return Row(family.name, family.domain, _styled(lesson.request, rng), lesson.code, split)
    return Row(family.name, family.domain, lesson.request, lesson.code, split, lesson.setup, lesson.test)


def _styled(request: str, rng: Random) -> str:
    """Now and then as people also write: a capital first, a full stop last."""
    if rng.random() < CAPITAL:
        request = request[:1].upper() + request[1:]
    return request + "." if rng.random() < STOP and request[-1:].isalnum() else request


def _random(lesson: Lesson) -> list[tuple[str, Value]]:
    """The values that were drawn from many and stand in the request."""
    used = names_in(lesson.shape)
    return [(name, value) for name, value in lesson.values.items() if name in used and _is_random(lesson.family, name)]


def _is_random(family: Family, name: str) -> bool:
    return family.slots[name].kind not in ("choice", "calc") and size(family.slots[name]) >= 8


def _varied(family: Family, parts: Splits) -> tuple[str, ...]:
    """The teaching phrasings that hold a random value."""
    return tuple(ask for ask in parts.train if any(_is_random(family, name) for name in names_in(ask)))


def _matcher(asks: Sequence[str]) -> re.Pattern[str] | None:
    """A pattern for every expansion of these phrasings, spaces loosened as `tidy` does it."""
    return re.compile("|".join(map(_loose, asks))) if asks else None


def _loose(ask: str) -> str:
    parts = GROUP.split(ask)  # texts and alternations take turns
    grouped = [
        "(?:" + "|".join(map(_escaped, part.split("|"))) + ")" if at % 2 else _escaped(part)
        for at, part in enumerate(parts)
    ]
    return r"\s*" + "".join(grouped) + r"\s*"


def _escaped(text: str) -> str:
    return r"\s*".join(map(re.escape, re.split(r"\s+", text)))
