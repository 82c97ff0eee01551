"""What is kept for measuring: families, wordings, ways of asking, values. All by salted hashes of names and texts.

Nothing is drawn by chance: a family or a phrasing is held out because of what it is called or says, so that adding
others moves few of them. Near-duplicates of demonstrations and of benchmarks are `overlap`'s business.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b

from dcode.lessons.expand import Value
from dcode.lessons.family import Family
from dcode.lessons.pattern import narrow

SALT = b"lessons1"
FAMILIES, WORDINGS, VALUES = 10, 5, 8  # one in so many is held out
PATTERN_SHARE = 0.25  # of a family's phrasings, at most
MOST_PATTERNS = 2


@dataclass(frozen=True, slots=True)
class Splits:
    """The phrasings of a family: those that teach, held-out wordings, and held-out ways of asking."""

    train: tuple[str, ...]
    wording: tuple[str, ...]
    pattern: tuple[str, ...]
    patterns: tuple[str, ...]


def splits(family: Family) -> Splits:
    """Sort a family's phrasings; one that can be put in several ways is narrowed to one way each."""
    narrowed = [(ask, *way) for ask in family.asks for way in narrow(ask)]
    held = _patterns(family, [(ask, way) for ask, way, _ in narrowed])
    kept = sorted({ask for ask, way, _ in narrowed if way not in held}, key=lambda ask: _digest("wording", ask))
    worded = frozenset(kept[: round(len(family.asks) / WORDINGS)])
    train: list[str] = []
    wording: list[str] = []
    pattern: list[str] = []
    for ask, way, phrasing in narrowed:
        (pattern if way in held else wording if ask in worded else train).append(phrasing)
    return Splits(tuple(train), tuple(wording), tuple(pattern), held)


def held_out(families: Iterable[Family]) -> frozenset[str]:
    """The names of the families that never teach; families with the same postcondition go together."""
    group = groups(families)
    return frozenset(name for name, first in group.items() if one_in(FAMILIES, "family", first))


def groups(families: Iterable[Family]) -> Mapping[str, str]:
    """For every family the first name, in alphabetical order, of those that `same` ties together."""
    names = {family.name: {family.name, *family.same} for family in families}
    ties: dict[str, set[str]] = {}
    for linked in names.values():
        joined = set().union(linked, *(ties.get(name, set()) for name in linked))
        ties.update(dict.fromkeys(joined, joined))
    return {name: min(ties[name]) for name in names}


def reserved(family: Family, slot: str, value: Value) -> bool:
    """Whether a drawn value of this family is kept for measuring."""
    return one_in(VALUES, "value", family.name, slot, str(value))


def _patterns(family: Family, asked: list[tuple[str, str]]) -> tuple[str, ...]:
    """One or two ways of asking, small enough to leave the family most of its phrasings."""
    counts = Counter(way for _, way in set(asked))
    room = PATTERN_SHARE * len(family.asks)
    chosen: list[str] = []
    for way in sorted(counts, key=lambda way: _digest("pattern", family.name, way)):
        if len(chosen) < MOST_PATTERNS and len(counts) > len(chosen) + 1 and counts[way] <= room:
            room -= counts[way]
            chosen.append(way)
    return tuple(chosen)


def one_in(number: int, *parts: str) -> bool:
    """Whether these texts fall, by their salted hash, into one of `number` equal parts."""
    return _digest(*parts) % number == 0


def _digest(*parts: str) -> int:
    return int.from_bytes(blake2b("\0".join(parts).encode(), digest_size=8, salt=SALT).digest())
