"""What the hook may propose in a language: the rules in `grammars/<lang>/refactors.toml`, read and proven complete.

    [docstring]                          the rule's name
    kind = "insert"                      fix · fill · edit · insert: what is done about a match
    why = "public function without …"    a line for people
    query = "undocumented"               the .scm file that finds places
    within = ["string", …]               kinds of nodes that may be inside what is inserted
    alike = { typed_parameter = "" }     kinds that count as another, or ("") as the node inside them
    only = { identifier = ["int", …] }   texts that inserted leaves of a kind may have
    [docstring.insert.body]              for nodes that the query captures as @body:
    template = '\"\"\"<hole>\"\"\"\\n<indent><node>'
    slots = 24                           how much room the model gets
    pattern = "[A-Z].+"                  what it writes must be like this, all of it
    adds = ["expression_statement"]      the nodes that an insertion brings, in order

No code here or elsewhere names a language. Nothing here parses.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from dcode.errors import DcodeError, InputError
from dcode.syntax.grammar import Grammar, grammar_for

TABLE = "refactors.toml"
Kind = Literal["fix", "fill", "edit", "insert"]
KINDS: tuple[Kind, ...] = ("fix", "fill", "edit", "insert")

_RULE_KEYS = {"kind", "why", "query", "within", "alike", "only", "insert"}
_INSERTION_KEYS = {"template", "slots", "pattern", "adds"}


@dataclass(frozen=True, slots=True)
class Insertion:
    """Text that is put before or behind a node: `head`, then `slots` slots for the model, then `tail`."""

    head: str
    tail: str
    is_before: bool
    slots: int
    pattern: re.Pattern[bytes]
    adds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; `insertions` by the name of the capture that says where."""

    name: str
    kind: Kind
    why: str
    query: str
    within: frozenset[str]
    alike: Mapping[str, str]
    only: Mapping[str, frozenset[str]]
    insertions: Mapping[str, Insertion]


@cache
def rules(grammar: Grammar) -> tuple[Rule, ...]:
    """The rules of a language, in the order of its table; none if it has no table. DcodeError if that is damaged."""
    path = grammar.folder / TABLE
    if not path.is_file():
        return ()
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        return tuple(_rule(grammar, name, table) for name, table in tables.items())
    except (OSError, ValueError, KeyError, TypeError, re.error) as error:
        raise DcodeError(f"{path} is damaged: {error}", hint="reinstall dcode-diffusion") from error


def has_rules(path: str) -> bool:
    """Whether a file of this name is in a language that has rules."""
    try:
        return (grammar_for(path).folder / TABLE).is_file()
    except InputError:
        return False


def _rule(grammar: Grammar, name: str, table: dict[str, Any]) -> Rule:
    if odd := table.keys() - _RULE_KEYS:
        raise ValueError(f"[{name}] has {', '.join(sorted(odd))}")
    if table["kind"] not in KINDS:
        raise ValueError(f"[{name}] kind = {table['kind']!r}")
    tables = table.get("insert", {})
    insertions = {capture: _insertion(f"{name}.insert.{capture}", one) for capture, one in tables.items()}
    if bool(insertions) != (table["kind"] == "insert"):
        raise ValueError(f"[{name}] is of kind {table['kind']} and has {len(insertions)} insertions")
    return Rule(
        name=name,
        kind=table["kind"],
        why=table["why"],
        query=grammar.query(table["query"]) if table.get("query") else "",
        within=frozenset(table.get("within", ())),
        alike=dict(table.get("alike", {})),
        only={kind: frozenset(texts) for kind, texts in table.get("only", {}).items()},
        insertions=insertions,
    )


def _insertion(name: str, table: dict[str, Any]) -> Insertion:
    if odd := table.keys() ^ _INSERTION_KEYS:
        raise ValueError(f"[{name}] lacks or has: {', '.join(sorted(odd))}")
    first, _, last = table["template"].partition("<node>")
    text = first or last
    head, hole, tail = text.partition("<hole>")
    if not hole or bool(first) == bool(last):
        raise ValueError(f"[{name}] template {table['template']!r} needs one <hole> and, first or last, <node>")
    pattern = re.compile(table["pattern"].encode(), re.DOTALL)
    return Insertion(head, tail, bool(first), int(table["slots"]), pattern, tuple(table["adds"]))
