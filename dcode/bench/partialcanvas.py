"""PartialCanvas: can a canvas that still has masks be judged? False alarms and detections against the share of masks.

Two orders in which a canvas may have been filled: anywhere (the masks lie scattered) and from left to right (they are
the end). A detection counts on texts with one wrong lexeme that no mask covers.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from dcode.bench.corrupt import breaking, written
from dcode.bench.lexicon import Lexicon, is_gap, split
from dcode.bench.library import Function
from dcode.bench.rates import rate, rate_json
from dcode.evaluate.metrics import Rate
from dcode.evaluate.report import percent
from dcode.syntax.check import file_faults
from dcode.syntax.grammar import Grammar
from dcode.syntax.prefix import PREFIX_TESTS

Order = Literal["scattered", "end"]
ORDERS: tuple[Order, ...] = ("scattered", "end")
RATIOS = (0.1, 0.3, 0.5, 0.7, 0.9)

PLACEHOLDER = b"x"
"""A name, in every language that there is a bench for."""

Test = Callable[[Grammar, Sequence[bytes], Set[int]], bool]
"""Of pieces and the masked ones among them: whether it says that something is wrong."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One canvas judged in one way. `alarm` is what the test said, `broken` the truth; `reach`: whether the wrong
    lexeme stands in the complete lines before the first mask."""

    text: str
    order: Order
    ratio: float
    way: str
    broken: bool
    reach: bool
    alarm: bool


@dataclass(frozen=True)
class PartialCanvas:
    """A bench bound to what it needs; called with a function it judges canvases of it, right and wrong."""

    lexicon: Lexicon
    seed: int

    def __call__(self, function: Function) -> list[Seen]:
        """Every order, share of masks and way, on the text as it is and with one wrong lexeme."""
        grammar = self.lexicon.grammar
        generator = random.Random(f"{self.seed} {function.name}")
        right = split(grammar, function.view)
        wrong = breaking(self.lexicon, right, range(len(right)), 1, "plausible", generator)
        if wrong is None:
            return []
        (place,) = wrong
        seen: list[Seen] = []
        for order in ORDERS:
            places = masked_first(grammar, right, order, generator)
            for ratio in RATIOS:
                masks = frozenset(places[: round(ratio * len(places))])
                seen += self._judged(function.name, order, ratio, right, masks, None)
                if place not in masks:
                    seen += self._judged(function.name, order, ratio, written(right, wrong), masks, place)
        return seen

    def _judged(
        self, name: str, order: Order, ratio: float, pieces: Sequence[bytes], masks: frozenset[int], wrong: int | None
    ) -> Iterator[Seen]:
        line = sum(piece.count(b"\n") for piece in pieces[: min(masks, default=len(pieces))])
        reach = wrong is not None and sum(piece.count(b"\n") for piece in pieces[:wrong]) < line
        for way, test in TESTS.items():
            alarm = test(self.lexicon.grammar, pieces, masks)
            yield Seen(name, order, ratio, way, wrong is not None, reach, alarm)


def masked_first(grammar: Grammar, pieces: Sequence[bytes], order: Order, generator: random.Random) -> list[int]:
    """The places that may be masked, in the order in which they are as the share of masks grows."""
    if order == "end":
        return list(reversed(range(len(pieces))))
    places = [place for place, piece in enumerate(pieces) if not is_gap(grammar, piece)]
    return generator.sample(places, len(places))


def parse_without(grammar: Grammar, pieces: Sequence[bytes], masks: Set[int]) -> bool:
    """Masks rendered as nothing."""
    return bool(file_faults(grammar, rendered(pieces, masks, b"")))


def parse_with_names(grammar: Grammar, pieces: Sequence[bytes], masks: Set[int]) -> bool:
    """Masks rendered as a name."""
    return bool(file_faults(grammar, rendered(pieces, masks, PLACEHOLDER)))


def prefix_test(grammar: Grammar, pieces: Sequence[bytes], masks: Set[int]) -> bool:
    """The complete lines before the first mask, whatever may follow."""
    text = rendered(pieces, masks, b"")
    starts = list(accumulate(map(len, pieces), initial=0))
    return PREFIX_TESTS[grammar.strict].fault(text, starts[min(masks)] if masks else len(text)) is not None


TESTS: dict[str, Test] = {
    "parse, masks as nothing": parse_without,
    "parse, masks as names": parse_with_names,
    "line-cut prefix": prefix_test,
}


def rendered(pieces: Sequence[bytes], masks: Set[int], mask: bytes) -> bytes:
    """The text with something in place of the masks."""
    return b"".join(mask if place in masks else piece for place, piece in enumerate(pieces))


def table(rows: Iterable[Seen]) -> list[tuple[str, ...]]:
    """A head and one row an order, share of masks and way."""
    head = ("masks", "share", "way", "false alarms", "detections", "detections in reach", "in reach")
    body = []
    for (order, ratio, way), own in _grouped(rows).items():
        rates = _rates(own)
        cells = (percent(one) if one.total else "-" for one in rates.values())
        body.append((order, f"{ratio:.1f}", way, *cells, str(rates["detections in reach"].total)))
    return [head, *body]


def figures(rows: Iterable[Seen]) -> list[dict[str, object]]:
    """The table as plain values."""
    return [
        {"masks": order, "share": ratio, "way": way, **{name: rate_json(one) for name, one in _rates(own).items()}}
        for (order, ratio, way), own in _grouped(rows).items()
    ]


def _grouped(rows: Iterable[Seen]) -> dict[tuple[Order, float, str], list[Seen]]:
    groups: dict[tuple[Order, float, str], list[Seen]] = {
        (order, ratio, way): [] for order in ORDERS for ratio in RATIOS for way in TESTS
    }
    for row in rows:
        groups[row.order, row.ratio, row.way].append(row)
    return groups


def _rates(own: Sequence[Seen]) -> dict[str, Rate]:
    return {
        "false alarms": rate(row.alarm for row in own if not row.broken),
        "detections": rate(row.alarm for row in own if row.broken),
        "detections in reach": rate(row.alarm for row in own if row.reach),
    }
