"""A filler for every hole with which the file is known to parse: the ground that a guarantee stands on.

It knows fillers and a judge, no grammar. What bounds the search is a count of trials, not a clock: the answer
is always the same.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

from dcode.syntax.identity import filled
from dcode.syntax.lines import line_end, unindented
from dcode.text.fault import Fault
from dcode.text.span import Span

Fills = tuple[bytes, ...]
Blame = Callable[[Fills], int]
"""How many faults the file has because of these fills; 0 makes them a witness."""

Judge = Callable[[bytes], Sequence[Fault]]
"""Faults of a whole view. A dear judge is asked only about text in which the cheap ones blame nothing."""

TRIALS = 512
"""The most often the judge is asked."""

PARSED_BYTES = 4_000_000
"""How much text a search may parse: it lowers the number of trials where the text is long."""

COMMON = 12
"""How many fillers are tried in all holes before the rest is tried in any, where there are several holes."""

ENDS = 4
"""How many fillers that end what stands before a hole are tried with one that begins what stands behind it."""

NARROW = 4
"""How many parts around the holes, ever wider, are tried before the one that is known to be whole."""

BOUNDS = 16
"""How many lines without indent are tried as the first, and as the last, of that one."""


@dataclass(frozen=True, slots=True)
class Part:
    """Whole lines of a view, and what stands around them so that they may be judged alone."""

    span: Span
    head: bytes = b""
    tail: bytes = b""


@dataclass(frozen=True, slots=True)
class Language:
    """What a search asks of a language."""

    fillers: Callable[[bytes, Sequence[Span]], Sequence[bytes]]
    """What may stand in the holes of a view, likeliest first."""
    statements: Callable[[bytes], Sequence[Span]]
    """The statements at the top of a view, in order."""
    parts: Callable[[bytes, Span], Iterable[Part]]
    """Lines around a span, ever wider; nobody knows whether they can be judged alone."""
    judges: Sequence[Judge]
    """Cheapest first."""


def search(originals: Fills, fillers: Sequence[bytes], blame: Blame, most: int = TRIALS) -> Fills | None:
    """The first without blame of: what was there; one filler in all holes; the least blamed, hole by hole."""
    best, least = originals, blame(originals)
    tried = {originals}
    for where, filler in _moves(originals, fillers):
        if least == 0 or len(tried) == most:
            break
        trial = tuple(filler if hole in where else fill for hole, fill in enumerate(best))
        if trial in tried:
            continue
        tried.add(trial)
        if (count := blame(trial)) < least:
            best, least = trial, count
    return best if least == 0 else None


def _moves(originals: Fills, fillers: Sequence[bytes]) -> Iterator[tuple[Sequence[int], bytes]]:
    """Which holes to fill with what, next."""
    holes = range(len(originals))
    common, rest = (fillers[:COMMON], fillers[COMMON:]) if len(holes) > 1 else (fillers, ())
    yield from ((holes, filler) for filler in common)
    for hole in holes:
        yield from (((hole,), filler) for filler in (originals[hole], *common))
    for hole in holes:
        yield from (((hole,), filler) for filler in rest)


def parts(view: bytes, holes: Sequence[Span], language: Language) -> Iterator[Part]:
    """What is worth searching a witness in, ever wider: narrow parts soon see many fillers, however long the file is.

    The last is the one between the nearest lines without indent so that what is before them and what is behind them
    is whole.
    """
    around = Span(holes[0].start, holes[-1].end)
    narrow = takewhile(
        lambda part: trials(view[part.span.start : part.span.end]) == TRIALS, language.parts(view, around)
    )
    yield from islice(narrow, NARROW)
    asked = max(1, min(BOUNDS, PARSED_BYTES // (len(view) + 1)))
    starts = reversed(unindented(view, Span(0, around.start + 1))[-asked:])
    ends = unindented(view, Span(line_end(view, around.end), len(view)))[:asked]
    start = next((at for at in starts if _whole(language, view[:at])), 0)
    yield Part(Span(start, next((at for at in ends if _whole(language, view[at:])), len(view))))


def clean(view: bytes, part: Part, holes: Sequence[Span], language: Language) -> Fills | None:
    """Fills with which no judge finds anything in this part of the view."""
    text = view[part.span.start : part.span.end]
    if not trials(text):
        return None
    inside = [hole.shift(-part.span.start) for hole in holes]

    def blame(fills: Fills) -> int:
        whole = part.head + filled(text, inside, fills).data + part.tail
        for dearer, judge in zip(reversed(range(len(language.judges))), language.judges, strict=True):
            if faults := judge(whole):
                return len(faults) + dearer
        return 0

    originals = tuple(text[hole.start : hole.end] for hole in inside)
    found = search(originals, language.fillers(text, inside), blame, trials(text))
    return found or (_ended_and_begun(text, part, inside[0], language, blame) if len(inside) == 1 else None)


def _ended_and_begun(text: bytes, part: Part, hole: Span, language: Language, blame: Blame) -> Fills | None:
    """For a hole in which one thing ends and another begins: a filler that ends what stands before it, so that it would
    do as a file, and one in a line of its own that begins what stands behind."""
    before, behind = text[: hole.start], text[hole.end :]
    fillers = language.fillers(before, [Span(len(before), len(before))])
    ends = (one + b"\n" for one in fillers[: trials(text)] if one.strip())
    whole = (one for one in ends if _whole(language, part.head + before + one + part.tail))
    for end in islice(whole, ENDS):
        place = Span(len(before + end), len(before + end))
        both = [end + one for one in language.fillers(before + end + behind, [place])]
        if found := search((end,), both, blame, trials(text, ENDS)):
            return found
    return None


def trials(text: bytes, searches: int = 1) -> int:
    """How many fillers each of some searches may try in a text of this length."""
    return min(TRIALS, PARSED_BYTES // searches // (len(text) + 1))


def _whole(language: Language, text: bytes) -> bool:
    return not any(judge(text) for judge in language.judges)
