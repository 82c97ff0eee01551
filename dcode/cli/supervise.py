"""Running one worker that may take so long and no longer, in a session of its own.

What it is for: a hook that hangs, or is interrupted, must not take git with it. Signals that reach us are passed
on to the worker's group; no other group is ever signalled, least of all our own, which is git's.
"""

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any

PASSED_ON = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


@dataclass(frozen=True, slots=True)
class Ended:
    """How a worker ended and what it had written: its exit code (negative: by that signal).

    `late`: its time was up. `asked`: the signal that asked us to leave, 0 for none.
    """

    out: bytes
    err: bytes
    code: int
    late: bool
    asked: int


def supervise(command: Sequence[str], limit_s: float) -> Ended:
    """Run a command with stdin closed until it ends, is asked to leave, or `limit_s` seconds are over."""
    relay = _Relay()
    with relay.listening():
        worker = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            relay.attach(worker)
            late = False
            try:
                out, err = worker.communicate(timeout=limit_s)
            except subprocess.TimeoutExpired:
                late = True
                _signal(worker, _KILL)
                out, err = worker.communicate()
        finally:
            _signal(worker, _KILL)
            worker.wait()
    return Ended(out, err, worker.returncode, late, relay.asked)


_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)


class _Relay:
    """Remembers which signal came, and passes it on as soon as there is a worker; a second one ends that at once."""

    def __init__(self) -> None:
        self.asked = 0
        self._worker: subprocess.Popen[bytes] | None = None

    def attach(self, worker: subprocess.Popen[bytes]) -> None:
        self._worker = worker
        if self.asked:
            _signal(worker, self.asked)

    @contextmanager
    def listening(self) -> Iterator[None]:
        before: dict[int, Any] = {}
        for number in PASSED_ON:
            if signal.getsignal(number) != signal.SIG_IGN:  # nohup stays in force
                before[number] = signal.signal(number, self._hear)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        if self._worker is not None:
            _signal(self._worker, _KILL if self.asked else number)
        self.asked = self.asked or number


def _signal(worker: subprocess.Popen[bytes], number: int) -> None:
    """A signal for the worker's group, while the worker is there to lead it."""
    if worker.poll() is not None:
        return
    if not hasattr(os, "killpg"):
        worker.terminate()
        return
    assert worker.pid != os.getpgrp(), "our own group is git's"
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(worker.pid, number)
