"""The live view: its size never changes, states look different, and nothing of the model steers the terminal."""

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from dcode.cli import view
from dcode.cli.view import ASCII, UNICODE, canvas, canvas_height, footer, picture
from dcode.text.frame import Frame, Slot, SlotState

Holes = tuple[tuple[Slot, ...], ...]

STATES: tuple[SlotState, ...] = ("masked", "fresh", "taken", "dropped")

slots = st.builds(
    Slot,
    text=st.text(max_size=6) | st.sampled_from(["\n", "\t", "\x1b[2J", "[bold]", "日本", "e\u0301", "\r", "    "]),
    state=st.sampled_from(STATES),
    confidence=st.floats(0, 1),
)
holes = st.lists(st.lists(slots, max_size=20).map(tuple), min_size=1, max_size=4).map(tuple)


def frame(*hole: Slot, **changes: float) -> Frame:
    values = {"index": 7, "limit": 32, "masked": 41, "faults": 0, "seconds": 0.84} | changes
    return Frame(holes=(hole,), **values)  # type: ignore[arg-type]


def printed(text: object, width: int) -> str:
    console = Console(file=io.StringIO(), force_terminal=True, width=width, color_system="standard")
    console.print(text)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@given(holes=holes, width=st.integers(1, 100), height=st.integers(1, 20))
def test_the_picture_has_its_size_whatever_is_in_it(
    holes: tuple[tuple[Slot, ...], ...], width: int, height: int
) -> None:
    rows = picture(Frame(1, 9, holes, 3, 1, 0.5), width, height).plain.split("\n")
    assert len(rows) == height + 1
    # A character two columns wide cannot be drawn in one.
    assert all(cell_len(row) <= max(width - 1, 2) for row in rows)


@given(holes=holes)
def test_only_our_own_sequences_reach_the_terminal(holes: Holes) -> None:
    out = printed(picture(Frame(1, 9, holes, 3, 1, 0.5), 40, 8), 40)
    assert not re.search(r"[\x00-\x09\x0b-\x1a\x1c-\x1f\x7f-\x9f\u202e]", re.sub(r"\x1b\[[0-9;]*m", "", out))


def test_markup_of_the_model_is_text() -> None:
    assert "[bold red]x[/]" in printed(picture(frame(Slot("[bold red]x[/]", "taken", 1.0)), 40, 2), 40)


def test_every_state_differs_in_shape_without_colour() -> None:
    shapes = set()
    for slot in (*(Slot("x", state, 0.9) for state in STATES), Slot("x", "taken", 0.1)):
        out = printed(picture(frame(slot), 40, 1), 40)
        first = out.split("\n")[0]
        codes = {code for part in re.findall(r"\x1b\[([0-9;]*)m", first) for code in part.split(";")}
        sign = re.sub(r"\x1b\[[0-9;]*m", "", first).strip()
        shapes.add((sign, frozenset(codes & {"1", "3", "4", "9"})))
    assert len(shapes) == 5


def test_a_void_leaves_no_gap_and_what_was_dropped_stays_seen() -> None:
    rows, _ = canvas([[Slot("a", "taken", 1), Slot("", "taken", 1), Slot("b", "taken", 1)]], 40, UNICODE)
    assert rows[0].plain == "ab"
    rows, _ = canvas([[Slot("", "dropped", 1), Slot("if", "dropped", 1), Slot("\n", "dropped", 1)]], 40, UNICODE)
    assert rows[0].plain == "×if×"


def test_the_window_follows_the_work() -> None:
    lines = [Slot(f"line {n}\n", "taken", 0.9) for n in range(40)]
    assert "line 39" in picture(frame(*lines), 40, 5).plain
    lines[3] = Slot("", "masked", 0.0)
    assert "░" in picture(frame(*lines), 40, 5).plain


def test_holes_are_kept_apart() -> None:
    two = ((Slot("a", "taken", 1.0),), (Slot("b", "taken", 1.0),))
    rows, _ = canvas(two, 40, UNICODE)
    assert [row.plain for row in rows] == ["a", "···", "b"]


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (80, "step 7/32 · 41 left · 0 faults · 0.8 s"),
        (38, "step 7/32 · 41 left · 0 faults · 0.8 s"),
        (37, "step 7/32 · 41 left · 0 faults"),
        (20, "step 7/32 · 41 left"),
        (10, "step 7/32"),
        (5, ""),
    ],
)
def test_the_footer_says_what_fits(width: int, text: str) -> None:
    assert footer(frame(), width).plain == text


def test_one_fault_is_no_faults() -> None:
    assert "1 fault ·" in footer(frame(faults=1), 80).plain


def test_a_terminal_without_unicode_gets_ascii() -> None:
    every = (Slot("", "masked", 0), Slot("", "dropped", 0))
    assert picture(Frame(1, 2, (every, every), 1, 0, 0.0), 60, 6, ASCII).plain.isascii()


def test_the_height_suits_the_work_and_the_terminal() -> None:
    def tall(count: int, rows: int) -> int:
        return canvas_height(frame(*[Slot("", "masked", 0)] * count), rows)

    assert (tall(16, 24), tall(128, 40), tall(1000, 40), tall(128, 10), tall(128, 2)) == (2, 16, 16, 7, 1)


class Clock:
    """Time that passes by as much as it is told."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


def test_it_draws_at_most_ten_frames_a_second_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    clock = Clock()
    monkeypatch.setattr(view, "time", clock)
    monkeypatch.setenv("TERM", "xterm")
    with view.live() as show:
        for index in range(100):
            show(frame(Slot(f"{index};", "taken", 1.0)))
            clock.now += 0.01
    err = capfd.readouterr().err
    drawn = re.findall(r"\d+;", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", err))
    assert 5 <= len(drawn) <= 10
    assert err.endswith(("\x1b[2K", "\x1b[?25h"))


def test_surroundings_stand_still_around_the_hole() -> None:
    hole = (Slot("a", "taken", 1), Slot("", "masked", 0))
    rows, active = canvas([hole], 40, UNICODE, ["def f():\n    return ", "\nend"])
    assert [row.plain for row in rows] == ["def f():", "    return a░", "end"] and active == 1
