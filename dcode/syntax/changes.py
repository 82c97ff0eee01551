"""Every small change near the faults of a text that mends it: of one lexeme, spaced as the file has it.

R1 (`dcode.syntax.certify`) with more places: also inside a word that may be two, and for the words of the file where
any word would do. It knows no model: which change is the right one is for others to say.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from dcode.syntax.certify import certify
from dcode.syntax.check import file_faults
from dcode.syntax.grammar import Grammar
from dcode.syntax.lexer import is_word, lexemes, unmatched
from dcode.syntax.lines import line_end, lines_around
from dcode.syntax.repairs import SHELLS, doubted
from dcode.syntax.shell import shells
from dcode.syntax.spacing import Habits, place, spaced
from dcode.syntax.suspects import detections, fillers, suspects
from dcode.text.edit import Edit
from dcode.text.fault import Fault
from dcode.text.span import Span

TRIALS, PARSED_BYTES = 4000, 12_000_000
"""Changes that are tried, and bytes that are parsed for it: the second lowers the first where a shell is large."""

LEAST_TRIALS = 10
"""Where few trials can be afforded, places far away are given up before a place gets fewer than this."""

PLACES = 12
"""So many of the places with a change that parses, nearest first, are looked at more closely."""

NAMES = 300
"""So many words of the file, nearest first, may stand where any word may."""

NAME = b"x"
"""A name in every language that has names: where it passes, any word of the file may be meant."""

SEEN_LINES = 40
"""Where the next fault is looked for when there are several."""

CLOSINGS = (16, 48)
"""Behind so many lexemes an open bracket may have been meant to be closed, at each level."""

LONGEST_WORD = 40
SEAMS = 4
"""At so many points a word that is nowhere else may be cut in two."""


@dataclass(frozen=True)
class Words:
    """The words and short strings of a view: how often each is there, and where."""

    counts: Mapping[bytes, int]
    places: Mapping[bytes, Sequence[int]]

    @staticmethod
    def of(grammar: Grammar, view: bytes) -> "Words":
        """Gather them from a whole view."""
        places: dict[bytes, list[int]] = {}
        for span in lexemes(grammar, view, Span(0, len(view))):
            text = view[span.start : span.end]
            if len(text) <= LONGEST_WORD and (is_word(text) or text.startswith(grammar.quotes)):
                places.setdefault(text, []).append(span.start)
        return Words({word: len(found) for word, found in places.items()}, places)

    def near(self, at: int) -> list[bytes]:
        """The words nearest to a byte, nearest first."""
        return sorted(self.places, key=lambda word: min(abs(at - one) for one in self.places[word]))[:NAMES]


def changes(
    grammar: Grammar, view: bytes, faults: Sequence[Fault], words: Words, level: int = 0
) -> Iterator[list[Edit]]:
    """Edits of the view, at the nearest places first, with each of which a part of the file around the faults parses;
    then those for a wider part, if asked.

    Those that put a word of the file where any word parses were not tried: check the whole file before you rely on
    one. `level` from 0: how far from the faults to look. There are none if no checker says where.
    """
    if not detections(view, faults):
        return
    habits = Habits.of(grammar, view)
    choices = _choices(grammar, view, faults, words, level)
    for around in islice(shells(grammar, view, doubted(view, faults)), SHELLS):
        inside = [one for one in choices if around.part.start <= one.start and one.end <= around.part.end]
        table = {one: options(view, one, choices[one], habits) for one in inside}
        yield _all(view, _certified(table, around.parses, len(around.part)), words, habits)


def advances(grammar: Grammar, view: bytes, faults: Sequence[Fault], words: Words) -> list[Edit]:
    """Edits after which faults are fewer and the first is on a later line: that of the strict check, or, as long as
    that stays where it is, those of the others. For a text that none mends alone; none if no checker says where."""
    if not detections(view, faults):
        return []
    habits = Habits.of(grammar, view)
    first = _first(grammar, faults)
    here, seen = line_end(view, first), lines_around(view, Span(first, first), SEEN_LINES).end
    now = file_faults(grammar, view[:seen])
    others = _firsts(now, grammar)

    def passes(span: Span, new: bytes) -> bool:
        text = view[: span.start] + new + view[span.end : seen]
        left = file_faults(grammar, text)
        if not left or len(left) >= len(now):
            return not left
        behind = len(text) - _first(grammar, left)
        if behind < seen - here:
            return True
        still = _firsts(left, grammar)
        return behind <= seen - first and all(
            name not in still or len(text) - still[name] < seen - line_end(view, at) for name, at in others.items()
        )

    choices = _choices(grammar, view, faults, words, 0)
    table = {one: options(view, one, choice, habits) for one, choice in choices.items()}
    return _all(view, _certified(table, passes, seen), words, habits)


def _first(grammar: Grammar, faults: Sequence[Fault]) -> int:
    """Where the strict check, if there is one, noticed; else the first fault."""
    return next((fault for fault in faults if fault.checker == grammar.strict), faults[0]).span.start


def _firsts(faults: Sequence[Fault], grammar: Grammar) -> dict[str, int]:
    """Where each checker but the strict one noticed first."""
    found: dict[str, int] = {}
    for fault in faults:
        if fault.checker != grammar.strict:
            found.setdefault(fault.checker, fault.span.start)
    return found


def _choices(
    grammar: Grammar, view: bytes, faults: Sequence[Fault], words: Words, level: int
) -> dict[Span, Sequence[bytes]]:
    """Places, nearest to the faults first, and what may be put there."""
    found = dict.fromkeys(place(view, span) for span in suspects(grammar, view, faults, level))
    cuts = dict.fromkeys(cut for span in found for cut in seams(grammar, view, span, words))
    choices = {span: _fillers(grammar, view, span) for span in (*found, *cuts)}
    for span, closing in closings(grammar, view, faults, level).items():
        choices.setdefault(span, (closing,))
    return choices


def _fillers(grammar: Grammar, view: bytes, span: Span) -> Sequence[bytes]:
    """What any lexeme may become; deletion first."""
    choice = fillers(grammar, view, span, (b"", NAME))
    if _in_word(view, span):
        return tuple(filler for filler in choice if filler.strip() and not is_word(filler.strip()))
    return choice


def options(view: bytes, span: Span, choice: Sequence[bytes], habits: Habits) -> dict[bytes, Edit]:
    """What may be done at a place, by the filler that does it."""
    edits: dict[Edit, bytes] = {}
    for filler in choice:
        bare = filler.strip()
        edit = Edit(span, filler) if filler and not bare else spaced(view, span, bare, habits)
        edits.setdefault(edit, filler)
    return {filler: edit for edit, filler in edits.items() if view[edit.span.start : edit.span.end] != edit.new}


def closings(grammar: Grammar, view: bytes, faults: Sequence[Fault], level: int) -> dict[Span, bytes]:
    """Where the innermost bracket that is open at the first detection may be meant to end: a checker may notice only
    where it was opened."""
    closes = dict(grammar.brackets)
    at = detections(view, faults)[0]
    near = lexemes(grammar, view, lines_around(view, Span(at, at), SEEN_LINES))
    opened = [span for span in unmatched(grammar, view, near, at + 1) if view[span.start : span.end] in closes]
    if not opened:
        return {}
    closing = closes[view[opened[0].start : opened[0].end]]
    inside = [span for span in near if span.start > opened[0].start][: CLOSINGS[level]]
    return {place(view, Span(span.end, span.end)): closing for span in inside}


def seams(grammar: Grammar, view: bytes, span: Span, words: Words) -> Iterator[Span]:
    """Where in a word that is nowhere else something may be missing: both parts are words, one of them known."""
    word = view[span.start : span.end]
    if not is_word(word) or words.counts.get(word, 0) != 1:
        return
    known = {*words.counts, *grammar.lexemes}
    cuts = [at for at in range(1, len(word)) if is_word(word[at:])]
    cuts = [at for at in cuts if word[:at] in known or word[at:] in known]
    for at in sorted(cuts, key=lambda at: -max(at * (word[:at] in known), (len(word) - at) * (word[at:] in known)))[
        :SEAMS
    ]:
        yield Span(span.start + at, span.start + at)


def _certified(
    table: Mapping[Span, Mapping[bytes, Edit]], passes: Callable[[Span, bytes], bool], size: int
) -> list[tuple[Span, list[Edit]]]:
    """The places at which an edit of the table passes, with all that do; `size`: how much is parsed for one."""
    trials = min(TRIALS, PARSED_BYTES // (size + 1))
    nearest = list(table)[: max(1, trials // LEAST_TRIALS)]

    def tried(span: Span, filler: bytes) -> bool:
        edit = table[span][filler]
        return passes(edit.span, edit.new)

    found = certify(tried, nearest, lambda span: tuple(table[span]), trials)
    return [(one.span, [table[one.span][filler] for filler in one.fillers]) for one in found[:PLACES]]


def _all(view: bytes, found: Sequence[tuple[Span, list[Edit]]], words: Words, habits: Habits) -> list[Edit]:
    return [edit for span, edits in found for edit in _with_names(view, span, edits, words, habits)]


def _with_names(view: bytes, span: Span, edits: Sequence[Edit], words: Words, habits: Habits) -> Iterator[Edit]:
    """The edits, and where any word passes, those that put a word of the file there."""
    yield from edits
    if any(edit.new.strip() == NAME for edit in edits):
        have = {*edits}
        old = view[span.start : span.end]
        named = (spaced(view, span, word, habits) for word in words.near(span.start) if word != old)
        yield from (edit for edit in named if edit not in have)


def _in_word(view: bytes, span: Span) -> bool:
    """Whether an empty place has a letter on both sides."""
    return (
        not len(span) and is_word(view[max(0, span.start - 1) : span.start]) and is_word(view[span.end : span.end + 1])
    )
