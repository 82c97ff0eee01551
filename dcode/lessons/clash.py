"""Families that get in each other's way: one program under two names, or one request that means two things.

It compares what families say and runs nothing.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice, product

from dcode.lessons.expand import tidy
from dcode.lessons.family import GROUP, Family
from dcode.lessons.heldout import groups
from dcode.lessons.skeleton import skeleton

MOST = 256  # expansions compared of one phrasing


def clashes(families: Sequence[Family]) -> Iterator[tuple[Family, Family, str, str]]:
    """(family, earlier family, what clashes, evidence); families that `same` ties together may agree."""
    tied = groups(families)
    programs: dict[str, Family] = {}
    asked: dict[str, Family] = {}
    for family in families:
        twin = programs.setdefault(skeleton(family), family)
        if tied[twin.name] != tied[family.name]:
            yield family, twin, "has the program of", "declare same, or make them differ"
        for shape in dict.fromkeys(shape for ask in family.asks for shape in expanded(ask)):
            other = asked.setdefault(shape, family)
            if tied[other.name] != tied[family.name]:
                yield family, other, "asks as asks", repr(shape)
                break


def expanded(ask: str) -> Iterator[str]:
    """The requests a phrasing can become (the first `MOST`), in lower case, every slot written as $."""
    parts = GROUP.split(re.sub(r"\$\w+|\$\{\w+\}", "$", ask.lower()))
    branches = [part.split("|") if at % 2 else [part] for at, part in enumerate(parts)]
    yield from (tidy("".join(chosen)).rstrip("?") for chosen in islice(product(*branches), MOST))
