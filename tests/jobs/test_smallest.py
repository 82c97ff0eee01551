"""The smallest change of a region: what is plainly wrong there and nothing else, or nothing."""

import pytest

from dcode.diffusion.plan import Plan
from dcode.jobs.smallest import smallest
from dcode.syntax.grammar import grammar
from dcode.text.frame import Frame
from dcode.text.ranges import lines_span
from dcode.text.result import Result
from dcode.text.source import Source
from tests.jobs.test_fix import Knower

PYTHON = grammar("python")
FILE = b"import os\n\n\ndef sizes(path):\n    return [os.stat(name) for name in os.listdir(path)]\n\n\nsizes(os.sep)\n"


def found(damaged: bytes, lines: str) -> Result | None:
    """The smallest change of these lines by a model that knows the file."""
    stream = smallest(Source.of(damaged, "a.py"), lines_span(damaged, lines), Knower(FILE), PYTHON, Plan())  # type: ignore[arg-type]
    while True:
        try:
            assert isinstance(next(stream), Frame)
        except StopIteration as stop:
            result: Result | None = stop.value
            return result


@pytest.mark.parametrize(
    ("right", "wrong", "lines"),
    [
        (b"def sizes(path):", b"def sizes(path:", "4-5"),
        (b"def sizes(path):", b"def sizes(path):)", "4"),
        (b"listdir(path)", b"listdir(pth)", "4-5"),
        (b"    return [", b"    [", "4-5"),
        (b"import os\n\n\n", b"", "1-"),
        (b"return [os.stat(name) for", b"[os.stat(nmae) for", "4-5"),
    ],
)
def test_what_is_plainly_wrong_is_put_right(right: bytes, wrong: bytes, lines: str) -> None:
    damaged = FILE.replace(right, wrong)
    result = found(damaged, lines)
    assert result is not None and result.view == FILE and result.verdict == "verified"
    (region,) = result.regions
    assert region.span == lines_span(damaged, lines) and not result.faults_after
    assert bool(result.forwards) is bool(result.faults_before)


@pytest.mark.parametrize(
    ("right", "wrong", "lines"),
    [
        (b"", b"", "4-5"),
        (b"def sizes(path):", b"def sizes(path:", "8"),
        (b"listdir(path)", b"listdir(pth)", "8"),
        (b"import os\n\n\n", b"", "2-3"),
        (b"listdir(path)", b"listdir(folder)", "4-5"),
    ],
)
def test_nothing_else_is_touched(right: bytes, wrong: bytes, lines: str) -> None:
    assert found(FILE.replace(right, wrong, 1), lines) is None
