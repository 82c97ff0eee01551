"""Which of many small changes is the likeliest: what a model says of each in its place, and what the file's style says.

Every place is masked, in a row of its own; the likeliest changes are read again, if the model has learned to doubt what
it sees. It samples nothing. Shapes: L positions, N masked slots, V vocabulary.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor

from dcode.diffusion.reader import Branch, read
from dcode.jobs import window
from dcode.jobs.fim import prefill
from dcode.jobs.proofread import doubts
from dcode.model.load import Model
from dcode.syntax.grammar import Grammar
from dcode.syntax.lines import line_end, line_start
from dcode.syntax.spacing import Habits, oddities
from dcode.text.edit import Edit
from dcode.text.span import Span

CONTEXT = 192
"""Tokens of surroundings that a masked place is judged by: names that fit stand further away than signs."""

SLOTS = 8
"""The longest text, in tokens, that is told from one with the same beginning."""

BEHIND = 12
"""Tokens behind a change that a left-to-right base reads to judge it."""

LATER = 0.3
"""What the slots behind the first count: they are guessed without knowing it."""

UNLIKELIEST = -8.0
"""No text that stands there already counts as less likely: everybody writes what a model does not expect."""

REPEATED, ODD = 6.0, 3.0
"""In nats: for a change that takes out one of two equal neighbours, and against each odd blank that one leaves.

These and the three above suited 120 damaged library files best, and others about as well."""

JUDGED = 64
"""So many, the likeliest by the model, are judged by style too."""

READ, CLOSE = 8, 6.0
"""So many at most, no further than so many nats behind the likeliest, are made and read again."""

MASKED = 0.5
"""What a masked place counts beside the reading: both tell of the same tokens. Of 157 damaged library files whose right
change was among those ranked it came first in 120 by masked places alone, in 140 when read again."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Changes, the likeliest first, with the share each has among all; and what it cost."""

    edits: tuple[tuple[Edit, float], ...]
    forwards: int


def ranked(grammar: Grammar, view: bytes, edits: Iterable[Edit], model: Model) -> Ranking:
    """The edits of the view by how much better they suit it than what they replace."""
    edits = [*dict.fromkeys(edits)]
    by_model: dict[Edit, float] = {}
    if model.is_causal:
        forwards = int(bool(edits))
        by_model = read_gains(view, edits[:JUDGED], model) if edits else {}
    else:
        places: dict[Span, list[Edit]] = {}
        for edit in edits:
            places.setdefault(_hole(view, edit.span), []).append(edit)
        forwards = len(places)
        for span, group in places.items():
            by_model |= _gains(view, span, group, model)
    likeliest = sorted(by_model, key=lambda edit: -by_model[edit])[:JUDGED]
    habits = Habits.of(grammar, view)
    style = {edit: _style(grammar, view, edit, habits) for edit in likeliest}
    scores, read = _scores({edit: by_model[edit] for edit in likeliest}, style, view, model)
    shares = torch.softmax(torch.tensor([*scores.values()]), dim=0).tolist()
    found = sorted(zip(scores, shares, strict=True), key=lambda pair: -pair[1])
    return Ranking(tuple(found), forwards + read)


def _scores(
    gains: Mapping[Edit, float], style: Mapping[Edit, float], view: bytes, model: Model
) -> tuple[dict[Edit, float], int]:
    """What speaks for each edit, in nats, and the forwards it took to read the likeliest again."""
    scores = {edit: gains[edit] + style[edit] for edit in gains}
    best = sorted(scores, key=lambda edit: -scores[edit])[:READ]
    close = [edit for edit in best if scores[edit] > scores[best[0]] - CLOSE]
    if len(close) < 2 or not model.checkpoint.defaults.get("proofread", False):
        return scores, 0
    doubted, forwards = doubts(view, close, model)
    # One that was not read counts as doubted as the most doubtful of them.
    most = max(doubted.values())
    return {edit: MASKED * gains[edit] + style[edit] - doubted.get(edit, most) for edit in gains}, forwards


