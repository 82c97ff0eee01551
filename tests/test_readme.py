"""The README is true: its generated blocks are current, its commands exist, its links lead somewhere."""

import re
import shlex
import subprocess
import sys

import pytest

from tests import readme

if not readme.README.is_file():
    pytest.skip("the README is not part of the wheel", allow_module_level=True)

TEXT = readme.README.read_text(encoding="utf-8")


def test_generated_blocks_are_current() -> None:
    assert readme.written(TEXT) == TEXT, "run: python tests/readme.py"


def test_there_are_two_set_up_commands_on_one_line_each() -> None:
    found = readme.commands()
    assert len(found) == 2
    assert found[0].endswith('dcode gen "split an image in half"') and "pytest" in found[1]
    assert all(".venv" in line for line in found)


SHOWN = [
    re.sub(r"\s+#.*", "", line)
    for fence in re.findall(r"(?s)```sh\n(.*?)```", TEXT)
    for line in fence.splitlines()
    if line.startswith("dcode ")
]


@pytest.mark.parametrize("line", SHOWN)
def test_every_command_shown_is_one_that_dcode_knows(line: str) -> None:
    """The first words name a command and its options exist; running them is other tests' work."""
    words = shlex.split(line.split(" < ")[0])[1:]
    command = [w for w in words[:2] if re.fullmatch(r"[a-z]+", w)]
    if command and command[0] in ("gen", "infill", "undo", "log", "langs", "doctor"):
        command = command[:1]
    if not command:
        return
    done = subprocess.run(
        [sys.executable, "-m", "dcode", *command, "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for option in re.findall(r"(?<!\S)--?[a-z][a-z-]*", line):
        assert option in done.stdout, f"{option} is unknown to dcode {' '.join(command)}"
