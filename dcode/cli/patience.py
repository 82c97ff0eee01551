"""Ending long work in order: the first signal waits for a good moment, the second does not."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from dcode.cli.streams import complain

TERMINATED = 143

SAME_S = 0.5
"""Signals that come so soon after the first are the first: timeout(1) sends one to a process and to its group."""


@contextmanager
def patient() -> Iterator[Callable[[], bool]]:
    """In the block, Ctrl-C and SIGTERM only make the given function true; after it they take effect.

    A second one takes effect at once, unless it comes so soon that it is the same.
    """
    asked: list[int] = []
    before: dict[int, Any] = {}
    since = -SAME_S

    def wait(number: int, _frame: FrameType | None) -> None:
        nonlocal since
        if asked and time.monotonic() - since >= SAME_S:
            signal.signal(number, before[number])
            signal.raise_signal(number)
        elif not asked:
            asked.append(number)
            since = time.monotonic()
            complain("saving first (once more to leave at once)")

    for awaited in (signal.SIGINT, signal.SIGTERM):
        before[awaited] = signal.signal(awaited, wait)
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if asked:
        raise KeyboardInterrupt if asked[0] == signal.SIGINT else SystemExit(TERMINATED)
