"""Whether every family may teach: its form, its phrasings, and its programs executed against their tests.

It runs programs in the sandbox and says what it found; it prints nothing and writes nothing.
"""

import ast
import importlib.util
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import prod
from random import Random

from dcode.lessons.clash import clashes
from dcode.lessons.expand import Lesson, draw, expansions, size
from dcode.lessons.family import Family, names_in
from dcode.lessons.heldout import splits
from dcode.lessons.overlap import Overlap
from dcode.lessons.sandbox import run
from dcode.lessons.skeleton import captured

LEAST_ASKS = 30
LEAST_PATTERNS = 4
MOST_LINES = 24
SAMPLES = 24  # requests looked at for each phrasing
TIMEOUT_S, MEMORY_MB = 30.0, 4096


@dataclass(frozen=True, slots=True)
class Failure:
    """What is wrong with a family, in one line, and the evidence."""

    family: str
    domain: str
    what: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Counts over all families; `expansions` leaves slots aside, `requests` counts their values in."""

    families: int
    phrasings: int
    expansions: int
    requests: int
    domains: dict[str, int]
    skipped: tuple[str, ...]
    executed: int
    failures: tuple[Failure, ...]


def check(
    families: Sequence[Family],
    *,
    draws: int = 3,
    seed: int = 0,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Examine all families and execute `draws` lessons of each, and once its test on hollow code."""
    overlap = Overlap.read()
    failures = [failure for family in families for failure in static(family, overlap)]
    failures += [
        Failure(family.name, family.domain, f"{what} [{other.name}] of {other.domain}.toml", detail)
        for family, other, what, detail in clashes(families)
    ]
    runnable = [family for family in families if not missing(family)]
    with ThreadPoolExecutor(workers) as pool:
        results = pool.map(lambda family: list(execute(family, draws, seed)), runnable)
        for done, found in enumerate(results, 1):
            failures += found
            if progress:
                progress(done, len(runnable))
    return Report(
        families=len(families),
        phrasings=sum(len(family.asks) for family in families),
        expansions=sum(expansions(ask) for family in families for ask in family.asks),
        requests=sum(_requests(family) for family in families),
        domains=dict(Counter(family.domain for family in families)),
        skipped=tuple(family.name for family in families if missing(family)),
        executed=draws * len(runnable),
        failures=tuple(failures),
    )


def static(family: Family, overlap: Overlap) -> Iterator[Failure]:
    """What can be seen without running anything."""

    def failure(what: str, detail: str = "") -> Failure:
        return Failure(family.name, family.domain, what, detail)

    if len(set(family.asks)) < LEAST_ASKS:
        yield failure(f"has {len(set(family.asks))} different phrasings, not {LEAST_ASKS}")
    sorted_asks = splits(family)
    if not sorted_asks.train or not sorted_asks.pattern:
        yield failure("leaves no way of asking to hold out", "ask in more ways: questions, wishes, noun phrases")
    used = set().union(*map(names_in, _texts(family)))
    used |= {name for slot in family.slots.values() if slot.kind == "calc" for name in _names(slot.text)}
    for name in sorted(family.slots.keys() - used):
        yield failure(f"never uses its slot {name}")
    yield from _similar(family, overlap)
    for lesson in _lessons(family, 4, seed=0):
        for part, text in (("setup", lesson.setup), ("code", lesson.code), ("test", lesson.test)):
            error = _syntax_error(text)
            if error:
                yield failure(f"has no Python in its {part}", error)
                return
        if "assert" not in lesson.test:
            yield failure("asserts nothing in its test")
        if lesson.code.count("\n") > MOST_LINES:
            yield failure(f"has a program of {lesson.code.count(chr(10))} lines")
        if overlap.shares(lesson.code):
            yield failure("has a program that shares eight words with a held-out one", lesson.code)
            return
    for slot, option in captured(family):
        yield failure(f"may draw {option!r} for its slot {slot}, a name that its program uses already")


def execute(family: Family, draws: int, seed: int) -> Iterator[Failure]:
    """The family's lessons that fail, and whether its test passes what does nothing."""
    lessons = list(_lessons(family, draws, seed))
    for lesson in lessons:
        outcome = run(lesson.program, timeout_s=TIMEOUT_S, memory_mb=MEMORY_MB)
        if not outcome.passed:
            detail = f"{outcome.stderr.strip()[-800:]}\n--- program\n{lesson.program}"
            yield Failure(family.name, family.domain, f"{outcome.status} its own test", detail)
            return
    hollow = "\n".join((lessons[0].setup, hollowed(lessons[0].code), lessons[0].test))
    if run(hollow, timeout_s=TIMEOUT_S, memory_mb=MEMORY_MB).passed:
        yield Failure(family.name, family.domain, "has a test that passes a program that does nothing")


def missing(family: Family) -> tuple[str, ...]:
    """The modules that the family needs and this Python has not."""
    return tuple(name for name in family.needs if importlib.util.find_spec(name.partition(".")[0]) is None)


def hollowed(code: str) -> str:
    """The program with every function emptied; of a script without functions, only its imports."""
    tree = ast.parse(code)
    kept: list[ast.stmt] = [node for node in tree.body if isinstance(node, _DEFINITIONS)]
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [ast.Pass()]
    return ast.unparse(ast.Module(kept, []))


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)


def _similar(family: Family, overlap: Overlap) -> Iterator[Failure]:
    """Phrasings that come too near to a demonstration prompt or a benchmark's text."""
    for ask in family.asks:
        rng = Random(ask)
        for _ in range(min(SAMPLES, 3 * expansions(ask))):
            request = draw(family, rng, [ask]).request
            why = overlap.violates(request)
            if why:
                what = "asks too much like a demonstration" if why == "prompt" else "asks in a benchmark's words"
                yield Failure(family.name, family.domain, what, f"{request!r} from {ask!r}")
                break


def _lessons(family: Family, draws: int, seed: int) -> Iterable[Lesson]:
    rng = Random(f"{seed}:{family.name}")
    return [draw(family, rng, family.asks) for _ in range(draws)]


def _requests(family: Family) -> int:
    def values(ask: str) -> int:
        return prod(size(family.slots[name]) for name in names_in(ask))

    return sum(expansions(ask) * values(ask) for ask in family.asks)


def _texts(family: Family) -> list[str]:
    options = [option for slot in family.slots.values() for option in slot.options]
    return [*family.asks, family.code, family.test, family.setup, *options]


def _names(expression: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(expression)) if isinstance(node, ast.Name)}


def _syntax_error(text: str) -> str:
    try:
        ast.parse(text)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}\n{text}"
    return ""
