"""The same request in other words: synonyms, what people put around a command, small words that they leave out.

The words are data (`parts/synonyms.toml`). It knows no tasks and no programs; what must not be taught in these words is
the caller's business. Slots ($name) and alternations' results stay as they are.
"""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from random import Random

from dcode.lessons.expand import tidy
from dcode.lessons.family import FOLDER
from dcode.lessons.pattern import pattern

PARTS = FOLDER / "parts" / "synonyms.toml"

EXCHANGED, WRAPPED, LEFT_OUT = 0.4, 0.4, 0.12
"""The chance of a known word to be exchanged, of a command to be wrapped, of a spare word to be left out."""


def reworded(request: str, rng: Random) -> str:
    """Another way to say it; now and then the same."""
    exchanged, spare = _patterns()
    request = exchanged.sub(lambda found: _exchanged(found[0], rng), request)
    request = tidy(spare.sub(lambda found: "" if rng.random() < LEFT_OUT else found[0], request))
    if rng.random() < WRAPPED and pattern(request) == "command" and not request.endswith("?"):
        return rng.choice(_table()["wraps"]).format(request)
    return request


def _exchanged(word: str, rng: Random) -> str:
    others = _synonyms()[word.lower()]
    return rng.choice(others) if rng.random() < EXCHANGED else word


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Any word of a group, the longest first; any spare word."""
    return _any_of(_synonyms()), _any_of(_table()["spare"])


def _any_of(words: object) -> re.Pattern[str]:
    longest = sorted(map(re.escape, words), key=len, reverse=True)  # type: ignore[call-overload]
    return re.compile(rf"(?<![\w${{.\-'\"])(?:{'|'.join(longest)})(?![\w\-'\"])", re.IGNORECASE)


@cache
def _synonyms() -> Mapping[str, tuple[str, ...]]:
    """For every word the words that may stand in its place."""
    groups = [tuple(word.strip() for word in group.split("|")) for group in _table()["groups"]]
    found: dict[str, tuple[str, ...]] = {}
    for group in groups:
        for word in group:
            found[word] = (*found.get(word, ()), *(other for other in group if other != word))
    return found


@cache
def _table() -> Mapping[str, list[str]]:
    return tomllib.loads(PARTS.read_text("utf-8"))
