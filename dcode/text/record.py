"""A run as JSON lines: what it is in the first, then a Frame a line, as they came. It knows no model."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from dcode.errors import InputError
from dcode.text.frame import Frame, Slot

SCHEMA = "dcode.trace/1"


@dataclass(frozen=True, slots=True)
class Trace:
    """The Frames of a run, in order; of several files one after the other."""

    frames: tuple[Frame, ...]

    @staticmethod
    def of(text: str) -> "Trace":
        """The trace that these lines are; InputError, with the line, for others. A torn last line is left out."""
        lines = [line for line in text.splitlines(keepends=True) if line.endswith("\n")]
        try:
            schema = json.loads(lines[0])["schema"]
        except (IndexError, KeyError, TypeError, ValueError):
            schema = None
        if schema != SCHEMA:
            raise InputError("this is no trace", hint="dcode infill --trace FILE writes one")
        return Trace(tuple(_frame(number, line) for number, line in enumerate(lines[1:], start=2)))

    def lines(self) -> Iterator[str]:
        """The text of the trace, line by line."""
        yield head()
        yield from map(line, self.frames)


def is_trace(path: Path) -> bool:
    """Whether a file begins as a trace does."""
    try:
        with path.open("rb") as file:
            return file.read(len(head())) == head().encode()
    except OSError:
        return False


def head() -> str:
    """The first line."""
    return _line({"schema": SCHEMA})


def line(frame: Frame) -> str:
    """A Frame's line: a slot is its text, state and confidence."""
    return _line({**asdict(frame), "holes": [[[s.text, s.state, s.confidence] for s in hole] for hole in frame.holes]})


def _line(value: object) -> str:
    """ASCII only, so that nothing in it can steer a terminal."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False) + "\n"


def _frame(number: int, text: str) -> Frame:
    try:
        values = json.loads(text)
        holes: Iterable[Iterable[tuple[str, str, float]]] = values["holes"]
        slots = tuple(tuple(Slot(*slot) for slot in hole) for hole in holes)  # type: ignore[arg-type]
        known = {item.name: values[item.name] for item in fields(Frame)}
        return Frame(**{**known, "holes": slots, "around": tuple(known["around"])})
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"line {number} of the trace is no frame: {error}") from None
