"""Edits: the whole region by an instruction, or its least likely tokens, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcode.diffusion.plan import Plan
from dcode.errors import InputError
from dcode.jobs.edit import GROUPS, edit, least_likely, whole_lexemes
from dcode.syntax.grammar import grammar
from dcode.text.ranges import lines_span
from dcode.text.result import Result
from dcode.text.source import Source
from dcode.text.span import Span
from tests.oracle import Oracle, random_model, tokenizer

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


def test_names_that_a_rewriting_lacks_are_told_unless_the_file_lacked_them_before() -> None:
    text = b"def half(x):\n    return x / y\n"
    model = Oracle([b"def half(x):\n    return x / y / z"])
    (result,) = results(edit(Source.of(text, "a.py"), lines_span(text, "1-2"), "do", model, PYTHON, Plan()))
    assert result.unbound == ("z",) and result.verdict == "verified"
