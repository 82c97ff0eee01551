"""The trained tokenizer: exact, cut where lines are cut, and deaf to its own control tokens in text."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from dcode.train.vocabulary import SPECIALS, train_tokenizer

CODE = '''def area(width, height=10):
    """Return the area. # ########"""
    if width > 120:
        return __init__(self._width * height)

\tfor_each = [x  for x in range(10)]
'''


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    words = [f"{a}_{b} = {a}({b}, 42)\n" for a in ("ab", "efg", "hijk") for b in ("pq", "rs", "tuv")]
    return train_tokenizer([CODE * 3, "".join(words), "        " * 20 + "x\n"], size=400)


def spell(tokenizer: Tokenizer, text: str) -> list[str]:
    """The text of every token, where a token is whole characters."""
    return [tokenizer.decode([i]) for i in tokenizer.encode(text).ids]


def test_control_tokens_come_first_and_every_byte_has_a_token(tokenizer: Tokenizer) -> None:
    assert [tokenizer.token_to_id(name) for name in SPECIALS] == [0, 1, 2, 3]
    assert tokenizer.get_vocab_size() <= 400
    for point in (*range(0x800), 0x800, 0xFFFD, 0x10FFFF):
        text = chr(point)
        assert tokenizer.decode(tokenizer.encode(text).ids) == text
    assert all(len(name) == 1 for name, i in tokenizer.get_vocab().items() if 4 <= i < 260)


@given(text=st.text(max_size=80) | st.text(alphabet=" \t\nab_1#(é.", max_size=60))
def test_any_text_comes_back(tokenizer: Tokenizer, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text).ids) == text


@pytest.mark.parametrize("name", SPECIALS)
@pytest.mark.parametrize("reloaded", [False, True])
def test_spelling_a_control_token_does_not_make_one(tokenizer: Tokenizer, name: str, reloaded: bool) -> None:
    reader = Tokenizer.from_str(tokenizer.to_str()) if reloaded else tokenizer
    taught = train_tokenizer([f"{name} {name}{name}\n" * 50], size=300)
    for each in (reader, taught):
        ids = each.encode(f"x = '{name}'{name}\n{name}").ids
        assert min(ids) >= len(SPECIALS)
        assert each.decode(ids) == f"x = '{name}'{name}\n{name}"


def test_lines_indentation_and_digits_are_tokens_of_their_own(tokenizer: Tokenizer) -> None:
    pieces = spell(tokenizer, CODE)
    assert "".join(pieces) == CODE
    assert pieces.count("\n") == CODE.count("\n")
    assert all(piece == "\n" for piece in pieces if "\n" in piece)
    assert all(len(piece) == 1 for piece in pieces if any(c.isdigit() for c in piece))
    opened = [b for a, b in zip(["\n", *pieces], pieces, strict=False) if a == "\n" and b != "\n"]
    assert all(not piece.strip(" \t") or not piece[0].isspace() for piece in opened)


def test_words_keep_their_space_and_underscores_and_sign_runs_stay_short(tokenizer: Tokenizer) -> None:
    wide = train_tokenizer(["x = self._name\n## # ########\n" * 40], size=400)
    assert spell(wide, "x = self._name\n") == ["x", " =", " self", ".", "_name", "\n"]
    assert max(len(piece.strip()) for piece in spell(wide, "########")) <= 4
    assert spell(wide, "a 1") == ["a", " ", "1"]


def test_cutting_at_a_line_start_or_first_column_changes_no_token(tokenizer: Tokenizer) -> None:
    random_code = random.Random(3)
    alphabet = [" ", "    ", "\t", "\n", "\n    ", "name", "_x", "__", "1", "(", "#", ".", "é", "\r", "\f"]
    for _ in range(200):
        text = "".join(random_code.choices(alphabet, k=30))
        whole = tokenizer.encode(text).ids
        for cut in cuts(text):
            halves = [tokenizer.encode(half).ids for half in (text[:cut], text[cut:])]
            assert halves[0] + halves[1] == whole, (text, cut)


def cuts(text: str) -> list[int]:
    """Every line start and every first non-blank column of `text`."""
    starts = [0, *(i + 1 for i, c in enumerate(text) if c == "\n")]
    columns = [i + len(text[i:]) - len(text[i:].lstrip(" \t")) for i in starts]
    return sorted({*starts, *columns})
