"""Lessons that change code which is shown: a lesson's program, an instruction, the program after it.

Which changes and mistakes there are is `rewrites`' and `breakages`' business; how people ask for them is data
(`parts/edits.toml`). A fifth of the phrasings is held out, as are the families that never teach.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from string import Template
from typing import Any

from dcode.lessons.breakages import broken
from dcode.lessons.expand import Lesson, choose, draw, tidy
from dcode.lessons.family import FOLDER, Family
from dcode.lessons.heldout import WORDINGS, one_in, reserved, splits
from dcode.lessons.pattern import pattern
from dcode.lessons.rewrites import rewritten
from dcode.lessons.scene import Change

PARTS = FOLDER / "parts" / "edits.toml"
TRIES = 6


@dataclass(frozen=True, slots=True)
class Edit:
    """An instruction, the program it is about and the one it asks for, with what executes the latter."""

    family: Family
    request: str
    old: str
    new: str
    test: str
    setup: str


def draw_edit(family: Family, rng: Random, *, held: bool) -> Edit | None:
    """A change of one of the family's programs, or None if nothing applies; `held` asks in held-out wordings."""
    words = _words()
    for name in rng.sample(sorted(words["change"]), len(words["change"])):
        lesson = _lesson(family, rng, held=held)
        change = rewritten(name, lesson, words, rng)
        if change is not None:
            ask = choose(rng.choice(_asks(words["change"][name]["ask"], held)), rng)
            return Edit(family, _said(ask, change.values), change.old, change.new, change.test, change.setup)
    return None


def draw_repair(family: Family, rng: Random, *, held: bool) -> Edit | None:
    """A program with a mistake, and the whole one."""
    told = _words()["repair"]
    for name in rng.choices(told["kinds"], k=TRIES):
        lesson = _lesson(family, rng, held=held)
        old = broken(name, lesson.code, rng)
        if old is not None:
            asks = [ask for ask in _asks(told["ask"], held) if "$request" not in ask or _is_command(lesson)]
            ask = choose(rng.choice(asks), rng)
            return Edit(family, _said(ask, {"request": lesson.request}), old, lesson.code, lesson.test, lesson.setup)
    return None


def changes(family: Family, rng: Random) -> Iterator[tuple[str, Change]]:
    """Every change that applies to one of the family's programs, with its name."""
    words = _words()
    for name in words["change"]:
        change = rewritten(name, draw(family, rng, family.asks), words, rng)
        if change is not None:
            yield name, change


def _lesson(family: Family, rng: Random, *, held: bool) -> Lesson:
    """A lesson of the family; one that teaches says and holds nothing that is kept for measuring."""
    if held:
        return draw(family, rng, family.asks)
    return draw(family, rng, splits(family).train, "train", reserved)


def _said(ask: str, values: Mapping[str, str]) -> str:
    """A phrasing with the values of a change."""
    return tidy(Template(ask).substitute(values))


def _is_command(lesson: Lesson) -> bool:
    return pattern(lesson.request) == "command" and not lesson.request.endswith("?")


def _asks(asks: Sequence[str], held: bool) -> list[str]:
    return [ask for ask in asks if one_in(WORDINGS, "edit", ask) == held] or list(asks[:1])


@cache
def _words() -> Mapping[str, Any]:
    return tomllib.loads(PARTS.read_text("utf-8"))
