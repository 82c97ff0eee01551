"""Edits: the whole region by an instruction, or its least likely tokens, and nothing else."""

import itertools
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from dcode.diffusion.plan import Plan
from dcode.errors import InputError
from dcode.jobs.edit import GROUPS, edit, least_likely, whole_lexemes
from dcode.jobs.restore import PARTS
from dcode.syntax.grammar import grammar
from dcode.text.ranges import lines_span
from dcode.text.result import Result
from dcode.text.source import Source
from dcode.text.span import Span
from tests.oracle import ROW, Oracle, random_model, tokenizer

PYTHON = grammar("python")
FILE = b"def half(x):\n    return x / 2\n\n\ndef twice(x):\n    result = x * 2\n    return result\n"


def results(stream: object) -> list[Result]:
    return [seen for seen in stream if isinstance(seen, Result)]  # type: ignore[attr-defined]


def test_the_whole_region_is_written_anew() -> None:
    model = Oracle([b"def half(x: float) -> float:\n    return x / 2"])
    (result,) = results(edit(Source.of(FILE, "a.py"), lines_span(FILE, "1-2"), "add hints", model, PYTHON, Plan()))
    assert result.view == FILE.replace(b"half(x)", b"half(x: float) -> float")
    assert result.verdict == "verified"


@given(seed=st.integers(0, 20), share=st.floats(0.05, 0.95))
def test_a_weaker_edit_touches_only_its_share_of_the_region(seed: int, share: float) -> None:
    model = random_model(seed)
    region = lines_span(FILE, "5-7")
    spans = least_likely(FILE, region, "# edit: x\n", model, share)
    asked = sum(len(tokenizer().encode(FILE[s.start : s.end])) for s in spans)
    assert spans and all(region.start <= s.start < s.end <= region.end for s in spans)
    longest = max(len(lexeme) for lexeme in whole_lexemes(pieces(FILE[region.start : region.end])))
    most = max(longest, share * len(tokenizer().encode(FILE[region.start : region.end])))
    assert asked <= most + len(spans)  # cut apart, a text may take a token more
    assert all(FILE[s.start : s.end].strip() for s in spans)


def test_a_weaker_edit_counts_the_forwards_of_its_scores_and_keeps_the_rest() -> None:
    source, region = Source.of(FILE, "a.py"), lines_span(FILE, "6")
    plain = edit(source, region, "x", random_model(), PYTHON, Plan(steps=1), strength=0.2, feedback=False, slots=1)
    (result,) = results(plain)
    assert result.forwards == 1 + GROUPS
    kept, at = [], 0
    for part in result.regions:
        kept.append(FILE[at : part.span.start])
        at = part.span.end
    assert result.view.startswith(kept[0]) and result.view.endswith(FILE[at:])


def pieces(text: bytes) -> list[bytes]:
    return [tokenizer().pieces[number] for number in tokenizer().encode(text)]


@given(st.binary().map(lambda data: data.decode("latin-1").encode()))
def test_lexemes_hold_every_token_that_is_not_blank_once(text: bytes) -> None:
    tokens = pieces(text)
    found = [index for lexeme in whole_lexemes(tokens) for index in lexeme]
    assert found == [i for i, piece in enumerate(tokens) if piece.decode("utf-8", "replace").strip()]


def test_a_word_of_several_tokens_is_one_lexeme() -> None:
    assert whole_lexemes([b"resu", b"lt", b" ", b"=", b"fo", b"o_", b"1"]) == [range(2), range(3, 4), range(4, 7)]


def test_what_cannot_be_edited_is_refused() -> None:
    source = Source.of(b"x = 1\n\n", "a.py")
    with pytest.raises(InputError, match="is empty"):
        next(iter(edit(source, Span(0, 5), " ", random_model(), PYTHON, Plan())))
    with pytest.raises(InputError, match="nothing to edit"):
        next(iter(edit(source, Span(5, 6), "x", random_model(), PYTHON, Plan())))


def test_an_answer_that_repeats_what_it_was_shown_has_failed() -> None:
    region = lines_span(FILE, "1-2")
    model = Oracle([b"#- def half(x):\ndef half(x):\n    return x / 2"])
    (result,) = results(edit(Source.of(FILE, "a.py"), region, "add hints", model, PYTHON, Plan()))
    assert result.verdict == "failed"
    marked = b"#- a list\n" + FILE
    model = Oracle([b"#- a list\ndef half(y):\n    return y / 2"])
    (result,) = results(edit(Source.of(marked, "a.py"), lines_span(marked, "1-3"), "say y", model, PYTHON, Plan()))
    assert result.verdict == "verified"


