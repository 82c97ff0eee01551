"""Which part of a long file the model sees: the holes that share a window, and whole lines around them.

Everything is in bytes of the view and tokens of the model. It knows no languages and no sampling.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from dcode.errors import InputError
from dcode.model.tokenizer import Tokenizer
from dcode.text.span import Span

LEAST_CONTEXT = 32
"""Tokens of surroundings that a window must leave room for."""

BYTES_PER_TOKEN = 6
"""More than a token has on average: how far to look for context without tokenizing a whole file."""


def default_slots(text: bytes, tokenizer: Tokenizer) -> int:
    """Slots for a hole: half as many again as the tokens it replaces (at least 16), 64 where there is nothing."""
    if not text.strip():
        return 64
    return max(16, (3 * len(tokenizer.encode(text)) + 1) // 2)


def check_fits(
    slots: Sequence[int], spans: Sequence[Span], notes: Sequence[str], view: bytes, tokenizer: Tokenizer, window: int
) -> None:
    """InputError with the numbers for the first hole that no window can hold together with its note."""
    most = window - LEAST_CONTEXT
    for count, span, note in zip(slots, spans, notes, strict=True):
        above = note_tokens(view, span, note, tokenizer)
        if count + above > most:
            line = view.count(b"\n", 0, span.start) + 1
            needs = f"{count} slots" + (f" and {above} tokens for what is asked" if above else "")
            raise InputError(
                f"the hole at line {line} needs {needs}; this model takes {most} at most",
                hint="name fewer lines, or give --slots",
            )


def note_tokens(view: bytes, span: Span, note: str, tokenizer: Tokenizer) -> int:
    """Tokens that a hole's note takes, and the beginning of the hole's line with it; none without a note."""
    if not note:
        return 0
    return len(tokenizer.encode(with_note(view[view.rfind(b"\n", 0, span.start) + 1 : span.start], note)))


def with_note(before: bytes, note: str) -> bytes:
    """The text before a hole with a note's lines above the hole's line, indented alike."""
    if not note:
        return before
    start = before.rfind(b"\n") + 1
    line = before[start:]
    indent = line[: len(line) - len(line.lstrip())]
    return before[:start] + b"".join(indent + one for one in note.encode().splitlines(keepends=True)) + line


def with_notes(between: Sequence[bytes], notes: Sequence[str]) -> tuple[str, list[bytes]]:
    """The first hole's note, and the texts between holes with the others' in them; notes of a line stand above it."""
    above = list(notes)
    for number in reversed(range(1, len(notes))):
        if b"\n" not in between[number - 1]:
            above[number - 1] += above[number]
            above[number] = ""
    return above[0], [with_note(text, note) for text, note in zip(between, above[1:], strict=True)]


def share(
    view: bytes, spans: Sequence[Span], slots: Sequence[int], notes: Sequence[str], tokenizer: Tokenizer, window: int
) -> list[range]:
    """Group neighbouring holes that fit into one window together with the text and notes between them; file order."""
    gaps = [view[one.end : other.start] for one, other in pairwise(spans)]
    _, texts = with_notes(gaps, notes)
    groups: list[range] = []
    used = 0
    for index, (span, count) in enumerate(zip(spans, slots, strict=True)):
        if groups:
            text = texts[index - 1]
            between = len(tokenizer.encode(text)) if len(text) <= window * BYTES_PER_TOKEN else window
            if used + between + count + LEAST_CONTEXT <= window:
                groups[-1] = range(groups[-1].start, index + 1)
                used += between + count
                continue
        groups.append(range(index, index + 1))
        used = count + note_tokens(view, span, notes[index], tokenizer)
    return groups


def look(
    before: bytes,
    between: Sequence[bytes],
    after: bytes,
    slots: int,
    tokenizer: Tokenizer,
    window: int,
    context: int,
    outline: Sequence[Span] = (),
    note: str = "",
) -> list[tuple[int, ...]]:
    """Context pieces for a canvas, one more than holes, tokenized apart.

    The `note` and the line that it stands above are always seen. Of `before` and `after` take what fits, by whole
    lines, each half of the room first: at most `window` positions in all, of which at most `context` are outside
    slots, the note and the pieces between holes. Where `before` does not fit, up to
    a quarter of the room goes to the lines of its `outline`, most needed first, that would not be seen.
    """
    inner = [tuple(tokenizer.encode(piece)) for piece in between]
    line = before.rfind(b"\n") + 1 if note else len(before)
    noted = tokenizer.encode(with_note(before[line:], note))
    before = before[:line]
    room = min(context, window - slots - len(noted) - sum(map(len, inner))) - 2
    assert room > 0, "check_fits and share leave room"
    ahead = _tail_tokens(before, room, tokenizer)
    behind = _head_tokens(after, room, tokenizer)
    take_ahead = min(len(ahead), max(room // 2, room - len(behind)))
    take_behind = min(len(behind), room - take_ahead)
    kept, whole = _last_lines(ahead, take_ahead, tokenizer)
    if outline and not whole:
        far = _far_lines(before, _bytes(kept, tokenizer), outline, take_ahead // 4, tokenizer)
        kept = [*far, *_last_lines(ahead, take_ahead - len(far), tokenizer)[0]]
    first = [tokenizer.begin_id] if whole and len(before) <= room * BYTES_PER_TOKEN else []
    tail, ends = _first_lines(behind, take_behind, tokenizer)
    last = [tokenizer.end_id] if ends and len(after) <= room * BYTES_PER_TOKEN else []
    # Position 0 is never a slot: with nothing in front, the mark of the beginning stands there.
    head = (*first, *kept, *noted) or (tokenizer.begin_id,)
    return [head, *inner, (*tail, *last)]


BEFORE, BEHIND = 1500, 500
"""Tokens that a left-to-right model is shown in front of a hole, and behind it."""

MARKS = 8
"""Room for the marks around them."""


@dataclass(frozen=True, slots=True)
class Beside:
    """Ids of what stands before and behind a hole; `forced` bytes of before are left to the fill to begin with.

    A hole that begins inside a token, or behind an indent (which is one with the word behind it), is asked for from
    where that token begins.
    """

    before: tuple[int, ...]
    after: tuple[int, ...]
    forced: bytes


def beside(before: bytes, after: bytes, note: str, outline: Sequence[Span], tokenizer: Tokenizer, room: int) -> Beside:
    """What a left-to-right model is shown of a file: whole lines next to the hole and those of its outline before them.

    A quarter of a `room` that is too small for both goes to what is behind the hole.
    """
    line = before.rfind(b"\n") + 1
    start = before[line:]
    forced = start if not start.strip() else tokenizer.decode(tokenizer.encode(start)[-1:])
    noted = with_note(start, note).removesuffix(forced)
    behind = tokenizer.encode(_lines(after, min(BEHIND, room // 4), tokenizer, last=False))
    left = max(0, min(BEFORE, room - len(behind)) - len(tokenizer.encode(noted)) - MARKS)
    ahead = _lines(before[:line], left, tokenizer, last=True)
    if outline and len(ahead) < line:
        far = tokenizer.decode(_far_lines(before[:line], len(ahead), outline, left // 4, tokenizer))
        ahead = far + _lines(before[:line], left - len(tokenizer.encode(far)), tokenizer, last=True)
    return Beside(tuple(tokenizer.encode(ahead + noted)), tuple(behind), forced)


def _lines(text: bytes, room: int, tokenizer: Tokenizer, *, last: bool) -> bytes:
    """The last, or first, whole lines of a text that so many tokens hold."""
    reach = room * BYTES_PER_TOKEN
    start, end = (max(0, len(text) - reach), len(text)) if last else (0, min(reach, len(text)))
    part = text[_character(text, start) : end if end == len(text) else _character(text, end)]
    ids = tokenizer.encode(part)
    if len(part) == len(text) and len(ids) <= room:
        return text
    kept = tokenizer.decode(ids[max(0, len(ids) - room) :] if last else ids[:room])
    return kept[kept.find(b"\n") + 1 :] if last else kept[: kept.rfind(b"\n") + 1]


def near(view: bytes, span: Span, tokens: int) -> Span:
    """The span and so much on each side of it that it holds so many tokens there, from a character to a character."""
    reach = tokens * BYTES_PER_TOKEN
    start, end = max(0, span.start - reach), min(len(view), span.end + reach)
    return Span(_character(view, start), _character(view, end) if end < len(view) else end)


def _far_lines(before: bytes, seen: int, outline: Sequence[Span], room: int, tokenizer: Tokenizer) -> list[int]:
    """The lines of the outline in front of the last `seen` bytes, as many as fit into `room` tokens, in file order."""
    chosen: dict[Span, list[int]] = {}
    for span in outline:
        ids = tokenizer.encode(before[span.start : span.end])
        if span.end <= len(before) - seen and len(ids) <= room:
            chosen[span] = ids
            room -= len(ids)
    return [number for span in sorted(chosen, key=lambda span: span.start) for number in chosen[span]]


def _bytes(ids: Sequence[int], tokenizer: Tokenizer) -> int:
    return sum(len(tokenizer.pieces[number]) for number in ids)


def _tail_tokens(text: bytes, room: int, tokenizer: Tokenizer) -> list[int]:
    cut = max(0, len(text) - room * BYTES_PER_TOKEN)
    if cut:
        line = text.find(b"\n", cut)
        cut = line + 1 if line >= 0 else _character(text, cut)
    return tokenizer.encode(text[cut:])


def _head_tokens(text: bytes, room: int, tokenizer: Tokenizer) -> list[int]:
    cut = min(len(text), room * BYTES_PER_TOKEN)
    if cut < len(text):
        line = text.rfind(b"\n", 0, cut)
        cut = line + 1 if line >= 0 else _character(text, cut)
    return tokenizer.encode(text[:cut])


def _character(text: bytes, at: int) -> int:
    """The start of the character that `at` falls into."""
    while at > 0 and text[at] & 0xC0 == 0x80:
        at -= 1
    return at


def _last_lines(ids: list[int], room: int, tokenizer: Tokenizer) -> tuple[list[int], bool]:
    """The last `room` tokens, from a line start if there is one among them; and whether that is all."""
    if len(ids) <= room:
        return ids, True
    kept = ids[len(ids) - room :]
    for index, number in enumerate(kept):
        if tokenizer.pieces[number] == b"\n":
            return kept[index + 1 :], False
    return kept, False


def _first_lines(ids: list[int], room: int, tokenizer: Tokenizer) -> tuple[list[int], bool]:
    """The first `room` tokens, to a line end if there is one among them; and whether that is all."""
    if len(ids) <= room:
        return ids, True
    kept = ids[:room]
    for index in range(len(kept) - 1, -1, -1):
        if tokenizer.pieces[kept[index]] == b"\n":
            return kept[: index + 1], False
    return kept, False
