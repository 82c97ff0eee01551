import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcode.text.sanitize import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\tb\nc é → 𝕏 [slug]", "a\tb\nc é → 𝕏 [slug]"),
        ("\x1b]0;title\x07\x1b[2J", "␛]0;title␇␛[2J"),
        ("\r\x00\x7f", "␍␀␡"),
        ("\x9b31m", "<U+009B>31m"),
        ("a\u202eb\u2066\u200f\u061c", "a<U+202E>b<U+2066><U+200F><U+061C>"),
        ("\u2028\ufeff\U000e0041", "<U+2028><U+FEFF><U+E0041>"),
        (b"\xff\x9b".decode("utf-8", "surrogateescape"), "<0xFF><0x9B>"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text(st.characters(exclude_categories=[])))
def test_nothing_unseen_is_left(text: str) -> None:
    shown = visible(text)
    left = {char for char in shown if unicodedata.category(char) in ("Cc", "Cs")} - {"\n", "\t"}
    assert not left
    assert not {char for char in shown if unicodedata.bidirectional(char) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI")}
    shown.encode("utf-8")
    assert visible(shown) == shown
