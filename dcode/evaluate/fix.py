"""Damage one token of a file that parses, have it repaired, and count what parses, what is as before, what changed.

Who repairs is a function, and so is all that must be known of a language; nothing of either is known here.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median
from time import process_time

from dcode.evaluate.metrics import Rate
from dcode.evaluate.report import percent
from dcode.text.result import Result
from dcode.text.span import Span

KINDS = ("frequency", "uniform", "delete", "duplicate")
"""A token replaced by another of the file or by any of the language, left out, or written twice."""

INTACT = "intact"
DRAWS = 50
"""So often another token is drawn if the text parses without it."""


@dataclass(frozen=True, slots=True)
class Language:
    """What is asked of a language: the lexemes of a text, its common lexemes, and whether a text has a fault."""

    lexemes: Callable[[bytes], Sequence[Span]]
    common: Sequence[bytes]
    is_broken: Callable[[bytes], bool]


Repair = Callable[[bytes], Result]
"""A text in, what came of it out."""


@dataclass(frozen=True, slots=True)
class Row:
    """One repair: of which file and damage, whether the text parses and is the original, tokens changed, the cost.

    `seconds` are those of the processor.
    """

    file: str
    kind: str
    parses: bool
    exact: bool
    tokens: int
    forwards: int
    seconds: float


def measure(
    texts: Iterator[tuple[str, bytes]], rows: int, language: Language, repair: Repair, seed: int
) -> Iterator[Row]:
    """So many damaged texts that were repaired, the kinds in turn, and each of those texts intact before."""
    draw = random.Random(seed)
    done = 0
    for name, view in texts:
        if done == rows:
            return
        kind = KINDS[done % len(KINDS)]
        if language.is_broken(view) or (broken := damaged(view, kind, language, draw)) is None:
            continue
        yield _row(name, INTACT, view, view, language, repair)
        yield _row(name, kind, broken, view, language, repair)
        done += 1


def damaged(view: bytes, kind: str, language: Language, draw: random.Random) -> bytes | None:
    """The text with one token damaged so that it has a fault; None if no draw brought one."""
    spans = language.lexemes(view)
    for _ in range(DRAWS if len(spans) > 1 else 0):
        span = draw.choice(spans)
        old = view[span.start : span.end]
        other = draw.choice(spans)
        new = {
            "frequency": view[other.start : other.end],
            "uniform": draw.choice(language.common),
            "delete": b"",
            "duplicate": _joined(_joined(b"", old), old),
        }[kind]
        before = view[: span.start]
        text = _joined(before, new, view[span.end :]) if new else before + view[span.end :]
        if new != old and language.is_broken(text):
            return text
    return None


def _row(name: str, kind: str, broken: bytes, view: bytes, language: Language, repair: Repair) -> Row:
    begun = process_time()
    result = repair(broken)
    seconds = process_time() - begun
    tokens = sum(max(len(language.lexemes(one.old)), len(language.lexemes(one.new))) for one in result.regions)
    parses = not language.is_broken(result.view)
    return Row(name, kind, parses, result.view == view, tokens if parses else 0, result.forwards, seconds)


def _joined(*texts: bytes) -> bytes:
    """The texts one behind the other, with a blank where two words would become one."""
    found = b""
    for text in texts:
        apart = b" " if _in_word(found[-1:]) and _in_word(text[:1]) else b""
        found += apart + text
    return found


def _in_word(sign: bytes) -> bool:
    return sign.isalnum() or sign == b"_" or sign >= b"\x80"


@dataclass(frozen=True)
class Report:
    """All rows of a measurement."""

    rows: tuple[Row, ...]

    @property
    def groups(self) -> dict[str, tuple[Row, ...]]:
        """The damaged ones by kind, and all of them."""
        found = {kind: tuple(row for row in self.rows if row.kind == kind) for kind in KINDS}
        return found | {"all": tuple(row for row in self.rows if row.kind != INTACT)}

    @property
    def untouched(self) -> Rate:
        """The intact texts that were left alone."""
        intact = [row for row in self.rows if row.kind == INTACT]
        return Rate(sum(row.exact for row in intact), len(intact))

    def to_json(self) -> dict[str, object]:
        """Plain values for `json.dumps`, rows left out."""
        untouched = self.untouched
        return {
            "intact": {"files": untouched.total, "untouched": untouched.hits},
            **{name: _figures(rows) for name, rows in self.groups.items() if rows},
        }


def table(report: Report) -> list[tuple[str, ...]]:
    """A head and one row of text a kind of damage, for whoever draws the table."""
    head = ("damage", "files", "parses", "exact", "tokens", "forwards", "s / file", "9 of 10")
    cells = [(name, *_cells(rows)) for name, rows in report.groups.items() if rows]
    untouched = report.untouched
    return [head, *cells, (INTACT, str(untouched.total), "", f"{untouched.hits} untouched", "", "", "", "")]


def _cells(rows: Sequence[Row]) -> tuple[str, ...]:
    figures = _figures(rows)
    rates = (percent(_rate(rows, name)) for name in ("parses", "exact"))
    return (str(len(rows)), *rates, *(str(figures[name]) for name in ("tokens", "forwards", "seconds", "seconds_90")))


def _rate(rows: Sequence[Row], name: str) -> Rate:
    return Rate(sum(getattr(row, name) for row in rows), len(rows))


def _figures(rows: Sequence[Row]) -> dict[str, object]:
    """Rates, and medians of what it took; `seconds_90`: nine of ten took no longer."""
    seconds = sorted(row.seconds for row in rows)
    return {
        "files": len(rows),
        **{name: round(_rate(rows, name).value, 4) for name in ("parses", "exact")},
        "tokens": median([row.tokens for row in rows if row.parses] or [0]),
        "forwards": median(row.forwards for row in rows),
        "seconds": round(median(seconds), 3),
        "seconds_90": round(seconds[ceil(0.9 * len(rows)) - 1], 3),
    }
