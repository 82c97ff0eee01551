"""A trace is read back as it was written, and what is none is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcode.errors import InputError
from dcode.text.frame import Frame, Slot
from dcode.text.record import Trace, head, line

SHARES = st.floats(0, 1)
SLOTS = st.builds(Slot, st.text(), st.sampled_from(["masked", "fresh", "taken", "dropped"]), SHARES)
HOLES = st.lists(st.lists(SLOTS, max_size=4).map(tuple), max_size=3).map(tuple)
PHASES = st.sampled_from(["fill", "rank", "begin", "repair"])
COUNTS, AROUND = st.integers(0, 999), st.lists(st.text(), max_size=3).map(tuple)
FRAMES = st.builds(Frame, COUNTS, COUNTS, HOLES, COUNTS, COUNTS, SHARES, AROUND, COUNTS, PHASES)


@given(st.lists(FRAMES, max_size=4).map(tuple))
def test_frames_come_back_as_they_were(frames: tuple[Frame, ...]) -> None:
    text = "".join(Trace(frames).lines())
    assert text.isascii() and text.count("\n") == 1 + len(frames)
    assert Trace.of(text) == Trace(frames)


def test_a_run_that_was_ended_while_it_wrote_is_read_up_to_there() -> None:
    frame = Frame(1, 4, ((Slot("x", "fresh", 0.5),),), 0, 0, 0.1)
    assert Trace.of(head() + line(frame) + line(frame)[:-9]) == Trace((frame,))


@pytest.mark.parametrize("text", ["", "x = 1\n", '{"schema": "dcode.result/1"}\n', "[]\n"])
def test_what_is_no_trace_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="no trace"):
        Trace.of(text)


@pytest.mark.parametrize("text", ["{}", "[]", "{", '{"holes": 1}'])
def test_a_damaged_line_is_named(text: str) -> None:
    with pytest.raises(InputError, match="line 2 "):
        Trace.of(f"{head()}{text}\n")
