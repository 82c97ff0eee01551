"""How broad the lessons are, by domain: families, phrasings, ways to put them, and different programs. Runs nothing."""

from collections.abc import Iterable
from dataclasses import dataclass

from dcode.lessons.expand import expansions
from dcode.lessons.family import Family
from dcode.lessons.heldout import held_out
from dcode.lessons.skeleton import skeleton


@dataclass(frozen=True, slots=True)
class Breadth:
    """Counts of one domain; `idioms` are programs that differ in more than names and values."""

    domain: str
    families: int
    held_out: int
    phrasings: int
    expansions: int
    idioms: int


def breadth(families: Iterable[Family]) -> list[Breadth]:
    """One row a domain, in order of their names, and one of all together, called "all"."""
    every = list(families)
    held = held_out(every)
    domains: dict[str, list[Family]] = {}
    for family in sorted(every, key=lambda family: family.domain):
        domains.setdefault(family.domain, []).append(family)
    return [_counted(name, group, held) for name, group in (*domains.items(), ("all", every))]


def _counted(domain: str, families: list[Family], held: frozenset[str]) -> Breadth:
    return Breadth(
        domain=domain,
        families=len(families),
        held_out=sum(family.name in held for family in families),
        phrasings=sum(len(family.asks) for family in families),
        expansions=sum(expansions(ask) for family in families for ask in family.asks),
        idioms=len({skeleton(family) for family in families}),
    )
