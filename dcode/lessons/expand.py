"""From a family to one lesson: a phrasing is chosen, slots get values, and request, code and test share them.

Everything is drawn from the `random.Random` that is given, so a seed says it all. What is held out is decided by
`heldout`; this file only knows how to keep off reserved values, or to draw nothing but them.
"""

import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import prod
from random import Random
from string import Template, ascii_lowercase
from typing import Any, Literal

from dcode.lessons.family import FOLDER, GROUP, WORDS, Family, Slot, names_in

Value = str | int | float
Values = Literal["any", "train", "reserved"]
"""Which random values may be drawn: all, those that may teach, or only those kept for measuring."""

Reserve = Callable[[Family, str, Value], bool]
"""Whether a value of a slot (by the slot's name) is kept for measuring."""

TRIES = 60
_BUILTINS = (abs, divmod, int, len, list, max, min, range, round, sorted, str, sum)
_CALC: dict[str, Any] = {"__builtins__": {}, **{function.__name__: function for function in _BUILTINS}}


@dataclass(frozen=True, slots=True)
class Lesson:
    """One request with the program that meets it; `shape` is the request before the slots' `values` came in."""

    family: Family
    request: str
    code: str
    test: str
    setup: str = ""
    shape: str = ""
    values: Mapping[str, Value] = field(default_factory=dict)

    @property
    def program(self) -> str:
        """The text to execute: set-up, program, test."""
        return "\n".join(part for part in (self.setup, self.code, self.test) if part)


def draw(
    family: Family,
    rng: Random,
    asks: Sequence[str],
    values: Values = "any",
    reserve: Reserve | None = None,
    *,
    settled: bool = False,
    say: Callable[[str, Random], str] = lambda ask, _: ask,
) -> Lesson:
    """One lesson, its phrasing out of `asks` (phrasings of the family, perhaps narrowed), put as `say` puts it.

    `settled`: what the request does not say is the same every time, so that the request decides the program.
    """
    shape = say(choose(rng.choice(asks), rng), rng)
    said = names_in(shape) if settled else frozenset(family.slots)
    drawn = Draw(family, rng, values, reserve or _no_reserve, said).values()
    texts = {name: str(value) for name, value in drawn.items()}

    def filled(text: str) -> str:
        return Template(text).substitute(texts)

    code, test, setup = map(filled, (family.code, family.test, family.setup))
    return Lesson(family, filled(shape), code, test, setup, shape, drawn)


def choose(ask: str, rng: Random) -> str:
    """The phrasing with one branch of every alternation; spaces collapse around an empty one."""
    return tidy(GROUP.sub(lambda group: rng.choice(group[1].split("|")), ask))


def tidy(text: str) -> str:
    """Single spaces, none at the ends or before a comma."""
    return re.sub(r" +([,?])", r"\1", " ".join(text.split()))


def expansions(ask: str) -> int:
    """How many requests an ask can become, slots aside."""
    return prod(len(group.split("|")) for group in GROUP.findall(ask))


def size(slot: Slot) -> int:
    """About how many values a slot can have."""
    match slot.kind:
        case "choice":
            return len(slot.options)
        case "int":
            return int(slot.high - slot.low) + 1
        case "float":
            return max(1, round((slot.high - slot.low) * 60))
        case "file":
            return len(words()["file"]) * len(words()["word"]) // 2
        case "char":
            return len(ascii_lowercase)
        case "calc":
            return 1
        case kind:
            return len(words()[kind])


class Draw:
    """The values of one lesson, each drawn once; different slots get different values where they can."""

    def __init__(self, family: Family, rng: Random, values: Values, reserve: Reserve, said: Collection[str]) -> None:
        self.family, self.rng, self.wanted, self.reserve, self.said = family, rng, values, reserve, said
        self.literals = _literals(family)
        self.drawn: dict[str, Value] = {}
        self.open: set[str] = set()

    def values(self) -> Mapping[str, Value]:
        """Draw all slots of the family, in the order in which they stand there."""
        for name in self.family.slots:
            self.value(name)
        return self.drawn

    def value(self, name: str) -> Value:
        """The value of one slot; what it refers to is drawn first."""
        if name not in self.drawn:
            assert name not in self.open, f"{self.family.name}: slot {name} refers to itself"
            self.open.add(name)
            self.drawn[name] = self._new(name, self.family.slots[name])
        return self.drawn[name]

    def _new(self, name: str, slot: Slot) -> Value:
        if slot.kind == "calc":
            return self._calculated(slot.text)
        rng = self.rng if name in self.said else Random(f"{self.family.name}:{name}")
        options: Iterable[Value] = (self._candidate(slot, rng) for _ in range(TRIES))
        if name not in self.said and slot.kind == "choice":
            options = (self._filled(option) for option in slot.options)
        for value in options:
            if self._fits(name, slot, value):
                break
        return value

    def _fits(self, name: str, slot: Slot, value: Value) -> bool:
        """Random words must not meet a literal of the program; a reserved value must be wanted."""
        taken = {str(other) for other in self.drawn.values()}
        if str(value) in taken or (slot.kind not in ("choice", "int", "float") and str(value) in self.literals):
            return False
        if slot.kind == "choice" or self.wanted == "any" or size(slot) < 8:
            return True
        return self.reserve(self.family, name, value) == (self.wanted == "reserved")

    def _filled(self, option: str) -> str:
        return Template(option).substitute({used: str(self.value(used)) for used in sorted(names_in(option))})

    def _candidate(self, slot: Slot, rng: Random) -> Value:
        match slot.kind:
            case "choice":
                return self._filled(rng.choice(slot.options))
            case "int":
                return rng.randint(int(slot.low), int(slot.high))
            case "float":
                return round(rng.uniform(slot.low, slot.high), rng.choice((1, 1, 2)))
            case "char":
                return rng.choice(ascii_lowercase)
            case "file":
                return f"{_stem(rng)}.{slot.text}"
            case kind:
                return rng.choice(words()[kind])

    def _calculated(self, expression: str) -> Value:
        code = compile(expression, self.family.name, "eval")
        used = {name: self.value(name) for name in code.co_names if name in self.family.slots}
        value: Value = eval(code, dict(_CALC), used)
        return value


def _stem(rng: Random) -> str:
    stem = rng.choice(words()["file"])
    match rng.randrange(5):
        case 0:
            return f"{stem}{rng.randrange(1, 100)}"
        case 1 | 2:
            return f"{rng.choice(words()['word'])}_{stem}"
        case _:
            return stem


def _no_reserve(_family: Family, _slot: str, _value: Value) -> bool:
    return False


@cache
def words() -> Mapping[str, tuple[str, ...]]:
    """Our own lists of words, by kind of slot, and the verbs that open a command."""
    table = tomllib.loads((FOLDER / WORDS).read_text("utf-8"))
    return {kind: tuple(text.split()) for kind, text in table.items()}


@cache
def _words_of(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text))


def _literals(family: Family) -> frozenset[str]:
    return _words_of(f"{family.code} {family.test} {family.setup}")
