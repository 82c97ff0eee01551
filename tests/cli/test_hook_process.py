"""The hook as a process: how long it takes, who is told to stop, and what is left when something is killed."""

import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hooked import DCODE, UNDOCUMENTED, Repository

from dcode.repo.proposals import Proposals

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository with the hook and something staged that it has a proposal for."""
    return make(tmp_path)


def make(folder: Path) -> Repository:
    for name in ("r", "script"):
        (folder / name).mkdir(parents=True)
    made = Repository.make(folder / "r", folder / "script")
    made.install()
    made.write(a_py=UNDOCUMENTED, b_py=UNDOCUMENTED)
    made.git("add", ".")
    return made


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def until(holds: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether something becomes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.01)
    return False


def started(repository: Repository, note: Path, **environment: str) -> subprocess.Popen[bytes]:
    """A hook whose worker takes very long, in one group with somebody who sleeps, whose number it says first."""
    return subprocess.Popen(
        ["sh", "-c", 'sleep 60 >&- 2>&- & echo $! && exec "$@"', "sh", *DCODE, "hook", "run"],
        cwd=repository.folder,
        env=repository.environment | {"SCRIPTED_PID": str(note), "SCRIPTED_SECONDS": "60"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=heeding,
    )


def heeding() -> None:
    """Heed every signal, also where this suite was started so that it ignores some (nohup)."""
    for number in ENDING:
        signal.signal(number, signal.SIG_DFL)


def worker_of(note: Path) -> int:
    """The number of a worker at work."""
    assert until(lambda: note.exists() and note.read_bytes() != b"")
    return int(note.read_text().split()[0])


def test_the_worker_leads_a_session_of_its_own_and_reads_nothing(repository: Repository, tmp_path: Path) -> None:
    repository.dcode("hook", "run", SCRIPTED_PID=str(tmp_path / "note"))
    pid, group, read = (tmp_path / "note").read_text().split(" ", 2)
    assert pid == group and read == "b''"


def test_at_the_soft_limit_the_best_so_far_is_shown(repository: Repository) -> None:
    said = repository.dcode("hook", "run", DCODE_HOOK_SOFT_MS="6000", SCRIPTED_SECONDS="6")
    assert "a.py:1-2" in said and "b.py" not in said and "in time" in said


def test_at_the_hard_limit_the_worker_is_ended_and_nobody_else(repository: Repository, tmp_path: Path) -> None:
    hook = started(repository, tmp_path / "note", DCODE_HOOK_HARD_MS="2000")
    out, err = hook.communicate(timeout=30)
    assert hook.returncode == 0 and b"took too long" in err
    assert not (tmp_path / "note").exists() or until(lambda: not is_alive(worker_of(tmp_path / "note")))
    bystander = int(out)
    assert is_alive(bystander)
    os.kill(bystander, signal.SIGKILL)


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_is_passed_on_to_the_worker(repository: Repository, tmp_path: Path, number: signal.Signals) -> None:
    hook = started(repository, tmp_path / "note")
    worker = worker_of(tmp_path / "note")
    hook.send_signal(number)
    out, _ = hook.communicate(timeout=30)
    assert hook.returncode == 128 + number
    os.kill(int(out), signal.SIGKILL)
    assert until(lambda: not is_alive(worker))


def test_a_worker_that_was_left_alone_ends_by_itself(repository: Repository) -> None:
    worker = (*DCODE[:2], "-m", "dcode.cli.hook_work", "20", "0.1")
    assert repository.run(*worker, SCRIPTED_SECONDS="50").returncode == -signal.SIGALRM


WAYS: tuple[tuple[str, ...], ...] = (("-qm", "2"), ("-qam", "2"), ("-qm", "2", "a.py"), ("-q", "--amend", "-m", "2"))
STEPS = [*(f"hook:{step}" for step in range(1, 49)), *(f"worker:{step}" for step in range(1, 25))]
"""All that either of them does outside of itself, in the mode that does most: files written, renamed, processes …"""

SPARE = re.compile(r"\.dcode-[0-9a-f]{16}\.tmp$")  # what the next write sweeps up
NAMES = ("a.py", "d/ü b.py", "c.txt", "-x.py", "new\nline.py")


@pytest.mark.parametrize("seed", [*range(8), *(pytest.param(n, marks=pytest.mark.slow) for n in range(8, 1000))])
def test_killed_at_any_step_nothing_is_lost(tmp_path: Path, seed: int) -> None:
    """Any repository, any way to commit; half are killed by step, half at any moment, where it may hit anybody."""
    chance = random.Random(seed)
    made = generated(tmp_path, chance)
    way = chance.choice(WAYS)
    if way[0] != "-qm" and not made.run("git", "rev-parse", "--verify", "-q", "HEAD").stdout:
        made.git("commit", "-qm", "0", "--allow-empty", DCODE_HOOK="0")
    before, index = made.tree(), made.git("ls-files", "--stage", "-v")
    mode = chance.choice(["suggest", "check", "worktree"])
    step = STEPS[seed * 7 % len(STEPS)] if seed % 2 == 0 else ""
    seconds = "0" if step else str(chance.uniform(0, 0.3))
    everything = made.environment | {"DCODE_HOOK_MODE": mode, "SCRIPTED_SECONDS": seconds, "SCRIPTED_KILL": step}
    command = ("git", "commit", *way) if seed % 3 else (*DCODE, "hook", "run")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    running = subprocess.Popen(command, cwd=made.folder, env=everything, start_new_session=True, **quiet)
    if not step:
        time.sleep(chance.uniform(0.02, 1.0))
        kill_one(running.pid, chance, whole=seed % 4 == 1)
    running.wait(timeout=60)
    assert until(lambda: not family(running.pid)), "somebody stayed behind"
    after = {name: data for name, data in made.tree().items() if not SPARE.search(name)}
    assert {name: without(data) if mode == "worktree" else data for name, data in after.items()} == before
    for path in made.locks():  # git's own, where git itself was killed
        assert path.suffix == ".lock" and command[0] == "git", "a lock that is not git's own"
        path.unlink()
    assert made.git("fsck", "--strict").count("error") == 0
    assert command[0] == "git" or made.git("ls-files", "--stage", "-v") == index
    made.git("commit", "-qam", "after", "--allow-empty", DCODE_HOOK="0")
    assert all(int(one.id) > 0 for one in Proposals.locate(made.folder).entries())


def without(data: bytes) -> bytes:
    """A file before anything proposed was applied to it: whole, or this is not what it was."""
    return re.sub(rb'    """Say what\."""\r?\n', b"", data)


def generated(folder: Path, chance: random.Random) -> Repository:
    """A repository as people have them: with or without a commit, odd names, CRLF, exec bits, partly staged."""
    made = make(folder)
    (made.folder / "d").mkdir()
    for _ in range(chance.randint(0, 2)):
        scribble(made, chance)
        made.git("add", ".")
        made.git("commit", "-qm", "1", "--allow-empty", DCODE_HOOK="0")
    scribble(made, chance)
    made.git("add", ".")
    scribble(made, chance, most=1)
    return made


def scribble(made: Repository, chance: random.Random, most: int = 3) -> None:
    for name in chance.sample(NAMES, chance.randint(0, most)):
        end = chance.choice([b"\n", b"\r\n"])
        text = UNDOCUMENTED * chance.randint(1, 3) + b"x = %d\n" % chance.randrange(1000)
        (made.folder / name).write_bytes(text.replace(b"\n", end))
        (made.folder / name).chmod(chance.choice([0o644, 0o755]))


def family(leader: int) -> list[int]:
    """The process and all that come from it, and those of its session."""
    found = subprocess.run(["ps", "-eo", "pid=,ppid=,sid=,stat="], capture_output=True, check=True).stdout
    rows = [line.split() for line in found.decode().splitlines()]
    parents = {int(row[0]): int(row[1]) for row in rows if not row[3].startswith("Z")}
    sessions = {int(row[0]): int(row[2]) for row in rows}
    return [pid for pid in parents if _descends(pid, leader, parents) or sessions[pid] == leader]


def _descends(pid: int, ancestor: int, parents: dict[int, int]) -> bool:
    while pid in parents and pid != ancestor:
        pid = parents[pid]
    return pid == ancestor


def kill_one(leader: int, chance: random.Random, *, whole: bool) -> None:
    """SIGKILL for everybody, or for one of them that is not git; or a signal as a terminal sends it."""
    if whole:
        os.killpg(leader, chance.choice([signal.SIGINT, signal.SIGTERM, signal.SIGKILL]))
        return
    others = [pid for pid in family(leader) if pid != leader]
    with suppress(ProcessLookupError):
        os.kill(chance.choice(others or [leader]), signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("git-lfs") is None, reason="git-lfs is not installed")
def test_git_lfs_itself(repository: Repository) -> None:
    repository.git("lfs", "install", "--local", "--skip-repo")
    repository.git("lfs", "track", "*.py")
    repository.git("add", "--renormalize", ".")
    repository.git("add", ".")
    assert "docstring" not in repository.git("commit", "-qm", "2")
