"""The losses of a run as a picture: nats a token on training rows and on held-out ones, over the tokens seen.

It reads the run's log alone. matplotlib comes with the extra [train].
"""

import io
import json
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from dcode.errors import InputError
from dcode.train.state import LOG

SIZE_INCHES, DOTS = (8.0, 4.5), 120


def plot(folder: Path) -> bytes:
    """A PNG of the run in `folder`; InputError if it has no log."""
    rows = read_log(folder)
    figure = Figure(figsize=SIZE_INCHES, dpi=DOTS, layout="constrained")
    axes = figure.add_subplot(xlabel="million tokens seen", ylabel="nats a token")
    axes.plot(_millions(rows), [row["loss"] for row in rows], color="0.6", label="training rows, smoothed")
    measured = [row for row in rows if row["held"]]
    for name in measured[-1]["held"] if measured else ():
        known = [row for row in measured if name in row["held"]]
        axes.plot(_millions(known), [row["held"][name] for row in known], marker=".", label=f"held out, {_told(name)}")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    picture = io.BytesIO()
    figure.savefig(picture, format="png", metadata={"Software": None})
    return picture.getvalue()


def read_log(folder: Path) -> list[dict[str, Any]]:
    """The rows of a run's log, one a step: steps done again after a kill stand there once."""
    try:
        lines = (folder / LOG).read_text(encoding="utf-8").splitlines()
        rows = {row["step"]: row for row in map(json.loads, lines)}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder / LOG} is no log of a run: {error}", hint="dcode train run writes one") from None
    if not rows:
        raise InputError(f"{folder / LOG} is empty", hint="dcode train run writes it")
    return [rows[step] for step in sorted(rows)]


def _millions(rows: list[dict[str, Any]]) -> list[float]:
    return [row["tokens"] / 1e6 for row in rows]


def _told(name: str) -> str:
    return f"mask {name}" if name[:1].isdigit() else name
