"""Work spread over processes: each makes its own worker once, and results come back as they are ready.

It knows nothing of models or tasks.
"""

import multiprocessing
import queue
import traceback
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")

LOOK_S = 1.0
"""How often a process that says nothing is looked at."""


def spread(items: Sequence[T], make: Callable[[], Callable[[T], R]], processes: int) -> Iterator[R]:
    """The results of `make()` over all items: in order from one process, from several in the order they end.

    `make` and the items must survive pickling if there are several. An error in one of them is raised here.
    """
    if processes == 1 or len(items) < 2:
        if items:
            yield from map(make(), items)
        return
    context = multiprocessing.get_context("spawn")
    inbox, outbox = context.Queue(), context.Queue()
    for item in [*items, *[None] * processes]:
        inbox.put(item)
    running = [context.Process(target=_serve, args=(make, inbox, outbox), daemon=True) for _ in range(processes)]
    for process in running:
        process.start()
    try:
        for _ in items:
            yield _next(outbox, running)
    finally:
        inbox.cancel_join_thread()
        for process in running:
            process.terminate()
            process.join()


def _next(outbox: Any, running: Sequence[BaseProcess]) -> Any:
    while True:
        # Asked first: what a process said before it died is still in the queue.
        dead = not any(process.is_alive() for process in running)
        try:
            failure, result = outbox.get(timeout=LOOK_S)
        except queue.Empty:
            lost = [process.exitcode for process in running if process.exitcode]
            if dead or lost:
                raise RuntimeError(f"a process of the evaluation ended with {lost}") from None
            continue
        if failure is not None:
            raise failure
        return result


def _serve(make: Callable[[], Callable[[Any], Any]], inbox: Any, outbox: Any) -> None:
    """The inside of a process: items until there is None."""
    try:
        work = make()
        while (item := inbox.get()) is not None:
            outbox.put((None, work(item)))
    except Exception as error:
        error.add_note(traceback.format_exc())
        outbox.put((error, None))
