"""Families made of parts: a source, one or two steps, a sink; how they fit is data (`parts/pipelines.toml`).

What comes out are ordinary families: the same engine draws, holds out, checks and executes them.
"""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from itertools import permutations
from string import Template
from typing import Any

from dcode.lessons.family import FOLDER, Family, read_families, read_slot

PARTS = FOLDER / "parts" / "pipelines.toml"
DOMAIN = "pipelines"

PAIRS = 6
"""Of so many chains with two steps one becomes a family: there are thousands, and they teach the same."""

TEST = """
import contextlib, io
printed = io.StringIO()
with contextlib.redirect_stdout(printed):
    result = $fn($arguments)
want = $start
"""

WANT = {
    "rows": '[{"$key": number, "$other": text} for number, text in '
    '[("3", "b"), ("12", "a"), ("7.5", ""), ("12", "c"), ("250", "a")]]',
    "lines": '["Pear $word", "", "fig", "Pear $word", "  apple ", "fig tree of $word"]',
}
"""What every source of a kind holds, written here again so that the test does not lean on the program."""

SLOTS = {"rows": {"key": "key", "other": "key"}, "lines": {"word": "word"}}


@dataclass(frozen=True, slots=True)
class Part:
    """One table of the file; `kind` is source, step or sink."""

    kind: str
    name: str
    table: dict[str, Any]

    def text(self, key: str) -> str:
        """A text of the table, without the newlines around it; "" if it has none."""
        return str(self.table.get(key, "")).strip("\n")


@cache
def every_family() -> tuple[Family, ...]:
    """The families of the package's files, then those made of parts."""
    return (*read_families(), *composed())


def composed() -> tuple[Family, ...]:
    """One family for every chain: all with one step, a fixed share of those with two."""
    table = tomllib.loads(PARTS.read_text("utf-8"))
    parts = [Part(kind, name, told) for kind in ("source", "step", "sink") for name, told in table[kind].items()]
    return tuple(_family(chain, table["ask"], table["names"]) for chain in _chains(parts))


def _chains(parts: Sequence[Part]) -> Iterator[tuple[Part, ...]]:
    """Every source with the steps and sinks that take what it gives; a step marked `last` stands last."""
    for source in (part for part in parts if part.kind == "source"):
        fitting = [part for part in parts if part.table.get("takes") == source.table["gives"]]
        steps = [part for part in fitting if part.kind == "step"]
        middles: list[tuple[Part, ...]] = [(step,) for step in steps]
        middles += [pair for pair in permutations(steps, 2) if _follows(*pair)]
        for middle in middles:
            for sink in (part for part in fitting if part.kind == "sink"):
                chain = (source, *middle, sink)
                if _fits(middle[-1], sink) and (len(middle) == 1 or _is_chosen(chain)):
                    yield chain


def _follows(first: Part, second: Part) -> bool:
    """Whether the second step may come after the first: what is over a number need not be asked to be under it."""
    about = first.table.get("about")
    return not first.table.get("last") and (about is None or about != second.table.get("about"))


def _fits(step: Part, sink: Part) -> bool:
    """A sink must find the column that it uses."""
    return "drops" not in step.table or step.table["drops"] != sink.table.get("uses")


def _is_chosen(chain: Sequence[Part]) -> bool:
    return int.from_bytes(blake2b(_name(chain).encode(), digest_size=4).digest()) % PAIRS == 0


def _name(chain: Sequence[Part]) -> str:
    return "_".join(part.name for part in chain)


def _family(chain: Sequence[Part], asks: Sequence[str], names: Sequence[str]) -> Family:
    source, *steps, sink = chain
    given = source.table["gives"]
    slots: dict[str, Any] = {**SLOTS[given], "fn": list(names), "path": ["path", "source", "filename", "file_path"]}
    if sink.table.get("target"):
        slots["target"] = ["target", "output", "destination", "out_path"]
    for part in chain:
        slots |= part.table.get("slots", {})
    words = {
        "read": source.text("read"),
        "source": source.text("thing"),
        "step": " and ".join(step.text("do") for step in steps),
        "sink": sink.text("do"),
    }
    name = _name(chain)
    return Family(
        name=name,
        domain=DOMAIN,
        asks=tuple(Template(ask).substitute(words) for ask in asks),
        code=_code(chain, "$target" if sink.table.get("target") else ""),
        test=_test(chain, "out.dat" if sink.table.get("target") else ""),
        slots={key: read_slot(PARTS, name, key, value) for key, value in slots.items()},
        setup=source.text("setup") + "\n",
    )


def _code(chain: Sequence[Part], target: str) -> str:
    imports = sorted({part.text("imports") for part in chain} - {""}, key=lambda line: (line.startswith("from"), line))
    head = "\n".join(imports) + "\n\n\n" if imports else ""
    arguments = ", ".join(name for name in ("$path", target) if name)
    body = "\n".join(part.text("code") for part in chain)
    indented = "".join(f"    {line}\n" for line in body.splitlines())
    return f"{head}def $fn({arguments}):\n{indented}"


def _test(chain: Sequence[Part], target: str) -> str:
    arguments = ", ".join(f'"{name}"' for name in ("in.dat", target) if name)
    started = TEST.replace("$arguments", arguments).replace("$start", WANT[chain[0].table["gives"]])
    return "\n".join([started.strip("\n"), *(part.text("want") for part in chain[1:])]) + "\n"
