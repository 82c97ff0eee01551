"""The same program under other names: a family's code with slots and identifiers made alike.

Families with one skeleton teach one thing. It knows syntax, not what a program does.
"""

import ast
import builtins
from collections.abc import Iterator
from string import Template

from dcode.lessons.family import Family, Slot, names_in

_KEPT = frozenset(dir(builtins))
_NAMED = ("id", "arg", "name")  # where nodes hold names
_FIXED = {"int": "7", "float": "2.5", "calc": "7", "file": "file.txt", "char": "c"}


def skeleton(family: Family) -> str:
    """A text that families share if their programs differ in names and in slot values only."""
    values = {name: _value(family, slot) for name, slot in family.slots.items()}
    return skeleton_of(Template(family.code).substitute(values))


def captured(family: Family) -> Iterator[tuple[str, str]]:
    """(slot, option) pairs where a name that may be drawn is one that the program uses for something else."""
    values = {name: _value(family, slot) for name, slot in family.slots.items()}
    marks = {name: f"slot_{name}" for name, slot in family.slots.items() if _is_name(slot)}
    tree = ast.parse(Template(family.code).substitute(values | marks))
    used = {name for node in ast.walk(tree) for name in _names(node)}
    for slot, mark in marks.items():
        options = family.slots[slot].options
        # A slot whose every option is a name of the program chooses among those names on purpose.
        if mark in used and not used.issuperset(options):
            yield from ((slot, option) for option in options if option in used)


def skeleton_of(code: str) -> str:
    """The syntax tree of a program as text, its own names replaced by their order of appearance."""
    tree = ast.parse(code)
    order: dict[str, str] = {}
    for node in ast.walk(tree):
        for field in _NAMED:
            name = getattr(node, field, None)
            if isinstance(name, str) and name not in _KEPT and not isinstance(node, ast.alias):
                setattr(node, field, order.setdefault(name, f"v{len(order)}"))
    return ast.dump(tree)


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.alias):
        return [(node.asname or node.name).partition(".")[0]]
    named = (getattr(node, field, None) for field in _NAMED if not isinstance(node, ast.keyword))
    return [name for name in named if isinstance(name, str)]


def _is_name(slot: Slot) -> bool:
    return slot.kind == "choice" and all(names_in(option) or option.isidentifier() for option in slot.options)


def _value(family: Family, slot: Slot) -> str:
    if slot.kind != "choice":
        return _FIXED.get(slot.kind, slot.kind)
    option = slot.options[0]
    return Template(option).substitute({name: _value(family, family.slots[name]) for name in names_in(option)})
