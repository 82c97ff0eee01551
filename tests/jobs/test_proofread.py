"""Reading changes again: what counts are the tokens that an edit made and those beside it, and who doubts what it sees
decides between changes that a masked place cannot tell apart."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from dcode.jobs import window
from dcode.jobs.proofread import AROUND, NEAR, _row, doubts
from dcode.jobs.rank import ranked
from dcode.syntax.grammar import grammar
from dcode.text.edit import Edit
from dcode.text.span import Span
from tests.oracle import ROW, tokenizer

PYTHON = grammar("python")
TEXT = "".join(
    f"def f{n}(rows):\n    return [row + {n} for row in rows if 'ü€' in row]\n\n\n" for n in range(20)
).encode()


class Reader:
    """Masked places tell it nothing; in sight it doubts every token of a row that is no part of its text."""

    window, block, digest = 1024, 0, "0" * 64
    is_causal = False

    def __init__(self, text: bytes, *, proofreads: bool) -> None:
        self.text, self.tokenizer = text, tokenizer()
        self.vocab = len(self.tokenizer.pieces)
        self.checkpoint = replace(ROW, defaults={"proofread": proofreads})

    def predict(self, ids_BL: Tensor, want_BL: Tensor, **_: Any) -> Tensor:
        logits = []
        for ids, want in zip(ids_BL.tolist(), want_BL.tolist(), strict=True):
            known = self.tokenizer.mask_id not in ids and self.tokenizer.decode(ids) in self.text
            row = torch.zeros(sum(want), self.vocab)
            wanted = [number for number, one in zip(ids, want, strict=True) if one]
            row[torch.arange(len(wanted)), torch.tensor(wanted)] = 20.0 * known
            logits.append(row)
        return torch.cat(logits)


def characters(view: bytes) -> list[int]:
    """Where a character begins, and the end."""
    return [at for at in range(len(view) + 1) if at == len(view) or view[at] & 0xC0 != 0x80]


@given(st.data())
def test_what_counts_is_what_the_edit_made_and_a_few_tokens_beside_it(data: st.DataObject) -> None:
    known = tokenizer()
    view = TEXT[: data.draw(st.sampled_from([0, 20, 60, len(TEXT)]))]
    start, end = sorted(data.draw(st.tuples(st.sampled_from(characters(view)), st.sampled_from(characters(view)))))
    end = min(end, start + 12) if min(end, start + 12) in characters(view) else start
    edit = Edit(Span(start, end), data.draw(st.sampled_from([b"", b"x", b"rows", "‹ö›".encode(), b"\n\n    pass"])))
    after = view[:start] + edit.new + view[end:]
    ids, counted = _row(view, edit, known)
    bare = [number for number in ids if number not in (known.begin_id, known.end_id)]
    assert known.decode(bare) in after
    assert len(bare) <= 2 * AROUND + len(known.encode(edit.new)) + 2
    some = ids[counted]
    assert not {known.begin_id, known.end_id} & set(some)
    assert edit.new in known.decode(some) or not after
    assert len(some) <= len(edit.new) + 2 * NEAR + 2
    if len(view) <= 60:
        assert known.decode(ids) == after and (ids[0], ids[-1]) == (known.begin_id, known.end_id)


def test_a_change_that_does_not_suit_is_doubted() -> None:
    at = TEXT.index(b"row + 7")
    broken = TEXT[: at + 4] + b"+ + 7" + TEXT[at + 7 :]
    right, wrong = Edit(Span(at + 4, at + 6), b""), Edit(Span(at + 6, at + 7), b"rows")
    model = Reader(TEXT, proofreads=True)
    found, forwards = doubts(broken, [right, wrong], model)  # type: ignore[arg-type]
    assert found[right] < 0.1 < 10 < found[wrong]
    assert 1 <= forwards <= 2


@pytest.mark.parametrize("proofreads", [True, False])
def test_only_a_model_that_has_learned_to_doubt_is_asked(proofreads: bool) -> None:
    at = TEXT.index(b"f7(rows)")
    broken = TEXT[: at + 3] + b")" + TEXT[at + 7 :]
    place = Span(at + 3, at + 4)
    edits = [Edit(place, word) for word in (b"None", b"row", b"rows", b"self")]
    ranking = ranked(PYTHON, broken, edits, Reader(TEXT, proofreads=proofreads))  # type: ignore[arg-type]
    best, share = ranking.edits[0]
    assert (best.new == b"rows" and share > 0.9) is proofreads
    assert ranking.forwards > 1 if proofreads else ranking.forwards == 1


def test_what_is_near_ends_between_characters() -> None:
    view = "ü".encode() * 4000
    for at in range(0, 200, 2):
        seen = window.near(view, Span(3000 + at, 3000 + at), 10)
        assert seen.start % 2 == seen.end % 2 == 0 and 118 <= len(seen) <= 122
    assert window.near(b"abc", Span(1, 2), 10) == Span(0, 3)
