"""Ending long work in order: the first signal waits for a good moment, the second does not."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from dcode.cli.streams import complain

TERMINATED = 143


@contextmanager
def patient() -> Iterator[Callable[[], bool]]:
    """In the block, Ctrl-C and SIGTERM only make the given function true; after it they take effect.

    The same signal a second time takes effect at once.
    """
    asked: list[int] = []
    before: dict[int, Any] = {}

    def wait(number: int, _frame: FrameType | None) -> None:
        asked.append(number)
        signal.signal(number, before[number])
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
