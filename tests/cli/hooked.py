"""Real repositories with the real hook, whose worker asks a script instead of a model."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from scripted import REPOSITORY, Process

from dcode.repo.shim import Shim
from dcode.resources import PACKAGE

WHO = {f"GIT_{role}_{what}": "a@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
DATES = {f"GIT_{role}_DATE": "2024-01-01T00:00:00Z" for role in ("AUTHOR", "COMMITTER")}
DCODE = (sys.executable, "-P", "-m", "dcode")

PATIENT = {"DCODE_HOOK_SOFT_MS": "60000", "DCODE_HOOK_HARD_MS": "90000"}
"""A busy machine is no reason to fail."""

ASKS_FOR_ALL = "dreamon-7b"
"""A row that names no rules: the hook asks for all. Its weights are not needed where a script answers."""

UNDOCUMENTED = b"def area(width: int, height: int) -> int:\n    return width * height\n"
DOCUMENTED = b'def area(width: int, height: int) -> int:\n    """Say what."""\n    return width * height\n'

SCRIPT = """
import os, signal, sys, time
from types import ModuleType, SimpleNamespace

ANSWERS = {"docstring": b"Say what.", "annotate": b"int", "fill": b"pass"}

def refactor(source, found, model, grammar, plan, *, deadline=None):
    from dcode.text.edit import Edit
    from dcode.text.span import Span
    if "SCRIPTED_PID" in os.environ:
        with open(os.environ["SCRIPTED_PID"], "w") as file:
            file.write(f"{os.getpid()} {os.getpgrp()} {os.read(0, 1)!r}")
    time.sleep(float(os.environ.get("SCRIPTED_SECONDS", "0")))
    if os.environ.get("SCRIPTED_CRASH"):
        raise RuntimeError("scripted")
    edits = tuple(Edit(gap.span, gap.head + ANSWERS[found.rule.name] + gap.tail) for gap in found.gaps)
    if found.rule.name == "fix":  # the colon that a function lacks
        at = source.view.index(b" int\\n") + len(b" int")
        edits = (Edit(Span(at, at), b":"),)
    return SimpleNamespace(edits=edits, verdict="verified; scripted", refusal=os.environ.get("SCRIPTED_REFUSAL", ""))

STEPS = {"os.rename", "os.remove", "os.link", "os.mkdir", "os.chmod", "os.chown", "os.utime", "os.kill", "os.killpg"}

def step(event, args):
    # Whatever changes something outside of the process: before the one that is named by number, it is killed.
    global left
    writes = event == "open" and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if writes or event in STEPS or event == "subprocess.Popen":
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

role = "worker" if "dcode.cli.hook_work" in sys.orig_argv else "hook"
if os.environ.get("SCRIPTED_KILL", "").startswith(role):
    left = int(os.environ["SCRIPTED_KILL"].partition(":")[2])
    sys.addaudithook(step)

for name, content in {
    "dcode.jobs.refactor": {"refactor": refactor},
    "dcode.cli.work": {
        "Ready": lambda model, plan: SimpleNamespace(model=model, plan=plan),
        "get_plan": lambda *_: None,
        "get_ready": lambda *_: SimpleNamespace(model=SimpleNamespace(checkpoint=None), plan=None),
    },
}.items():
    sys.modules[name] = ModuleType(name)
    vars(sys.modules[name]).update(content)
"""


@dataclass(frozen=True)
class Repository:
    """A git repository in `folder`, and the environment in which its git runs."""

    folder: Path
    environment: dict[str, str]

    @staticmethod
    def make(folder: Path, script: Path) -> "Repository":
        """An empty one; `script` is a folder for what the worker is made to read first."""
        (script / "sitecustomize.py").write_text(SCRIPT, encoding="utf-8")
        path = os.pathsep.join((str(script), str(REPOSITORY)))
        nothing = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "PYTHONPATH": path}
        made = Repository(folder, {**os.environ, **WHO, **DATES, **nothing, **PATIENT, "DCODE_MODEL": ASKS_FOR_ALL})
        made.git("init", "-q", "-b", "main")
        return made

    def install(self, *, chain: bool = False) -> None:
        """What `dcode hook install` does, without the process."""
        Shim.locate(self.folder).install(Path(sys.executable), PACKAGE, chain=chain)

    def run(self, *command: str, cwd: Path | None = None, **environment: str) -> Process:
        """Any command in the repository."""
        where = cwd or self.folder
        return subprocess.run(
            command, cwd=where, env=self.environment | environment, capture_output=True, check=False, timeout=600
        )

    def git(self, *args: str, code: int = 0, cwd: Path | None = None, **environment: str) -> str:
        """git with these arguments; what it says on stdout and stderr."""
        done = self.run("git", *args, cwd=cwd, **environment)
        said = (done.stdout + done.stderr).decode("utf-8", "surrogateescape")
        assert done.returncode == code, (args, done.returncode, said)
        return said

    def dcode(self, *args: str, code: int = 0, cwd: Path | None = None, **environment: str) -> str:
        """dcode with these arguments; what it says on stdout and stderr."""
        done = self.run(*DCODE, *args, cwd=cwd, **environment)
        said = (done.stdout + done.stderr).decode("utf-8", "surrogateescape")
        assert done.returncode == code, (args, done.returncode, said)
        return said

    def write(self, **files: bytes) -> None:
        """Files by name, `_` in place of the dot."""
        for name, data in files.items():
            (self.folder / name.replace("_", ".")).write_bytes(data)

    def tree(self) -> dict[str, bytes]:
        """Every file of the working tree."""
        files = (path for path in sorted(self.folder.rglob("*")) if ".git" not in path.parts and path.is_file())
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in files}

    def locks(self) -> list[Path]:
        """Lock files that git or we left."""
        return [path for path in (self.folder / ".git").rglob("*") if path.suffix in (".lock", ".tmp")]
