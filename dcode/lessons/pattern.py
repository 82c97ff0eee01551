"""How a request is put: as a command, a noun phrase, a question, a wish … told by how it begins.

A whole way of asking can thus be held out of a family. This file knows English openings, nothing of tasks.
"""

import re
from collections.abc import Iterator
from functools import cache

from dcode.lessons.expand import tidy, words
from dcode.lessons.family import GROUP

_THING = r"(?:(?:a|an|the|some|any|one|short|small|simple|tiny|quick|little|python3?|reusable)[ -]+)*"
_FUNCTION = rf"{_THING}(?:helper )?(?:function|func|method|helper|def|routine|lambda|generator|class|decorator)\b"
_PROGRAM = rf"{_THING}(?:script|program|code|snippet|one-?liner|tool|utility|command|app|python3?)\b"

_OPENINGS: tuple[tuple[str, str], ...] = (
    ("howto", r"how (?:do|to|can|could|should|would|does|might|must)\b"),
    ("polite", r"(?:please|pls|kindly|could you|can you|would you|will you|help me|hey|hi|hello)\b"),
    ("wish", r"(?:i|i'd|i'm|i've|we|we'd|my|our|need|needed|want|wanted|looking for|let me|let's)\b"),
    (
        "question",
        r"(?:what|what's|whats|which|where|when|who|why|how|is|are|does|do (?:i|you|we|two|all)|has|any|can i)\b",
    ),
    ("function", _FUNCTION),
    ("program", _PROGRAM),
    (
        "order",
        r"(?:write|give|show|create|make|build|implement|define|provide|produce|code|develop|generate)"
        rf"(?: (?:me|us|up))* (?:{_FUNCTION}|{_PROGRAM})",
    ),
    ("given", r"(?:given|for|from|in|with|when|if|out of|by|using|to|as|on|of|at|take .* and|suppose|assuming)\b"),
)
_COMPILED = tuple((name, re.compile(opening)) for name, opening in _OPENINGS)

PATTERNS = (*(name for name, _ in _OPENINGS), "gerund", "command", "noun")

_OBJECT = re.compile(r"(?:a|an|the|all|each|every|two|both|its|their)\b")  # after a first word: that word is a verb

LEADING = 40
"""Alternations that begin after this many characters of a phrasing do not change how it begins."""


def pattern(request: str) -> str:
    """The way of asking: one of `PATTERNS`."""
    text = tidy(request).lower()
    for name, opening in _COMPILED:
        if opening.match(text):
            return name
    first, _, rest = text.partition(" ")
    if first.endswith("ly") and not _is_verb(first):
        first, _, rest = rest.partition(" ")
    if first.endswith("ing") and any(map(_is_verb, (first[:-3], first[:-3] + "e", first[:-4]))):
        return "gerund"
    return "command" if rest and _is_command(first.strip(",:"), rest) else "noun"


def _is_command(first: str, rest: str) -> bool:
    if rest.startswith(("of ", "for ")):
        return False
    return _is_verb(first) or (first.isalpha() and bool(_OBJECT.match(rest)))


def narrow(ask: str) -> Iterator[tuple[str, str]]:
    """(pattern, phrasing) pairs that together say what `ask` says, each phrasing in one pattern throughout."""
    groups = [group for group in GROUP.finditer(ask) if group.start() < LEADING]
    yield from _narrow(ask, len(groups), 0)


def _narrow(ask: str, leading: int, fixed: int) -> Iterator[tuple[str, str]]:
    """`fixed` alternations from the left hold only branches that the next ones may still tell apart."""
    found = _patterns(ask, leading)
    if len(found) == 1 or fixed == leading:
        for name in sorted(found):
            yield name, ask
        return
    group = list(GROUP.finditer(ask))[fixed]
    parts: dict[frozenset[str], list[str]] = {}
    for branch in group[1].split("|"):
        alone = f"{ask[: group.start()]}[{branch}|{branch}]{ask[group.end() :]}"
        parts.setdefault(frozenset(_patterns(alone, leading)), []).append(branch)
    for branches in parts.values():
        # A group of one branch stays a group, so that the count of groups does not change.
        body = "|".join(branches if len(branches) > 1 else branches * 2)
        yield from _narrow(f"{ask[: group.start()]}[{body}]{ask[group.end() :]}", leading, fixed + 1)


def _patterns(ask: str, leading: int) -> set[str]:
    """The patterns of all expansions of the leading alternations; the rest take their first branch."""
    group = GROUP.search(ask)
    if group is None:
        return {pattern(ask)}
    branches = dict.fromkeys(group[1].split("|")) if leading else [group[1].split("|")[0]]
    expanded = (ask[: group.start()] + branch + ask[group.end() :] for branch in branches)
    return set().union(*(_patterns(each, max(0, leading - 1)) for each in expanded))


def _is_verb(word: str) -> bool:
    return word in _verbs()


@cache
def _verbs() -> frozenset[str]:
    return frozenset(words()["verb"])
