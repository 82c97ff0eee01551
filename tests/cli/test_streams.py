"""Exact bytes in a pipe, nothing dangerous on a terminal."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from dcode.cli import streams

HOSTILE = "a\x1b]0;owned\x07\x9b2J\u202eb\r[bold]\x7f\n"


class Terminal(io.TextIOWrapper):
    """A terminal that keeps what it is sent."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding)

    def isatty(self) -> bool:
        return True

    @property
    def seen(self) -> bytes:
        self.flush()
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue()


@contextmanager
def terminal(monkeypatch: pytest.MonkeyPatch, name: str = "stdout", encoding: str = "utf-8") -> Iterator[Terminal]:
    screen = Terminal(encoding)
    monkeypatch.setattr(sys, name, screen)
    yield screen


def test_a_pipe_gets_exact_bytes(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    data = HOSTILE.encode() + bytes(range(256))
    streams.emit(data)
    streams.emit_diff(b"-" + data)
    assert capfdbinary.readouterr().out == data + b"-" + data


def test_a_terminal_gets_visible_controls(monkeypatch: pytest.MonkeyPatch) -> None:
    with terminal(monkeypatch) as screen:
        streams.emit(HOSTILE.encode() + b"\xff\n")
        streams.emit_diff(b"+" + HOSTILE.encode(), color="never")
    assert not set("\x1b\x07\x9b\u202e\r\x7f") & set(screen.seen.decode())
    assert b"[bold]" in screen.seen


def test_a_diff_is_coloured_around_made_visible_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with terminal(monkeypatch) as screen:
        streams.emit_diff(b"--- a/f\n+++ b/f\n@@ -1 +1 @@\n-\x1b[0m\n+b\n same\n")
    assert screen.seen.decode() == (
        "\x1b[1m--- a/f\x1b[0m\n\x1b[1m+++ b/f\x1b[0m\n"
        "\x1b[36m@@ -1 +1 @@\x1b[0m\n\x1b[31m-␛[0m\x1b[0m\n\x1b[32m+b\x1b[0m\n same\n"
    )


def test_a_terminal_of_another_encoding_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with terminal(monkeypatch, encoding="ascii") as screen:
        streams.emit("größe\n".encode())
    assert screen.seen == b"gr\\xf6\\xdfe\n"


@pytest.mark.parametrize(
    ("color", "environment", "is_terminal", "wanted"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"TERM": "dumb"}, True, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {}, True, False),
    ],
)
def test_when_there_is_colour(color: str, environment: dict[str, str], is_terminal: bool, wanted: bool) -> None:
    assert streams.colourful(color, environment, is_terminal) == wanted


@pytest.mark.parametrize(
    ("show", "quiet", "environment", "is_terminal", "wanted"),
    [
        ("auto", False, {}, True, True),
        ("auto", True, {}, True, False),
        ("auto", False, {"CI": "true"}, True, False),
        ("auto", False, {"TERM": "dumb"}, True, False),
        ("auto", False, {}, False, False),
        ("always", True, {"CI": "true"}, False, True),
        ("never", False, {}, True, False),
    ],
)
def test_when_there_is_a_live_view(
    monkeypatch: pytest.MonkeyPatch,
    show: str,
    quiet: bool,
    environment: dict[str, str],
    is_terminal: bool,
    wanted: bool,
) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with terminal(monkeypatch, "stderr") as screen:
        monkeypatch.setattr(screen, "isatty", lambda: is_terminal)
        assert streams.view_wanted(show, quiet=quiet) == wanted


def test_a_row_stays_one_line_and_columns_line_up(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    streams.say_table([("a", "b\nc", "d"), ("long name", "x", "")])
    assert capfdbinary.readouterr().out.decode() == "a          b␊c  d\nlong name  x\n"
    streams.say_table([])
    assert capfdbinary.readouterr().out == b""


def test_a_long_last_column_is_wrapped_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    with terminal(monkeypatch) as screen:
        streams.say_table([("name", "one two three four five six")])
    assert screen.seen.decode() == "name  one two three four five\n      six\n"
