"""FaultLoc: where is the wrong lexeme? Repair-certified localisation against what parsers point at, on the same texts.

Every way of looking gives places in an order, by the same ranker. A text counts as found if one of the first k places
overlaps the wrong lexeme.
"""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from dcode.bench.corrupt import NOISES, Corrupted, Noise, corrupt
from dcode.bench.lexicon import Lexicon
from dcode.bench.library import Function
from dcode.bench.rank import Ranker
from dcode.bench.rates import rate, rate_json
from dcode.evaluate.metrics import Rate
from dcode.evaluate.report import percent
from dcode.syntax.certify import TRIALS, certify
from dcode.syntax.check import file_faults
from dcode.syntax.grammar import Grammar
from dcode.syntax.lexer import lexemes
from dcode.syntax.parse import broken, parse
from dcode.syntax.repairs import searches
from dcode.syntax.strict import STRICT
from dcode.syntax.suspects import fillers, suspects
from dcode.text.checker import Certified
from dcode.text.span import Span

TOP = (1, 2, 3)
AROUND = 2
"""How many lexemes on each side of the compiler's position belong to its set."""

LEVELS = (0, 1, 2)


@dataclass(frozen=True, slots=True)
class Found:
    """One text looked at in one way: the wrong lexeme's place in the order (0 first; -1: not in the set), the size of
    the set, and the parses that it took."""

    text: str
    noise: Noise
    way: str
    rank: int
    size: int
    parses: int


@dataclass(frozen=True)
class FaultLoc:
    """A bench bound to what it needs; called with a function and its number it gives a `Found` a noise and way."""

    lexicon: Lexicon
    ranker: Ranker
    seed: int

    def __call__(self, item: tuple[int, Function]) -> list[Found]:
        """Break the function once by every noise, and look for each in every way."""
        number, function = item
        seen: list[Found] = []
        for noise in NOISES:
            broken_text = corrupt(self.lexicon, function.view, noise, random.Random(f"{self.seed} {number} {noise}"))
            if broken_text is not None:
                seen += self._looks(function.name, noise, broken_text)
        return seen

    def _looks(self, name: str, noise: Noise, text: Corrupted) -> Iterator[Found]:
        grammar = self.lexicon.grammar
        certified, parses = certified_repairs(grammar, text.view, self.ranker)
        ways: dict[str, tuple[Mapping[Span, Sequence[bytes]], int]] = {
            "R1": ({one.span: one.fillers for one in certified}, parses),
            "suspects, not certified": (self._open(text.view, suspected(grammar, text.view)), 1),
            "ERROR nodes": (self._open(text.view, error_nodes(grammar, text.view)), 1),
            f"compile ±{AROUND}": (self._open(text.view, compile_position(grammar, text.view)), 1),
        }
        for way, (choice, spent) in ways.items():
            gains = self.ranker.gains(text.view, choice)
            order = sorted(gains, key=lambda span: -gains[span])
            # An insertion changes nothing that stands there: it is never what was wrong.
            rank = next((n for n, span in enumerate(order) if len(span) and span.overlaps(text.span)), -1)
            yield Found(name, noise, way, rank, len(order), spent)

    def _open(self, view: bytes, spans: Sequence[Span]) -> dict[Span, Sequence[bytes]]:
        """Places with all that might stand there, parsed or not."""
        extra = self.ranker.proposals(view, spans)
        return {span: fillers(self.lexicon.grammar, view, span, extra.get(span, ())) for span in spans}


def certified_repairs(grammar: Grammar, view: bytes, ranker: Ranker) -> tuple[tuple[Certified, ...], int]:
    """What R1 certifies at the first level at which it certifies anything, and how often it parsed for that."""
    faults, parses = file_faults(grammar, view), 0
    for level in LEVELS:
        extra = ranker.proposals(view, suspects(grammar, view, faults, level))
        for search in searches(grammar, view, faults, level, None, extra, TRIALS):
            found = certify(search.around.parses, search.places, search.fillers, search.trials)
            parses += min(search.trials, sum(len(search.fillers(place)) for place in search.places))
            if found:
                return found, parses
    return (), parses


def suspected(grammar: Grammar, view: bytes) -> tuple[Span, ...]:
    """R1's candidates at its first level, before a parser has judged them."""
    return suspects(grammar, view, file_faults(grammar, view))


def error_nodes(grammar: Grammar, view: bytes) -> tuple[Span, ...]:
    """The lexemes in the tree's broken nodes; where something is missing, the lexemes on both sides."""
    nodes = [Span(node.start_byte, node.end_byte) for node, _ in broken(parse(grammar, view))]
    every = lexemes(grammar, view, Span(0, len(view)))
    inside = {one for one in every for node in nodes if len(node) and one.overlaps(node)}
    for node in nodes:
        if not len(node):
            inside |= set([one for one in every if one.end <= node.start][-1:])
            inside |= set([one for one in every if one.start >= node.start][:1])
    return tuple(sorted(inside))


def compile_position(grammar: Grammar, view: bytes) -> tuple[Span, ...]:
    """The lexeme where the strict check found its fault, and its neighbours."""
    every = lexemes(grammar, view, Span(0, len(view)))
    found: list[Span] = []
    for fault in STRICT[grammar.strict].faults(view):
        at = max((n for n, one in enumerate(every) if one.start <= fault.span.start), default=0)
        found += every[max(0, at - AROUND) : at + AROUND + 1]
    return tuple(found)


def table(rows: Iterable[Found]) -> list[tuple[str, ...]]:
    """A head and one row a noise and way."""
    head = ("noise", "way", "texts", *(f"top {k}" for k in TOP), "in set", "set", "parses")
    return [head, *((noise, way, *_cells(own)) for (noise, way), own in _grouped(rows).items())]


def figures(rows: Iterable[Found]) -> list[dict[str, object]]:
    """The table as plain values."""
    return [
        {
            "noise": noise,
            "way": way,
            **{name: rate_json(one) for name, one in _rates(own).items()},
            "set": round(fmean(row.size for row in own), 2),
            "parses": round(fmean(row.parses for row in own), 1),
        }
        for (noise, way), own in _grouped(rows).items()
    ]


def _grouped(rows: Iterable[Found]) -> dict[tuple[str, str], list[Found]]:
    groups: dict[tuple[str, str], list[Found]] = {}
    for row in rows:
        groups.setdefault((row.noise, row.way), []).append(row)
    return dict(sorted(groups.items(), key=lambda pair: NOISES.index(pair[0][0])))


def _rates(own: Sequence[Found]) -> dict[str, Rate]:
    tops = {f"top {k}": rate(0 <= row.rank < k for row in own) for k in TOP}
    return tops | {"in set": rate(row.rank >= 0 for row in own)}


def _cells(own: Sequence[Found]) -> tuple[str, ...]:
    size, parses = fmean(row.size for row in own), fmean(row.parses for row in own)
    return (str(len(own)), *map(percent, _rates(own).values()), f"{size:.1f}", f"{parses:.0f}")