def read_gains(view: bytes, edits: Sequence[Edit], model: Model) -> dict[Edit, float]:
    """How much likelier a left-to-right base finds the text with each edit than the text as it is, in nats.

    It reads from the line of the first edit to some tokens behind the last one, all edits in one forward.
    """
    tokenizer, lane = model.tokenizer, model.lane()
    first = line_start(view, min(edit.span.start for edit in edits))
    last = line_end(view, max(edit.span.end for edit in edits))
    shown = window.beside(view[:first], b"", "", (), tokenizer, min(model.window, CONTEXT + window.MARKS))
    prefill(model, [tokenizer.end_id, *shown.before], lane)
    trunk = tokenizer.encode(view[first : window.near(view, Span(first, last), BEHIND).end])
    ends = [*accumulate((len(tokenizer.pieces[n]) for n in trunk), initial=first)]
    branches, until = [], []
    for edit in edits:
        keep = max(0, bisect_right(ends, edit.span.start) - 2)  # the token in front of it may join with it
        stop = min(len(trunk), bisect_left(ends, edit.span.end) + BEHIND)
        text = view[ends[keep] : edit.span.start] + edit.new + view[edit.span.end : ends[stop]]
        ids = tokenizer.encode(text.decode("utf-8", "ignore").encode())
        branches.append(Branch(keep, tuple(ids or [tokenizer.end_id])))
        until.append(stop)
    log_p, new = read(trunk, branches, model, lane)
    return {
        edit: float(after.sum() - log_p[branch.after : stop].sum())
        for edit, branch, stop, after in zip(edits, branches, until, new, strict=True)
    }


def _gains(view: bytes, span: Span, edits: Sequence[Edit], model: Model) -> dict[Edit, float]:
    """Log p of each text that an edit puts into the span, less log p of what is there; one forward."""
    texts = [view[span.start : edit.span.start] + edit.new + view[edit.span.end : span.end] for edit in edits]
    old, *new = (model.tokenizer.encode(text) for text in (view[span.start : span.end], *texts))
    log_p_NV = _marginals(view, span, min(SLOTS, max(map(len, [old, *new])) + 1), model)
    now = max(_likelihood(log_p_NV, old, model.tokenizer.void_id), UNLIKELIEST)
    return {
        edit: _likelihood(log_p_NV, ids, model.tokenizer.void_id) - now for edit, ids in zip(edits, new, strict=True)
    }


def _likelihood(log_p_NV: Tensor, ids: Sequence[int], void_id: int | None) -> float:
    """Log p of a text in the first slots and voids in the others, which counts less."""
    slots = len(log_p_NV)
    wanted = [*ids[:slots], *([] if void_id is None else [void_id] * (slots - len(ids)))]
    if not wanted:
        return 0.0
    log_p_N = log_p_NV[torch.arange(len(wanted)), torch.tensor(wanted)]
    return float(log_p_N[0] + LATER * log_p_N[1:].sum())


def _marginals(view: bytes, span: Span, slots: int, model: Model) -> Tensor:
    """Log probabilities [N, V] of the slots in place of the span."""
    tokenizer = model.tokenizer
    before, after = window.look(view[: span.start], [], view[span.end :], slots, tokenizer, model.window, CONTEXT)
    row_L = torch.tensor([*before, *[tokenizer.mask_id] * slots, *after])
    logits_NV = model.predict(row_L[None], torch.eq(row_L, tokenizer.mask_id)[None])
    return torch.log_softmax(logits_NV, dim=-1)


def _hole(view: bytes, span: Span) -> Span:
    """The span with the blank before it, which a vocabulary joins with what follows it."""
    return Span(span.start - 1, span.end) if view[max(0, span.start - 1) : span.start] == b" " else span


def _style(grammar: Grammar, view: bytes, edit: Edit, habits: Habits) -> float:
    """What speaks for an edit besides the model, in nats."""
    start, end = line_start(view, edit.span.start), line_end(view, edit.span.end)
    before, after = view[start : edit.span.start], view[edit.span.end : end]
    odd = oddities(grammar, before + edit.new + after, habits) - oddities(grammar, view[start:end], habits)
    old = view[edit.span.start : edit.span.end].strip()
    repeated = old and not edit.new.strip() and (before.rstrip().endswith(old) or after.lstrip().startswith(old))
    return REPEATED * bool(repeated) - ODD * odd