@pytest.mark.parametrize("lines", [3, 12])
def test_the_instruction_is_seen_however_long_the_region(lines: int) -> None:
    text = b"def f(x):\n" + b"    x = x + 1\n" * lines + b"    return x\n"
    seen: list[bytes] = []

    class Watched(Oracle):
        def predict(self, ids_BL, want_BL, **_):  # type: ignore[no-untyped-def, override]
            seen.append(self.tokenizer.decode(ids_BL[0].tolist()))
            return super().predict(ids_BL, want_BL)

    model = Watched([text.rstrip()], window=640)
    (result,) = results(edit(Source.of(text, "a.py"), Span(0, len(text) - 1), "add type hints", model, PYTHON, Plan()))
    assert result.view == text
    assert all(one.startswith(b"# edit: add type hints\n#- def f(x):\n") for one in seen)


def test_a_region_too_long_to_be_shown_and_written_anew_is_told() -> None:
    text = b"x = x + 1\n" * 60
    with pytest.raises(InputError, match="tokens for what is asked"):
        list(edit(Source.of(text, "a.py"), Span(0, len(text)), "add hints", random_model(window=512), PYTHON, Plan()))


class Doubter(Oracle):
    """Writes an answer where there are masks; of a text in sight it is sure if it holds all that it believes."""

    def __init__(self, answer: bytes, *believes: bytes) -> None:
        super().__init__([answer])
        self.believes = believes
        self.checkpoint = replace(ROW, defaults={"proofread": True})

    def predict(self, ids_BL: Tensor, want_BL: Tensor, **named: Any) -> Tensor:
        if (ids_BL == self.tokenizer.mask_id).any():
            return super().predict(ids_BL, want_BL, **named)
        self.calls += 1
        wanted = ids_BL[want_BL]
        missing = sum(one not in self.tokenizer.decode(wanted.tolist()) for one in self.believes)
        sure = 5.0 - missing if missing else 20.0
        return torch.zeros(len(wanted), self.vocab).scatter(1, wanted[:, None], sure)


BROKEN = b"def half(x):\n    return y / 2\n\n\ndef twice(rows):\n    return rowz * 2\n"
PUT_RIGHT = BROKEN.replace(b"rowz", b"rows")
REGION = lines_span(BROKEN, "5-6")
WRITTEN = b"def twice(rows):\n    return rows + rows"


@pytest.mark.parametrize("believes", [b"rows * 2", b"rows + rows"])
def test_of_what_is_written_and_the_smallest_change_the_less_doubted_comes_first(believes: bytes) -> None:
    model = Doubter(WRITTEN, believes)
    both = results(edit(Source.of(BROKEN, "a.py"), REGION, "fix it", model, PYTHON, Plan(), count=2))  # type: ignore[arg-type]
    first, second = both
    assert {first.view, second.view} == {PUT_RIGHT, BROKEN[: REGION.start] + WRITTEN + b"\n"}
    assert believes in first.view and {first.verdict, second.verdict} == {"verified"}
    assert first.regions[0].confidence > 0.9
    alone = Doubter(WRITTEN, believes)
    (only,) = results(edit(Source.of(BROKEN, "a.py"), REGION, "fix it", alone, PYTHON, Plan()))  # type: ignore[arg-type]
    assert only.view == first.view and only.forwards == alone.calls


ONE_PART = slice(FILE.index(b"def twice"), len(FILE) - 1)


TWO_PARTS = b"def twice(x: int):\n    result = x + 2\n    return result"


@pytest.mark.parametrize(
    ("written", "believes", "left"),
    [
        (TWO_PARTS, [b"x: int", b"x * 2"], TWO_PARTS.replace(b"+", b"*")),
        (TWO_PARTS, [b"x * 2", b"(x):"], TWO_PARTS.replace(b": int", b"")),
        (TWO_PARTS, [b"x: int", b"x + 2"], TWO_PARTS),
        (FILE[ONE_PART].replace(b"x", b"y", 1), [b"twice(x)"], FILE[ONE_PART].replace(b"x", b"y", 1)),
    ],
)
def test_what_nobody_asked_for_is_taken_back(written: bytes, believes: list[bytes], left: bytes) -> None:
    region = lines_span(FILE, "5-7")
    model = Doubter(written, *believes)
    (result,) = results(edit(Source.of(FILE, "a.py"), region, "do", model, PYTHON, Plan()))  # type: ignore[arg-type]
    assert result.view == FILE[: region.start] + left + b"\n"
    assert result.verdict == "verified" and result.forwards == model.calls
    assert result.regions[0].new == left


