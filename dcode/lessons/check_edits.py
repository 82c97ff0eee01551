"""Whether changes and repairs may teach: what comes out of each is executed against its family's test.

It runs programs in the sandbox and says what it found.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random

from dcode.lessons.check import MEMORY_MB, TIMEOUT_S, Failure, missing
from dcode.lessons.edits import changes
from dcode.lessons.family import Family
from dcode.lessons.sandbox import run
from dcode.lessons.scene import Change


def check_edits(
    families: Sequence[Family],
    *,
    seed: int = 0,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Failure, ...]:
    """Every change that applies to a family, once; a program that a change leaves must pass.

    Where the lesson's own program is what comes out, the one that is shown must pass as well: it is the same program
    in another form. A program that printed what it now returns is left out: its family's test looks at returns.
    """
    runnable = [family for family in families if not missing(family)]
    found: list[Failure] = []
    with ThreadPoolExecutor(workers) as pool:
        results = pool.map(lambda family: list(_failures(family, seed)), runnable)
        for done, failures in enumerate(results, 1):
            found += failures
            if progress:
                progress(done, len(runnable))
    return tuple(found)


def _failures(family: Family, seed: int) -> Iterator[Failure]:
    for name, change in changes(family, Random(f"{seed}:{family.name}")):
        for code in _programs(name, change):
            program = "\n".join(part for part in (change.setup, code, change.test) if part)
            outcome = run(program, timeout_s=TIMEOUT_S, memory_mb=MEMORY_MB)
            if not outcome.passed:
                detail = f"{outcome.stderr.strip()[-800:]}\n--- program\n{program}"
                yield Failure(family.name, family.domain, f"{outcome.status} its test after {name}", detail)


def _programs(name: str, change: Change) -> list[str]:
    if not change.backward:
        return [change.new]
    return [] if name == "to_return" else [change.old]
