"""Rewrite a region as an instruction says: all of it, or only what the model finds least likely there."""

import time
from collections.abc import Generator, Iterator
from dataclasses import replace
from textwrap import dedent

import torch

from dcode.diffusion.plan import Plan
from dcode.errors import InputError, ModelError, UsageError
from dcode.jobs import window
from dcode.jobs.infill import fill_spans
from dcode.jobs.request import SLOTS as LONGEST
from dcode.jobs.request import Written, answers, asked
from dcode.model.load import Model
from dcode.syntax.check import GrammarChecker, file_faults
from dcode.syntax.grammar import Grammar
from dcode.syntax.identity import filled
from dcode.syntax.scope import definitions
from dcode.syntax.unbound import unbound
from dcode.text.frame import Frame
from dcode.text.prompt import edit_prompt
from dcode.text.result import Region, Result, Verdict
from dcode.text.source import Source
from dcode.text.span import Span

KNOWN_BYTES = 6000
"""A larger definition around a region is not shown to the model."""

ROOM = 32
"""Slots for what an instruction adds, beyond what a hole over the same text gets."""

GROUPS = 8
"""Lexemes are scored in so many interleaved groups, each masked in a row of its own: one forward a group."""


def edit(
    source: Source,
    span: Span,
    instruction: str,
    model: Model,
    grammar: Grammar | None,
    plan: Plan,
    *,
    strength: float = 1.0,
    slots: int | None = None,
    count: int = 1,
    feedback: bool = True,
    deadline: float | None = None,
) -> Iterator[Frame | Result]:
    """Rewrite `span` of the view; Frames while it works, then `count` Results, best first.

    `strength` 1 rewrites all of it; less, that share of its tokens, the least likely ones under the instruction: the
    rest keeps its bytes.

    Raises InputError for an empty instruction or region, or one that fits no window.
    """
    old = source.view[span.start : span.end]
    if not instruction.strip():
        raise InputError(f"the instruction {instruction!r} is empty", hint='say what to change: "add type hints"')
    if not old.strip():
        raise InputError("there is nothing to edit in the region", hint="dcode infill fills empty places")
    comment = grammar.comment if grammar else "#"
    checked = grammar if feedback else None
    if model.is_causal:
        if strength < 1:
            raise UsageError(f"{model.checkpoint.name} rewrites a whole region", hint="leave --strength out")
        if model.framing is None or not model.framing.change:
            name = model.checkpoint.name
            raise ModelError(f"nothing says how {name} is asked for a change", hint="dcode gen may work with it")
        assert grammar is not None
        yield from _from_the_left(source, span, instruction, model, grammar, plan, slots, count, feedback, deadline)
        return
    if strength >= 1:
        line = source.view.rfind(b"\n", 0, span.start) + 1
        indent = source.view[line : span.start]
        note = edit_prompt(instruction, (indent + old if not indent.strip() else old).decode(), comment)
        slots = slots or _slots(source.view, span, note, model)
        stream = fill_spans(source, [span], model, checked, plan, [note], (), slots, count, deadline)
        for seen in stream:
            yield _with_unbound(seen, source, grammar) if isinstance(seen, Result) else seen
        return
    note = edit_prompt(instruction, "", comment)
    spans = least_likely(source.view, span, note, model, strength)
    for seen in fill_spans(source, spans, model, checked, plan, [note], (), slots, count, deadline):
        yield replace(seen, forwards=seen.forwards + GROUPS) if isinstance(seen, Result) else seen


def _from_the_left(
    source: Source,
    span: Span,
    instruction: str,
    model: Model,
    grammar: Grammar,
    plan: Plan,
    slots: int | None,
    count: int,
    feedback: bool,
    deadline: float | None,
) -> Generator[Frame | Result, None, None]:
    """The region as a left-to-right base rewrites it on request: it sees the definition around it, too."""
    assert model.framing is not None
    begun, view = time.monotonic(), source.view
    line = view.rfind(b"\n", 0, span.start) + 1
    indent = view[line : span.start] if not view[line : span.start].strip() else b""
    old = indent + view[span.start : span.end]
    around = _enclosing(grammar, view, span)
    known = asked(model.framing.known, grammar, name=source.name, text=around) if around else ""
    words = known + asked(model.framing.change, grammar, request=instruction.strip(), old=dedent(old.decode()))
    most = slots or min(LONGEST, window.default_slots(old, model.tokenizer) + 4 * ROOM)
    checker = GrammarChecker(grammar, view, [span]) if feedback else None
    before = file_faults(grammar, view)

    def judge(one: Written) -> Result:
        draft = filled(view, [span], [new := _indented(one.text, indent)])
        said: Verdict = "verified" if checker else "unchecked"
        if (checker and checker.faults(draft)) or one.stopped != "clean" or not new.strip():
            said = "failed"
        region = Region(span, view[span.start : span.end], new, said, one.confidence)
        after, seconds = file_faults(grammar, draft.data), {"total": time.monotonic() - begun}
        result = Result((region,), draft.data, before, after, 0, 0, seconds, one.stopped)
        return _with_unbound(result, source, grammar)

    def changes(one: Result) -> bool:
        return one.verdict != "failed" and one.view != view

    yield from answers(
        words, model, grammar, plan, count, most, deadline, judge, changes, (view[:line], view[span.end :])
    )


