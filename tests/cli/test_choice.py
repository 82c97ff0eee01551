"""What the last line says of an answer."""

from dcode.cli.choice import summary
from dcode.text.result import Region, Result
from dcode.text.span import Span


def test_names_that_nothing_brings_are_told_beside_the_verdict() -> None:
    region = Region(Span(0, 0), b"", b"print(np)\n", "verified", 0.875)
    result = Result((region,), region.new, (), (), forwards=7, repairs=1, unbound=("np", "os"))
    assert summary(result, 1.25) == "verified, undefined: np os, 88 % sure, 7 forwards, 1 repair, 1.2 s"
