"""Mistakes as people make them: a whole program in, a broken one out. What they did is undone by a repair.

Every function changes one place that `rng` chooses, and gives None where the program offers none. Nothing is run.
"""

import keyword
import re
from collections.abc import Callable, Mapping
from random import Random

Breakage = Callable[[str, Random], str | None]


def broken(name: str, code: str, rng: Random) -> str | None:
    """The program with the mistake called `name`, or None."""
    changed = BREAKAGES[name](code, rng)
    return None if changed is None or changed == code else changed


def no_colon(code: str, rng: Random) -> str | None:
    """A colon at the end of a line is gone."""
    return _without(code, r":(?=\n)", rng)


def no_bracket(code: str, rng: Random) -> str | None:
    """A closing bracket is gone."""
    return _without(code, r"[)\]}]", rng)


def no_quote(code: str, rng: Random) -> str | None:
    """A quote is gone."""
    return _without(code, r'"', rng)


def indent(code: str, rng: Random) -> str | None:
    """A line of a block is not indented as it must be."""
    found = _one(code, r"(?<=:\n) +(?=\S)", rng)
    return found and code[: found.start()] + rng.choice(("", found[0][:-4])) + code[found.end() :]


def keyword_(code: str, rng: Random) -> str | None:
    """A keyword with two letters swapped."""
    words = "|".join(word for word in keyword.kwlist if word.islower() and len(word) > 2)
    found = _one(code, rf"\b({words})\b", rng)
    if found is None:
        return None
    at = rng.randrange(len(found[0]) - 1)
    word = found[0][:at] + found[0][at + 1] + found[0][at] + found[0][at + 2 :]
    return code[: found.start()] + word + code[found.end() :]


def no_return(code: str, rng: Random) -> str | None:
    """The value is computed and not returned."""
    return _without(code, r"(?<= )return (?=\S)", rng)


def no_import(code: str, rng: Random) -> str | None:
    """An import is missing."""
    changed = _without(code, r"(?m)^(import|from) .*\n", rng)
    return changed and changed.lstrip("\n")


def name(code: str, rng: Random) -> str | None:
    """A name that is spelled differently in one place."""
    words: list[str] = re.findall(r"(?<![\w.\"'])[a-z_]{4,}(?![\w(\"'=])", code)
    repeated = sorted({word for word in words if words.count(word) > 1 and not keyword.iskeyword(word)})
    if not repeated:
        return None
    word = rng.choice(repeated)
    found = list(re.finditer(rf"(?<![\w.\"']){word}(?![\w\"'])", code))
    last = rng.choice(found[1:]) if len(found) > 1 else found[0]
    at = rng.randrange(1, len(word))
    return code[: last.start()] + word[:at] + word[at + 1 :] + code[last.end() :]


def comparison(code: str, rng: Random) -> str | None:
    """A comparison that is another one."""
    other = {"<": "<=", ">": ">=", "<=": "<", ">=": ">", "==": "!=", "!=": "=="}
    return _swapped(code, r"(?<= )(<=|>=|==|!=|<|>)(?= )", other, rng)


def off_by_one(code: str, rng: Random) -> str | None:
    """A small number that is one too large or too small."""
    found = _one(code, r"(?<![\w.\"#])\d(?![\w.\"])", rng)
    return found and code[: found.start()] + str(abs(int(found[0]) + rng.choice((-1, 1)))) + code[found.end() :]


def arithmetic(code: str, rng: Random) -> str | None:
    """A sign that stands for another operation."""
    other = {"+": "-", "-": "+", "*": "+", "/": "*", "//": "/", "%": "//", "and": "or", "or": "and"}
    return _swapped(code, r"(?<= )(\+|-|\*|//|/|%|and|or)(?= )", other, rng)


BREAKAGES: Mapping[str, Breakage] = {
    function.__name__.rstrip("_"): function
    for function in (
        *(no_colon, no_bracket, no_quote, indent, keyword_, no_return, no_import, name),
        *(comparison, off_by_one, arithmetic),
    )
}


def _one(code: str, wanted: str, rng: Random) -> re.Match[str] | None:
    found = list(re.finditer(wanted, code))
    return rng.choice(found) if found else None


def _without(code: str, wanted: str, rng: Random) -> str | None:
    found = _one(code, wanted, rng)
    return found and code[: found.start()] + code[found.end() :]


def _swapped(code: str, wanted: str, other: Mapping[str, str], rng: Random) -> str | None:
    found = _one(code, wanted, rng)
    return found and code[: found.start()] + other[found[0]] + code[found.end() :]
