"""Which part of a long file the model sees: the holes that share a window, and whole lines around them.

Everything is in bytes of the view and tokens of the model. It knows no languages and no sampling.
"""

from collections.abc import Sequence

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


def check_fits(slots: Sequence[int], spans: Sequence[Span], view: bytes, window: int) -> None:
    """InputError with both numbers for the first hole that no window can hold."""
    for count, span in zip(slots, spans, strict=True):
        if count > window - LEAST_CONTEXT:
            line = view.count(b"\n", 0, span.start) + 1
            raise InputError(
                f"the hole at line {line} needs {count} slots; this model takes {window - LEAST_CONTEXT} at most",
                hint="name fewer lines, or give --slots",
            )


def share(view: bytes, spans: Sequence[Span], slots: Sequence[int], tokenizer: Tokenizer, window: int) -> list[range]:
    """Group neighbouring holes that fit into one window together with the text between them; file order."""
    groups: list[range] = []
    used = 0
    for index, (span, count) in enumerate(zip(spans, slots, strict=True)):
        if groups:
            gap = view[spans[index - 1].end : span.start]
            between = len(tokenizer.encode(gap)) if len(gap) <= window * BYTES_PER_TOKEN else window
            if used + between + count + LEAST_CONTEXT <= window:
                groups[-1] = range(groups[-1].start, index + 1)
                used += between + count
                continue
        groups.append(range(index, index + 1))
        used = count
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
) -> list[tuple[int, ...]]:
    """Context pieces for a canvas, one more than holes, tokenized apart.

    Of `before` and `after` take what fits, by whole lines, each half of the room first: at most `window` positions in
    all, of which at most `context` are outside slots and the pieces between holes. Where `before` does not fit, up to
    a quarter of the room goes to the lines of its `outline`, most needed first, that would not be seen.
    """
    inner = [tuple(tokenizer.encode(piece)) for piece in between]
    room = min(context, window - slots - sum(map(len, inner))) - 2
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
    head = (*first, *kept) or (tokenizer.begin_id,)
    return [head, *inner, (*tail, *last)]


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
