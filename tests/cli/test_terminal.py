"""Nothing that came from a model, a file or a name steers the terminal: tried on a real one."""

import os
import pty
import random
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hostile import BIDI, CORPUS, UNSEEN
from scripted import process_environment

HERE = Path(__file__).parent
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
SOME = ",".join(map(str, sorted(random.Random(0).sample(range(len(CORPUS)), 6))))
ALL = ",".join(map(str, range(len(CORPUS))))


def seen(folder: Path, show: str, which: str, **environment: str) -> str:
    """What the terminal gets while the driver runs."""
    folder.mkdir(exist_ok=True)
    master, slave = pty.openpty()
    path = os.pathsep.join((str(HERE), process_environment()["PYTHONPATH"]))
    ready = process_environment() | {"PYTHONPATH": path, "COLUMNS": "100", "LINES": "30"} | environment
    for name in ("CI", "NO_COLOR"):
        if name not in environment:
            ready.pop(name, None)
    driver = [sys.executable, HERE / "terminal_driver.py", folder, show, which]
    with subprocess.Popen(driver, stdin=slave, stdout=slave, stderr=slave, env=ready) as process:
        os.close(slave)
        parts = []
        try:
            while part := os.read(master, 65536):
                parts.append(part)
        except OSError:  # the other side is closed
            pass
        os.close(master)
    text = b"".join(parts).decode("utf-8")
    assert process.returncode == 0 and text.rstrip().endswith(" sequences"), text[-2000:]
    return text


def controls(text: str) -> set[str]:
    """What is in the text and must not be: controls, but for the newline as terminals have it, and unseen marks."""
    text = text.replace("\r\n", "\n")
    hidden = {chr(code) for code in (*BIDI, *UNSEEN)}
    return {char for char in text if unicodedata.category(char) in ("Cc", "Cs") or char in hidden} - {"\n", "\t"}


def test_there_are_enough_of_them() -> None:
    assert len(set(CORPUS)) == len(CORPUS) >= 200


@pytest.mark.parametrize("which", [SOME, pytest.param(ALL, marks=pytest.mark.slow)], ids=["some", "all"])
def test_on_a_plain_terminal_there_is_no_control_at_all(tmp_path: Path, which: str) -> None:
    text = seen(tmp_path / "x", "never", which, TERM="dumb", NO_COLOR="1")
    print(f"{which.count(',') + 1} sequences, {len(controls(text))} controls reached the terminal")
    assert controls(text) == set()


@pytest.mark.parametrize("which", [SOME, pytest.param(ALL, marks=pytest.mark.slow)], ids=["some", "all"])
def test_with_live_view_and_colour_there_is_none_but_ours(tmp_path: Path, which: str) -> None:
    """Ours are those that a harmless text is shown with."""
    ours = seen(tmp_path / "harmless", "always", "harmless", TERM="xterm-256color")
    assert ESCAPE.search(ours)
    text = seen(tmp_path / "x", "always", which, TERM="xterm-256color")
    foreign = set(ESCAPE.findall(text)) - set(ESCAPE.findall(ours))
    left = controls(ESCAPE.sub("", text).replace("\r", ""))
    print(f"{which.count(',') + 1} sequences, {len(foreign) + len(left)} of theirs reached the terminal")
    assert foreign == set() and left == set()
