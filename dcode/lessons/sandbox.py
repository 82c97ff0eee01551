"""Run a program somebody else wrote, a model for instance, in a process of its own and within limits.

It protects from accidents: endless loops, a filled memory or disk, a deleted home folder, a stray connection.
It does *not* stop a determined attacker, who finds ways around an audit hook in the same interpreter (ctypes,
for one) and may read whatever this user may read. Where the kernel allows user namespaces the network is gone
in earnest; elsewhere only Python's own doors to it are shut. Linux and macOS; macOS holds no memory limit.

It knows nothing of lessons, models or benchmarks: text goes in, an outcome comes out.
"""

import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Literal

from dcode.lessons import guard

Status = Literal["passed", "failed", "timeout", "crashed"]
"""passed: ran to its last line · failed: an exception, or it left early · crashed: ended by a signal."""

MEGABYTE = 1 << 20
OUTPUT_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended, what it printed (the first 64 KiB of each stream), and the seconds it took."""

    status: Status
    stdout: str
    stderr: str
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether the program ran to its last line."""
        return self.status == "passed"


def run(
    program: str,
    *,
    timeout_s: float = 5.0,
    memory_mb: int = 1024,
    file_mb: int = 16,
    cwd: Path | None = None,
    stdin: str = "",
    exit_passes: bool = False,
) -> Outcome:
    """Run `program` as `__main__` in a separate interpreter and say how it ended.

    It may write below `cwd` (unless given, a fresh folder, removed afterwards) and in a temporary folder.
    `file_mb` bounds every file and each output stream. Leaving by `sys.exit(0)` is a failure unless
    `exit_passes`: tests at the end of a program are worth nothing if a line before them can skip them. Hash
    seeds vary from run to run, as they do for users: a program that leans on the order of a set may flicker.
    """
    with tempfile.TemporaryDirectory(prefix="dcode-", ignore_cleanup_errors=True) as box:
        path, temporary, work = Path(box, "program.py"), Path(box, "tmp"), cwd or Path(box, "work")
        temporary.mkdir()
        work.mkdir(exist_ok=True)
        path.write_bytes(program.encode("utf-8", "surrogatepass"))
        limits = (math.ceil(timeout_s) + 1, memory_mb * MEGABYTE, file_mb * MEGABYTE)
        with (
            tempfile.TemporaryFile() as given,
            tempfile.TemporaryFile() as printed,
            tempfile.TemporaryFile() as complained,
        ):
            given.write(stdin.encode())
            given.seek(0)
            began = time.monotonic()
            code = _wait(_start(path, limits, work, temporary, (given, printed, complained)), timeout_s)
            seconds = time.monotonic() - began
            return Outcome(_status(code, exit_passes), _head(printed), _head(complained), seconds)


def run_many(
    programs: Iterable[str], workers: int = 1, *, timeout_s: float = 5.0, memory_mb: int = 1024
) -> list[Outcome]:
    """Run independent programs, `workers` at a time; outcomes come in the order of the programs."""
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(partial(run, timeout_s=timeout_s, memory_mb=memory_mb), programs))


def _start(
    path: Path, limits: tuple[int, int, int], work: Path, temporary: Path, streams: tuple[IO[bytes], ...]
) -> subprocess.Popen[bytes]:
    """The interpreter that runs the guard, which runs the program; files as streams cannot block or leak."""
    stdin, stdout, stderr = streams
    return subprocess.Popen(
        [sys.executable, "-I", "-P", "-B", "-X", "utf8", str(guard.__file__), str(path), *map(str, limits)],
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        cwd=work,
        env=_environment(temporary),
        start_new_session=True,
    )


def _environment(temporary: Path) -> dict[str, str]:
    """Nothing of the caller's environment: no keys, no proxies; one thread, one time zone, its own home."""
    home = str(temporary)
    return {
        "PATH": os.defpath,
        "HOME": home,
        "TMPDIR": home,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MPLBACKEND": "Agg",
    }


def _wait(process: subprocess.Popen[bytes], timeout_s: float) -> int | None:
    """The exit status, or None when time ran out; whatever happens, nothing of the group stays alive."""
    try:
        return process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        return None
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _status(code: int | None, exit_passes: bool) -> Status:
    if code is None or code == -signal.SIGXCPU:
        return "timeout"
    if code < 0:
        return "crashed"
    return "passed" if code == guard.DONE or (exit_passes and code == guard.LEFT) else "failed"


def _head(stream: IO[bytes]) -> str:
    """The first bytes of a stream as text; the file's own offset stands where the program stopped writing."""
    stream.seek(0)
    return stream.read(OUTPUT_BYTES).decode("utf-8", "replace")
