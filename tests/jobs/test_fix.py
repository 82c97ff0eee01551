"""Repairs: the text parses or stays as it was, little is changed, and who knows the text gets it back."""

import random
import time
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from dcode.diffusion.plan import Plan
from dcode.evaluate.fix import KINDS, Language, damaged
from dcode.jobs.fix import Mended, fix, merged
from dcode.syntax.check import file_faults
from dcode.syntax.grammar import grammar
from dcode.syntax.lexer import lexemes
from dcode.text.edit import Edit, splice
from dcode.text.result import Result
from dcode.text.source import Source
from dcode.text.span import Span
from tests.oracle import ROW, random_model, tokenizer

PYTHON = grammar("python")
LANGUAGE = Language(
    lexemes=lambda view: lexemes(PYTHON, view, Span(0, len(view))),
    common=PYTHON.lexemes,
    is_broken=lambda view: bool(file_faults(PYTHON, view)),
)
FILE = b"""import os


def total(rows, key=None):
    found = 0
    for row in rows:
        if key is not None and row[key] > 1:
            found += row[key]
    return found


print(total([{"a": 2}], "a"), os.sep)
"""


class Knower:
    """Knows one text: of a row it gives that which the text has between what stands before the masks and behind."""

    window, block, digest, checkpoint = 1024, 0, "0" * 64, ROW
    is_causal = False

    def __init__(self, text: bytes) -> None:
        self.text, self.tokenizer = text, tokenizer()
        self.vocab = len(self.tokenizer.pieces)

    def predict(self, ids_BL: Tensor, want_BL: Tensor, **_: Any) -> Tensor:
        """Peaked logits at the text's ids and voids, or flat ones where it does not fit."""
        (ids,), (want,) = ids_BL.tolist(), want_BL.tolist()
        first, slots = want.index(True), sum(want)
        before, after = self.tokenizer.decode(ids[:first]), self.tokenizer.decode(ids[first + slots :])
        logits = torch.zeros(slots, self.vocab)
        start = self.text.find(before) + len(before)
        end = self.text.find(after, start) if after else len(self.text)
        if before in self.text and end >= 0:
            known = self.tokenizer.encode(self.text[start:end])
            if len(known) <= slots:
                known += [self.tokenizer.void_id] * (slots - len(known))
                logits[torch.arange(slots), torch.tensor(known)] = 20.0
        return logits


def repaired(view: bytes, model: Any, **options: Any) -> Result:
    stream = list(fix(Source.of(view, "a.py"), model, PYTHON, Plan(), **options))
    assert all(not isinstance(seen, Result) for seen in stream[:-1])
    assert isinstance(stream[-1], Result)
    return stream[-1]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"rows, key=None):", b"rows, key=None:"),
        (b"rows, key=None):", b"rows key=None):"),
        (b"total(rows,", b"totalrows,"),
        (b"found = 0", b"found  0"),
        (b"found = 0", b"found == = 0"),
        (b"for row in rows", b"for row row in rows"),
        (b"for row in rows", b"for row None rows"),
        (b"not None and", b"not and"),
        (b"row[key] > 1", b"row[key > 1"),
        (b"    return found", b"     return found"),
        (b"    return found", b"    return ("),
        (b'"a"), os', b'"a", os'),
        (b'{"a": 2}', b'{"a":: 2}'),
        (b"import os", b"import "),
    ],
)
def test_who_knows_the_text_gets_it_back(old: bytes, new: bytes) -> None:
    broken = FILE.replace(old, new, 1)
    assert file_faults(PYTHON, broken)
    result = repaired(broken, Knower(FILE))
    assert result.view == FILE
    assert (result.verdict, result.faults_after, len(result.regions), result.repairs) == ("verified", (), 1, 1)
    assert result.forwards > 0 and result.faults_before


def test_several_faults_are_mended_one_after_another() -> None:
    broken = FILE.replace(b"import os", b"import os,", 1).replace(b"rows:", b"rows", 1).replace(b"[{", b"[", 1)
    result = repaired(broken, Knower(FILE))
    assert not file_faults(PYTHON, result.view)
    assert result.verdict == "verified" and 2 <= len(result.regions) <= 4
    assert splice(Source.of(broken, "a.py"), result.edits) == result.view


@settings(max_examples=5)
@given(seed=st.integers(0, 400), kind=st.sampled_from(KINDS))
def test_a_model_that_knows_nothing_still_changes_little_and_breaks_nothing(seed: int, kind: str) -> None:
    broken = damaged(FILE, kind, LANGUAGE, random.Random(seed))
    assert broken is not None
    source = Source.of(broken.replace(b"\n", b"\r\n"), "a.py")
    result = next(seen for seen in fix(source, random_model(), PYTHON, Plan()) if isinstance(seen, Result))
    assert splice(source, result.edits).replace(b"\r\n", b"\n") == result.view
    if result.verdict == "failed":
        assert result.view == broken
    else:
        assert not file_faults(PYTHON, result.view)


def test_what_parses_is_left_alone_and_needs_no_model() -> None:
    result = repaired(FILE, None)
    assert (result.regions, result.view, result.forwards) == ((), FILE, 0)


def test_a_text_that_resists_is_given_up_after_so_many_forwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dcode.jobs.fix.FORWARDS", 1)
    broken = b"x = 1\ny = ) ] } = (\n"
    result = repaired(broken, random_model())
    assert (result.view, result.verdict, result.stopped) == (broken, "failed", "forwards")


def test_out_of_time_leaves_the_file_as_it_was() -> None:
    broken = FILE.replace(b"):", b":", 1)
    result = repaired(broken, None, deadline=time.monotonic() - 1)
    assert (result.view, result.verdict, result.stopped) == (broken, "failed", "time")
    assert all(region.old == region.new for region in result.regions)


@given(
    st.binary(max_size=30),
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 6), st.binary(max_size=5)), max_size=6),
)
def test_regions_are_the_edits_of_all_rounds(original: bytes, steps: list[tuple[int, int, bytes]]) -> None:
    now = Mended(original, (), ())
    for start, length, new in steps:
        at = min(start, len(now.view))
        edit = Edit(Span(at, min(at + length, len(now.view))), new)
        view = now.view[: edit.span.start] + new + now.view[edit.span.end :]
        now = Mended(view, merged(now, edit, 1.0), ())
    text, moved = original, 0
    for region in now.regions:
        assert original[region.span.start : region.span.end] == region.old
        start = region.span.start + moved
        text = text[:start] + region.new + text[start + len(region.old) :]
        moved += len(region.new) - len(region.old)
    assert text == now.view
