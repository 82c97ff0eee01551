"""A repository that comes from strangers: nothing in it is run or obeyed, whichever way dcode is started there."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from scripted import process_environment

from dcode.text.edit import unified_diff

OWNED = "open(__import__('os').environ['OWNED'], 'a').write(__file__ + '\\n')\n"
MODULES = ("torch", "typer", "rich", "tomllib", "platformdirs", "json", "site", "sitecustomize", "usercustomize")
MODULES += ("tree_sitter", "tree_sitter_python", "tokenizers", "safetensors", "transformers", "numpy", "click", "ast")
PACKAGES = ("dcode", "torch.d", "grammars", "tokenizers_")
TEXT, CHANGED = b"def f(x):\n    y = x + 1\n    return y\n", b"def f(x):\n    y = x + 2\n    return y\n"
CONFIG = """
[core]
    fsmonitor = "{run}"
    pager = "{run}"
    editor = "{run}"
    sshCommand = "{run}"
    hooksPath = .
[diff]
    external = "{run}"
[alias]
    rev-parse = "!{run}"
[credential]
    helper = "!{run}"
"""
INFILL = ("infill", "a.py", "--lines", "2", "-m", "{model}", "--slots", "4", "--steps", "2", "--diff")
WRITING = (("apply", "p.patch"), ("undo", "-y"))
COMMANDS = (("langs",), ("models", "list"), ("config", "show"), ("log",), ("apply",), ("hook", "run"), *WRITING, INFILL)
MAY_END = {INFILL: 3, ("apply",): 4}
"""Noise may not parse; a git that lies in the repository itself is not asked, so there are no proposals."""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    subprocess.run(["git", "init", "-q", root], check=True)
    script = root / "git"
    script.write_text('#!/bin/sh\necho "$0" >> "$OWNED"\nexit 1\n', encoding="utf-8")
    script.chmod(0o755)
    for name in (*MODULES, "conftest"):
        (root / f"{name}.py").write_text(OWNED, encoding="utf-8")
    for name in PACKAGES:
        (root / name).mkdir()
        for file in ("__init__.py", "__main__.py", "settings.py"):
            (root / name / file).write_text(OWNED, encoding="utf-8")
    (root / "python").symlink_to("git")
    (root / "pre-commit").symlink_to("git")
    with (root / ".git/config").open("a", encoding="utf-8") as config:
        config.write(CONFIG.format(run=f"{script} #"))
    (root / "a.py").write_bytes(TEXT)
    (root / "p.patch").write_bytes(unified_diff(TEXT, CHANGED, "a.py"))
    return root


def starts() -> list[list[str]]:
    """As a module, and as the installed command, if it is installed here."""
    command = Path(sys.executable).with_name("dcode")
    return [[sys.executable, "-P", "-m", "dcode"], *([[str(command)]] if command.exists() else [])]


@pytest.mark.parametrize(
    ("start", "commands"),
    [
        (starts()[0], (INFILL,)),
        (starts()[-1], WRITING),
        *(pytest.param(start, COMMANDS, marks=pytest.mark.slow) for start in starts()),
    ],
    ids=lambda value: Path(value[0]).name if isinstance(value, list) else value[0][0],
)
def test_nothing_of_it_runs(
    repository: Path, tmp_path: Path, tiny: Path, start: list[str], commands: Sequence[Sequence[str]]
) -> None:
    owned = tmp_path / "owned"
    environment = process_environment() | {"OWNED": str(owned)}
    environment["PATH"] = f":.:{environment['PATH']}:"  # the current folder, as careless people have it
    for words in commands:
        line = [*start, *(word.format(model=tiny) for word in words)]
        done = subprocess.run(line, cwd=repository, env=environment, capture_output=True, check=False)
        assert done.returncode in (0, MAY_END.get(words)), done.stderr
    assert not owned.exists(), owned.read_text()
    assert (repository / "a.py").read_bytes() == TEXT


def test_the_trap_works(repository: Path, tmp_path: Path) -> None:
    """Without care the same repository does run its files."""
    owned = tmp_path / "owned"
    environment = process_environment() | {"OWNED": str(owned), "PYTHONPATH": ""}
    subprocess.run([sys.executable, "-m", "dcode", "langs"], cwd=repository, env=environment, check=False)
    assert "repo/dcode/__init__.py" in owned.read_text()
