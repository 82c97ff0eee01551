"""Faults of the bytes themselves, in any language: not UTF-8, or a character that hides from the reader.

What hides is what `dcode.text.sanitize` would have to make visible: controls, and marks that turn the text.
"""

from collections.abc import Collection, Iterator

from dcode.text.checker import Draft
from dcode.text.fault import Fault
from dcode.text.sanitize import visible
from dcode.text.span import Span

CHECKER = "text"


def encoding_faults(view: bytes) -> Iterator[Fault]:
    """The first place that is not UTF-8."""
    try:
        view.decode()
    except UnicodeDecodeError as error:
        span = Span(error.start, error.end)
        yield Fault(span, "encoding", f"not UTF-8: {error.reason}", CHECKER, "encoding")


def control_faults(draft: Draft, known: Collection[str]) -> Iterator[Fault]:
    """Every hiding character in a hole that is not among the known ones."""
    for hole in draft.holes:
        text = _decoded(draft.data[hole.start : hole.end])
        if not controls(text) - set(known):
            continue
        at = hole.start
        for character in text:
            after = at + len(character.encode(errors="surrogateescape"))
            if _hides(character) and character not in known:
                message = f"control character {visible(character)}"
                yield Fault(Span(at, after), "control", message, CHECKER, "control")
            at = after


def controls(text: bytes | str) -> frozenset[str]:
    """The hiding characters that a text has."""
    return frozenset(filter(_hides, set(_decoded(text) if isinstance(text, bytes) else text)))


def _hides(character: str) -> bool:
    return visible(character) != character and not "\ud800" <= character <= "\udfff"


def _decoded(data: bytes) -> str:
    """A byte that is not UTF-8 becomes one surrogate, so that offsets can be told; it is not judged here."""
    return data.decode(errors="surrogateescape")
