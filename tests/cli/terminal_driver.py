"""Run by test_terminal.py on a terminal of its own: gives dcode every sequence in every place it could come from."""

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import scripted
from hostile import CORPUS

from dcode.cli import work
from dcode.cli.app import BUG, main
from dcode.repo.proposals import Proposal, Proposals
from dcode.text.frame import Frame, Slot

HARMLESS = "x"


def arrange() -> scripted.Script:
    """Jobs that follow a script, in modules of their own: torch is not needed. Nor is anything to outlive the run."""
    os.fsync = lambda file: None
    script = scripted.Script()
    for name in ("infill", "generate"):
        module = ModuleType(f"dcode.jobs.{name}")
        setattr(module, name, getattr(script, name))
        sys.modules[module.__name__] = module
    model = SimpleNamespace(checkpoint=SimpleNamespace(name="scripted"), digest="0" * 64)
    work.get_ready = lambda settings, *_: work.Ready(model, SimpleNamespace(sure=0.0))
    return script


def dcode(*words: str) -> None:
    """Run a command; it may fail, but not through a bug."""
    assert main(words) != BUG, words


def everywhere(text: str, script: scripted.Script, show: str) -> None:
    """The text as request, option, command, file name, file content, proposal, slot and answer."""
    name = text.replace("/", "").replace("\0", "")[:50]
    slots = (Slot(text, "taken", 0.9), Slot(text, "dropped", 0.1), Slot(text, "fresh", 0.2))
    scripted.FRAME = Frame(1, 4, (slots,), 1, 0, 0.1, (text, text))
    script.answers = [(f"y = '{text}'", "verified"), (text, "failed")]
    file = Path(f"a{name}.py")
    data = f"x = 1\n# {text}\nz = 2\n".encode("utf-8", "surrogateescape")
    file.write_bytes(data)
    dcode("gen", text, "--show", show)
    dcode("infill", str(file), "--lines", "1", "--show", show)
    file.write_bytes(data.decode("utf-8", "replace").encode())
    dcode("infill", str(file), "--lines", "1", "-w", "--show", show)
    dcode("log")
    dcode("undo", "-y")
    proposal = Proposal.of(str(file), data, data + b"y", rule=text, why=f"because {text}", verdict=text)
    Proposals.locate(Path.cwd()).add(proposal)
    dcode("apply")
    dcode("apply", f"no{name}")
    dcode("apply", "--diff", "1")
    dcode("infill", f"no{name}.py", "--lines", "1")
    dcode("infill", str(file), "--lines", text)
    dcode(text)
    dcode("gen", "a", "-m", text)
    dcode("config", "show", "--config", f"no{name}")
    dcode("infill", str(file), "--node", text, "-v")
    file.unlink(missing_ok=True)


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    subprocess.run(["git", "init", "-q"], check=True)
    script = arrange()
    chosen = [HARMLESS] if sys.argv[3] == "harmless" else [CORPUS[int(number)] for number in sys.argv[3].split(",")]
    for text in chosen:
        everywhere(text, script, sys.argv[2])
    print(f"{len(chosen)} sequences")
