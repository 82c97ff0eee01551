"""Text that nobody wrote by hand: jobs end within their forwards, and nothing outside a hole changes."""

import random

import pytest

from dcode.diffusion.plan import Plan
from dcode.diffusion.repair import forwards_allowed
from dcode.errors import InputError
from dcode.jobs.fix import fix
from dcode.jobs.infill import infill
from dcode.syntax.grammar import grammar
from dcode.text.result import Result
from dcode.text.source import Source
from dcode.text.span import Span
from tests.oracle import random_model

STEPS = 3
SLOW = pytest.mark.slow


def soup(language: str, lexemes: int) -> bytes:
    """Lexemes of a language in no order, a dozen a line."""
    chance, known = random.Random(0), grammar(language).lexemes
    return b"".join(chance.choice(known) + (b" " if n % 12 else b"\n") for n in range(1, lexemes))


INFILLED = [
    pytest.param("javascript", b"{" * 1000, b"}" * 1000, id="blocks 1,000 deep"),
    pytest.param("javascript", b"{" * 10_000, b"}" * 10_000, id="blocks 10,000 deep", marks=SLOW),
    pytest.param("python", b"x = " + b"(" * 10_000, b")" * 10_000 + b"\n", id="brackets 10,000 deep", marks=SLOW),
    pytest.param("python", b"x = " + b"(" * 500, b"\n", id="500 open brackets"),
    pytest.param("python", b'x = "' + b"a" * 1_000_000 + b'"\ny = ', b"\n", id="a line of 1 MB"),
    pytest.param("python", b'x = "' + b"a" * 10_000_000 + b'"\ny = ', b"\n", id="a line of 10 MB", marks=SLOW),
    pytest.param("python", soup("python", 100), soup("python", 100), id="200 lexemes"),
    pytest.param("javascript", soup("javascript", 10_000), soup("javascript", 10_000), id="20,000 lexemes", marks=SLOW),
    pytest.param("bash", b"if true; then\n" * 2000, b"\n", id="2,000 open blocks"),
    pytest.param("bash", b"if true; then\n" * 10_000, b"\n", id="10,000 open blocks", marks=SLOW),
    pytest.param("bash", b"$(" * 10_000, b"\n", id="10,000 substitutions", marks=SLOW),
]


@pytest.mark.parametrize(("language", "before", "behind"), INFILLED)
def test_infill_ends_within_its_forwards(language: str, before: bytes, behind: bytes) -> None:
    source = Source.of(before + behind, "wild")
    hole = Span(len(before), len(before))
    stream = infill(source, [hole], random_model(), grammar(language), Plan(steps=STEPS), slots=8)
    (result,) = [seen for seen in stream if isinstance(seen, Result)]
    assert result.forwards <= forwards_allowed(STEPS)
    assert result.view.startswith(before) and result.view.endswith(behind)
    if result.verdict in ("verified", "fallback"):
        assert len(result.faults_after) <= len(result.faults_before)


FIXED = [
    pytest.param("python", b'x = "' + b"a" * 10_000_000 + b'"\n', 0, id="a sound line of 10 MB"),
    pytest.param("python", b"x = " + b"(" * 60 + b")" * 59 + b"\n", None, id="brackets 60 deep"),
    pytest.param("python", b"x = " + b"(" * 10_000 + b")" * 10_000 + b"\n", None, id="10,000 deep", marks=SLOW),
    pytest.param("python", soup("python", 20_000), None, id="20,000 lexemes", marks=SLOW),
    pytest.param("bash", b"if true; then\n" * 10_000, None, id="10,000 open blocks", marks=SLOW),
]


@pytest.mark.parametrize(("language", "view", "changes"), FIXED)
def test_fix_ends_with_a_text_that_parses_or_the_one_there_was(language: str, view: bytes, changes: int | None) -> None:
    stream = fix(Source.of(view, "wild"), random_model(), grammar(language), Plan(steps=STEPS))
    (result,) = [seen for seen in stream if isinstance(seen, Result)]
    assert changes is None or len(result.regions) == changes
    assert result.view == view if result.verdict == "failed" else not result.faults_after


@pytest.mark.parametrize("number", range(3))
def test_random_bytes_are_refused_or_left_alone(number: int) -> None:
    noise = random.Random(number).randbytes(20_000)
    for text in (noise, noise.replace(b"\0", b" ")):
        with pytest.raises(InputError):
            list(fix(Source.of(text, "noise"), random_model(), grammar("python"), Plan(steps=STEPS)))


def test_what_a_parser_takes_minutes_for_is_refused() -> None:
    source = Source.of(b"<<E\n" * 40_000, "hostile.sh")
    with pytest.raises(InputError, match="takes too long"):
        list(infill(source, [Span(0, 0)], random_model(), grammar("bash"), Plan(steps=STEPS), slots=8))