@pytest.mark.parametrize("reads", [0, 1, 2])
def test_nothing_is_read_again_after_the_deadline(monkeypatch: pytest.MonkeyPatch, reads: int) -> None:
    asked = itertools.count()
    monkeypatch.setattr("dcode.jobs.restore.is_late", lambda deadline: next(asked) >= reads)
    model = Doubter(TWO_PARTS, b"x: int", b"x * 2")
    (result,) = results(edit(Source.of(FILE, "a.py"), lines_span(FILE, "5-7"), "do", model, PYTHON, Plan()))  # type: ignore[arg-type]
    assert result.forwards == model.calls == 3 + reads
    assert (result.regions[0].new == TWO_PARTS) is (reads < 2)


def test_nothing_is_taken_back_that_leaves_a_fault() -> None:
    written = FILE[ONE_PART].replace(b"x * 2", b"(x * 3)")
    model = Doubter(written, b"= x * 3)")
    (result,) = results(edit(Source.of(FILE, "a.py"), lines_span(FILE, "5-7"), "do", model, PYTHON, Plan()))  # type: ignore[arg-type]
    assert result.regions[0].new == written and result.verdict == "verified"
    assert result.forwards == model.calls > 3, "it was tried"


def test_a_text_that_differs_in_many_places_is_not_looked_through() -> None:
    old = b"".join(b"x%d = 1\n" % number for number in range(PARTS + 1))
    written = old.replace(b"1\n", b"2\n").rstrip()
    model = Doubter(written, b"x8 = 1")
    (result,) = results(edit(Source.of(old, "a.py"), Span(0, len(old) - 1), "do", model, PYTHON, Plan()))  # type: ignore[arg-type]
    assert result.regions[0].new == written and result.forwards == model.calls == 1


def test_names_that_a_rewriting_lacks_are_told_unless_the_file_lacked_them_before() -> None:
    text = b"def half(x):\n    return x / y\n"
    model = Oracle([b"def half(x):\n    return x / y / z"])
    (result,) = results(edit(Source.of(text, "a.py"), lines_span(text, "1-2"), "do", model, PYTHON, Plan()))
    assert result.unbound == ("z",) and result.verdict == "verified"


def test_what_leaves_more_names_unbound_comes_second_however_sure_the_model_is() -> None:
    model = Doubter(b"def twice(rows):\n    return rowz + 1", b"rowz + 1")
    (result,) = results(edit(Source.of(BROKEN, "a.py"), REGION, "fix it", model, PYTHON, Plan()))  # type: ignore[arg-type]
    assert result.view == PUT_RIGHT


def test_what_stood_there_does_not_lead_however_sure_the_model_is() -> None:
    text = b"def half(x):\n    x / 2\n"
    model = Doubter(text.rstrip(), b"\n    x / 2")
    (result,) = results(edit(Source.of(text, "a.py"), lines_span(text, "1-2"), "fix it", model, PYTHON, Plan()))  # type: ignore[arg-type]
    assert result.view == text.replace(b"x / 2", b"return x / 2")


def test_what_was_written_and_failed_gives_way_to_the_smallest_change() -> None:
    model = Doubter(b"#- def twice(rows):\ndef twice(rows):\n    return 2", b"return 2")
    (result,) = results(edit(Source.of(BROKEN, "a.py"), REGION, "fix it", model, PYTHON, Plan()))  # type: ignore[arg-type]
    assert result.view == PUT_RIGHT and result.verdict == "verified"


@pytest.mark.parametrize("asked", [{"feedback": False}, {"strength": 0.9}])
def test_nothing_is_put_right_where_nobody_looks_or_a_share_is_asked_for(asked: dict[str, Any]) -> None:
    model = Doubter(b"", b"rows * 2")
    model.answers = [b"x"] * 99
    stream = edit(Source.of(BROKEN, "a.py"), REGION, "fix it", model, PYTHON, Plan(), **asked)  # type: ignore[arg-type]
    assert all(one.view != PUT_RIGHT for one in results(stream))
