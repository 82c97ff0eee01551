"""What the tests of the command line share: jobs that follow a script, and what a person sees of a run."""

import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dcode.text.frame import Frame, Slot
from dcode.text.result import Region, Result, Verdict
from dcode.text.source import Source
from dcode.text.span import Span

REPOSITORY = Path(__file__).resolve().parents[2]
FRAME = Frame(1, 4, ((Slot("x", "taken", 0.9), Slot("", "masked", 0.0)),), 1, 0, 0.1)

Process = subprocess.CompletedProcess[bytes]


def process_environment() -> dict[str, str]:
    """The environment for a process that runs the dcode under test."""
    path = os.pathsep.join((str(REPOSITORY), str(REPOSITORY / "tests/offline")))
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}


@dataclass
class Script:
    """What the jobs answer instead of a model: texts with verdicts, one candidate each; and what they were asked."""

    answers: list[tuple[str, Verdict]] = field(default_factory=list)
    asked: dict[str, Any] = field(default_factory=dict)

    def infill(self, source: Source, spans: Sequence[Span], *rest: Any, **options: Any) -> Iterator[Frame | Result]:
        """In place of dcode.jobs.infill.infill: every hole gets the candidate's text."""
        self.asked = {"source": source, "spans": [*spans], "grammar": rest[1], "plan": rest[2], **options}
        yield FRAME
        for text, verdict in self.answers:
            yield result(source, spans, text, verdict)

    def generate(self, prompt: str, *rest: Any, **options: Any) -> Iterator[Frame | Result]:
        """In place of dcode.jobs.generate.generate."""
        self.asked = {"prompt": prompt, "grammar": rest[1], "plan": rest[2], **options}
        yield FRAME
        for text, verdict in self.answers:
            yield result(Source.of(b"", "new"), [Span(0, 0)], text, verdict)


def result(source: Source, spans: Sequence[Span], text: str, verdict: Verdict) -> Result:
    """A candidate that puts `text` into every span."""
    new = text.encode("utf-8", "surrogateescape")
    regions = tuple(Region(span, source.view[span.start : span.end], new, verdict, 0.5) for span in spans)
    view, at = b"", 0
    for span in spans:
        view, at = view + source.view[at : span.start] + new, span.end
    return Result(regions, view + source.view[at:], (), (), 3, 1, {"total": 0.25})


@dataclass(frozen=True)
class Seen:
    """What a person sees of a run."""

    code: int
    out: bytes
    err: str


Run = Callable[..., Seen]
"""The command line inside this process: its arguments in, what is seen out."""

Dcode = Callable[..., Process]
"""The command line as a process of its own."""
