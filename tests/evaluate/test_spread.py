"""Work over processes: nothing is lost or done twice, and what goes wrong in one is raised here."""

import os
import signal
from collections.abc import Callable

import pytest

from dcode.evaluate.spread import spread


def doubling() -> Callable[[int], int]:
    return lambda number: 2 * number


def refusing() -> Callable[[int], int]:
    raise ValueError("no such worker")


def dying() -> Callable[[int], int]:
    def work(_: int) -> int:
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    return work


@pytest.mark.parametrize("processes", [1, 2])
def test_every_item_is_worked_on_once(processes: int) -> None:
    assert sorted(spread(range(9), doubling, processes)) == list(range(0, 18, 2))


def test_nothing_to_do_makes_no_worker() -> None:
    assert list(spread([], refusing, 1)) == []


@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_is_raised_here(processes: int) -> None:
    with pytest.raises(ValueError, match="no such worker"):
        list(spread(range(3), refusing, processes))


def test_a_process_that_is_killed_is_noticed() -> None:
    with pytest.raises(RuntimeError, match="ended"):
        list(spread(range(3), dying, 2))
