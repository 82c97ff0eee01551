"""The live view on stderr: a canvas of fixed height that fills while the model works and then disappears.

It reads Frames and the terminal, nothing else. States differ in shape as well as colour: masked slots are
shaded blocks, what was just taken is bold and underlined, what is doubtful is italic, what the parser dropped
is struck. Text of the model goes in as plain text with its controls made visible, never as markup.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest

from rich.cells import cell_len
from rich.console import Console
from rich.live import Live
from rich.text import Text

from dcode.text.frame import Frame, Slot
from dcode.text.sanitize import visible

SECONDS_BETWEEN_FRAMES = 0.125
TALLEST, SHORTEST, SLOTS_PER_ROW = 16, 2, 8
DOUBTFUL = 0.5  # a slot taken with less confidence than this is shown as unsure
TAB = "    "
STYLES = {
    "masked": "bright_black",
    "fresh": "bold underline green",
    "taken": "",
    "unsure": "italic yellow",
    "dropped": "strike red",
    "around": "dim",
}

Show = Callable[[Frame], None]


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The signs that are not text of the model."""

    masked: str
    dropped: str
    between: str
    separator: str


UNICODE = Glyphs("░", "×", "···", " · ")
ASCII = Glyphs("_", "x", "...", " | ")


@contextmanager
def live(color: str = "auto") -> Iterator[Show]:
    """A view on stderr; call what it gives with each Frame. The terminal is as before when the block ends."""
    no_color = {"always": False, "never": True}.get(color)  # None: as NO_COLOR says
    console = Console(stderr=True, force_terminal=True, no_color=no_color, highlight=False, markup=False, emoji=False)
    glyphs = UNICODE if console.encoding.startswith("utf") else ASCII
    height = 0
    due = 0.0
    with Live(
        Text("loading the model"),
        console=console,
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    ) as screen:

        def show(frame: Frame) -> None:
            nonlocal height, due
            now = time.monotonic()
            if now < due:
                return
            height = height or canvas_height(frame, console.height)
            screen.update(picture(frame, console.width, height, glyphs), refresh=True)
            due = now + SECONDS_BETWEEN_FRAMES

        yield show


def canvas_height(frame: Frame, rows: int) -> int:
    """Rows for the canvas of a run that begins with this frame, on a terminal of `rows` rows."""
    slots = sum(map(len, frame.holes))
    lines = max(SHORTEST, slots // SLOTS_PER_ROW) + sum(text.count("\n") for text in frame.around)
    return max(1, min(lines, TALLEST, rows - 3))


def picture(frame: Frame, width: int, height: int, glyphs: Glyphs = UNICODE) -> Text:
    """The canvas in exactly `height` rows and the footer below it, none wider than `width` columns."""
    rows, active = canvas(frame.holes, max(width - 1, 1), glyphs, frame.around)
    first = min(max(active - height // 2, 0), max(len(rows) - height, 0))
    seen = rows[first : first + height]
    seen += [Text("")] * (height - len(seen))
    return Text("\n", no_wrap=True, end="").join([*seen, footer(frame, max(width - 1, 1), glyphs)])


def canvas(
    holes: Sequence[Sequence[Slot]], width: int, glyphs: Glyphs, around: Sequence[str] = ()
) -> tuple[list[Text], int]:
    """Every hole between its surroundings, as rows of at most `width` columns, and the row where the work goes on."""
    rows, used, active = [Text("")], 0, None
    for signs, style, working in _pieces(holes, glyphs, around or _unknown(holes, glyphs)):
        for sign in signs:
            columns = cell_len(sign)
            if sign == "\n" or used + columns > width:
                rows.append(Text(""))
                used = 0
            if sign != "\n":
                rows[-1].append(sign, style)
                used += columns
        if working and active is None:
            active = len(rows) - 1
    return rows, len(rows) - 1 if active is None else active


def _pieces(holes: Sequence[Sequence[Slot]], glyphs: Glyphs, around: Sequence[str]) -> Iterator[tuple[str, str, bool]]:
    """Signs, their style, and whether the work goes on there: surroundings and slots in the file's order."""
    for text, hole in zip_longest(around, holes, fillvalue=()):
        yield _plain(str(text)), STYLES["around"], False
        for slot in hole:
            yield _signs(slot, glyphs), STYLES[_look(slot)], slot.state != "taken"


def _unknown(holes: Sequence[Sequence[Slot]], glyphs: Glyphs) -> list[str]:
    """A sign between holes whose surroundings nobody told."""
    return ["", *[f"\n{glyphs.between}\n"] * (len(holes) - 1), ""]


def _plain(text: str) -> str:
    return visible(text).replace("\t", TAB)


def footer(frame: Frame, width: int, glyphs: Glyphs = UNICODE) -> Text:
    """How far the work is, with as many of its parts as fit."""
    parts = [
        f"step {frame.index}/{frame.limit}",
        f"{frame.masked} left",
        f"{frame.faults} fault{'' if frame.faults == 1 else 's'}",
        f"{frame.seconds:.1f} s",
    ]
    counts = range(len(parts), 0, -1)
    line = next((text for n in counts if cell_len(text := glyphs.separator.join(parts[:n])) <= width), "")
    return Text(line, style="dim")


def _look(slot: Slot) -> str:
    return "unsure" if slot.state == "taken" and slot.confidence < DOUBTFUL else slot.state


def _signs(slot: Slot, glyphs: Glyphs) -> str:
    """What stands for a slot; one without text still shows its place, unless it is void."""
    if slot.state == "masked":
        return glyphs.masked
    text = _plain(slot.text)
    if slot.state == "dropped":
        return text.strip("\n") or glyphs.dropped
    return text
