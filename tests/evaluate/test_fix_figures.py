"""Repairs counted: damage breaks a text in every way there is, and what is counted is what was done."""

import random
from collections.abc import Iterator

import pytest

from dcode.evaluate.fix import INTACT, KINDS, Language, Report, damaged, measure, table
from dcode.text.result import Region, Result
from dcode.text.span import Span


def digits(view: bytes) -> list[Span]:
    """The bytes of a text, without blanks."""
    return [Span(at, at + 1) for at in range(len(view)) if view[at : at + 1].strip()]


LANGUAGE = Language(digits, (b"x", b"7"), lambda view: b"".join(view.split()) != b"123456")
"""One text has no fault."""

TEXT = b"1 2 3 4 5 6"


def repair(view: bytes) -> Result:
    """The text with other blanks, but for what was written twice: that is given up."""
    if not LANGUAGE.is_broken(view):
        return Result((), view, (), (), 0, 0, {}, "clean")
    if len(digits(view)) > 6:
        return Result((Region(Span(0, 1), view[:1], view[:1], "failed", 0.0),), view, (), (), 1, 1, {}, "rounds")
    return Result((Region(Span(0, len(view)), view, b"123456", "verified", 1.0),), b"123456", (), (), 3, 1, {}, "clean")


def texts() -> Iterator[tuple[str, bytes]]:
    yield "broken", b"9"
    for number in range(20):
        yield str(number), TEXT


@pytest.mark.parametrize("kind", KINDS)
def test_one_token_is_damaged(kind: str) -> None:
    for seed in range(20):
        text = damaged(TEXT, kind, LANGUAGE, random.Random(seed))
        assert text is not None and LANGUAGE.is_broken(text)
        assert len(digits(text)) - 6 == {"delete": -1, "duplicate": 1}.get(kind, 0)
    assert damaged(b"1", kind, LANGUAGE, random.Random(0)) is None


def test_what_was_done_is_counted() -> None:
    rows = tuple(measure(texts(), 8, LANGUAGE, repair, 0))
    assert len(rows) == 16 and "broken" not in {row.file for row in rows}
    report = Report(rows)
    assert (report.untouched.hits, report.untouched.total) == (8, 8)
    every = report.groups["all"]
    assert [row.kind for row in every] == [*KINDS, *KINDS]
    assert [row.parses for row in every] == [row.kind != "duplicate" for row in every]
    assert not any(row.exact for row in every) and all(row.exact for row in rows if row.kind == INTACT)
    figures = report.to_json()
    assert figures["all"]["tokens"] == 6 and figures["duplicate"]["parses"] == 0  # type: ignore[index]
    assert len(table(report)) == 1 + len(KINDS) + 2


def test_a_seed_draws_the_damage() -> None:
    def drawn(seed: int) -> list[bytes | None]:
        return [damaged(TEXT, kind, LANGUAGE, random.Random(seed)) for kind in KINDS]

    assert drawn(1) == drawn(1) != drawn(2)
