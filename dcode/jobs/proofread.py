"""How much a model doubts text once it stands: it reads it again, nothing masked.

Only for a model that saw wrong tokens in training and had to name the right ones (arXiv 2512.15596); what others say of
a token in sight means little. Shapes: B rows, L positions, N tokens that count.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

import torch

from dcode.jobs import window
from dcode.model.load import Model
from dcode.model.tokenizer import Tokenizer
from dcode.text.edit import Edit

AROUND, NEAR = 80, 4
"""Tokens on each side of a change that are read, and of those that count."""


def doubts(view: bytes, edits: Sequence[Edit], model: Model) -> tuple[dict[Edit, float], int]:
    """How unlikely each edit is, in nats: its own tokens and those beside it; also the forwards, one a length."""
    rows = {edit: _row(view, edit, model.tokenizer) for edit in edits}
    found: dict[Edit, float] = {}
    lengths = sorted({len(ids) for ids, _ in rows.values()})
    for length in lengths:
        alike = [edit for edit in edits if len(rows[edit][0]) == length]
        ids_BL = torch.tensor([rows[edit][0] for edit in alike])
        want_BL = torch.zeros_like(ids_BL, dtype=torch.bool)
        for row, edit in enumerate(alike):
            want_BL[row, rows[edit][1]] = True
        logits_NV = model.predict(ids_BL, want_BL)
        log_p_N = torch.log_softmax(logits_NV.float(), dim=-1).gather(1, ids_BL[want_BL][:, None])[:, 0]
        each = torch.split(log_p_N, want_BL.sum(1).tolist())
        found |= {edit: -float(one.sum()) for edit, one in zip(alike, each, strict=True)}
    return found, len(lengths)


def _row(view: bytes, edit: Edit, tokenizer: Tokenizer) -> tuple[list[int], slice]:
    """The ids around what an edit makes of the text, and which of them count."""
    seen = window.near(view, edit.span, AROUND)
    ids = tokenizer.encode(view[seen.start : edit.span.start] + edit.new + view[edit.span.end : seen.end])
    ends = [*accumulate(len(tokenizer.pieces[number]) for number in ids)]
    at = edit.span.start - seen.start
    first = max(0, min(bisect_right(ends, at), len(ids) - 1))
    behind = max(first, bisect_left(ends, at + len(edit.new))) + 1
    start, stop = max(0, first - AROUND), min(len(ids), behind + AROUND)
    head = [tokenizer.begin_id] if seen.start == start == 0 else []
    tail = [tokenizer.end_id] if seen.end == len(view) and stop == len(ids) else []
    moved = len(head) - start
    counted = slice(max(0, first - NEAR) + moved, min(len(ids), behind + NEAR) + moved)
    return [*head, *ids[start:stop], *tail], counted