def _enclosing(grammar: Grammar, view: bytes, span: Span) -> str:
    """The smallest definition around a region that is more than the region; "" if none is, or none is small."""
    around = [
        one.span for one in definitions(grammar, view) if one.span.start <= span.start and span.end <= one.span.end
    ]
    best = min((one for one in around if len(one) > len(span)), key=len, default=None)
    return view[best.start : best.end].decode() if best and len(best) <= KNOWN_BYTES else ""


def _indented(text: bytes, indent: bytes) -> bytes:
    """Code at a region's indent; its first line stands behind that already."""
    lines = dedent(text.decode("utf-8", "ignore").strip("\n")).rstrip().encode().split(b"\n")
    return b"\n".join(lines[:1] + [indent + line if line.strip() else b"" for line in lines[1:]])


def _with_unbound(result: Result, source: Source, grammar: Grammar | None) -> Result:
    """The result with the names that its text uses, that nothing brings, and that the file did not lack before."""
    if grammar is None:
        return result
    before = unbound(grammar, source.view)
    return replace(result, unbound=tuple(name for name in unbound(grammar, result.view) if name not in before))


def _slots(view: bytes, span: Span, note: str, model: Model) -> int:
    """More than the region has tokens, as far as the window has room beside the note; never less than it has."""
    old = view[span.start : span.end]
    room = model.window - window.LEAST_CONTEXT - window.note_tokens(view, span, note, model.tokenizer)
    usual = window.default_slots(old, model.tokenizer) + ROOM
    return max(len(model.tokenizer.encode(old)), min(usual, room))


def least_likely(view: bytes, span: Span, note: str, model: Model, share: float) -> list[Span]:
    """The lexemes of `span` that the model would least expect, `share` of its tokens (at least one); runs joined.

    Each lexeme is scored by its least likely token while it and every eighth lexeme are masked.
    """
    tokenizer = model.tokenizer
    ids = tokenizer.encode(view[span.start : span.end])
    window.check_fits([len(ids)], [span], [note], view, tokenizer, model.window)
    lexemes = whole_lexemes([tokenizer.pieces[number] for number in ids])
    context = model.checkpoint.defaults.get("context", model.window)
    before, after = window.look(
        view[: span.start], [], view[span.end :], len(ids), tokenizer, model.window, context, note=note
    )
    row = torch.tensor([*before, *ids, *after])
    want_GL = torch.zeros((GROUPS, len(row)), dtype=torch.bool)
    for number, lexeme in enumerate(lexemes):
        want_GL[number % GROUPS, len(before) + lexeme.start : len(before) + lexeme.stop] = True
    masked_GL = torch.where(want_GL, tokenizer.mask_id, row)
    logits_NV = model.predict(masked_GL, want_GL)
    asked_N = row.expand_as(want_GL)[want_GL]
    likely = torch.log_softmax(logits_NV, dim=-1).gather(1, asked_N[:, None])[:, 0]
    scores = torch.zeros(len(row)).index_copy(0, want_GL.nonzero()[:, 1], likely)[len(before) :]
    ranked = sorted(lexemes, key=lambda lexeme: (float(scores[lexeme.start : lexeme.stop].min()), lexeme.start))
    chosen: list[range] = []
    for lexeme in ranked:
        if chosen and sum(map(len, chosen)) + len(lexeme) > share * len(ids):
            break
        chosen.append(lexeme)
    return _runs(span.start, [len(tokenizer.pieces[number]) for number in ids], chosen)


def whole_lexemes(pieces: list[bytes]) -> list[range]:
    """Tokens that make up one word together, and every other token by itself; blank ones belong to none."""
    found: list[range] = []
    for index, piece in enumerate(pieces):
        text = piece.decode("utf-8", "replace")
        if not text.strip():
            continue
        earlier = pieces[index - 1].decode("utf-8", "replace") if index else ""
        joined = found and found[-1].stop == index and _in_word(earlier[-1:]) and _in_word(text[:1])
        if joined:
            found[-1] = range(found[-1].start, index + 1)
        else:
            found.append(range(index, index + 1))
    return found


def _in_word(character: str) -> bool:
    return character.isalnum() or character in ("_", "\ufffd")


def _runs(start: int, sizes: list[int], chosen: list[range]) -> list[Span]:
    """The bytes of the chosen tokens; neighbours are one span."""
    offsets = [start]
    for size in sizes:
        offsets.append(offsets[-1] + size)
    spans: list[Span] = []
    for lexeme in sorted(chosen, key=lambda lexeme: lexeme.start):
        own = Span(offsets[lexeme.start], offsets[lexeme.stop])
        if spans and spans[-1].end == own.start:
            spans[-1] = Span(spans[-1].start, own.end)
        else:
            spans.append(own)
    return spans
