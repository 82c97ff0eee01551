"""What the names of a model's program must mean is written into it; what somebody may have meant stays."""

import pytest

from dcode.syntax.evident import brought
from dcode.syntax.grammar import grammar

PYTHON = grammar("python")


def test_names_are_brought_and_slips_put_right() -> None:
    text = b'def clean(path):\n    for file in Path(pah).glob("*.txt"):\n        os.remove(file)\n    path\n'
    assert brought(PYTHON, text) == b"import os\nfrom pathlib import Path\n\n\n" + text.replace(b"pah", b"path")


@pytest.mark.parametrize("text", [b"def f(:\n    a\n", b"print(unknown)\n", b"from x import *\nprint(pah)\npath = 1\n"])
def test_what_does_not_parse_or_cannot_be_told_stays(text: bytes) -> None:
    assert brought(PYTHON, text) == text


def test_of_other_languages_nothing_is_evident() -> None:
    assert brought(grammar("rust"), b"fn f(a: i32) -> i32 { b; }\n") == b"fn f(a: i32) -> i32 { b; }\n"
