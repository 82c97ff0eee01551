"""What stands for the part of a long file that a model does not see."""

import pytest

from dcode.syntax.grammar import grammar
from dcode.syntax.outline import outline

PYTHON = b"""\
import os
from json import (
    dumps,
)


def first(a,
          b):
    return a


class Reader:
    \"\"\"Reads.\"\"\"

    def __init__(self, path):
        self.path = path

    def read(self):
        here = 1
        return here


def last():
    pass
"""


def _shown(language: str, view: bytes, mark: bytes) -> list[bytes]:
    return [view[span.start : span.end] for span in outline(grammar(language), view, view.index(mark))]


def test_scopes_come_first_then_imports_then_signatures() -> None:
    assert _shown("python", PYTHON, b"return here") == [
        b"    def read(self):\n",
        b"class Reader:\n",
        b"import os\n",
        b"from json import (\n    dumps,\n)\n",
        b"    def __init__(self, path):\n",
        b"def first(a,\n          b):\n",
    ]


def test_nothing_at_or_behind_the_place() -> None:
    assert _shown("python", PYTHON, b"import os") == []
    assert all(b"last" not in text for text in _shown("python", PYTHON, b"class Reader"))


@pytest.mark.parametrize(
    ("language", "view", "expected"),
    [
        ("go", b'package a\n\nimport "fmt"\n\nfunc F(x int) int {\n\treturn x\n}\n', b"func F(x int) int {\n"),
        ("rust", b"use std::io;\n\nfn f(x: i32) -> i32 {\n    x\n}\n", b"fn f(x: i32) -> i32 {\n"),
        ("c", b"#include <a.h>\n\nint f(int x) {\n    return x;\n}\n", b"int f(int x) {\n"),
        (
            "typescript",
            b'import a from "a";\n\nfunction f(x: number) {\n  return x;\n}\n',
            b"function f(x: number) {\n",
        ),
        ("java", b"import a.B;\n\nclass C {\n  int f() {\n    return 1;\n  }\n}\n", b"class C {\n"),
    ],
)
def test_other_languages(language: str, view: bytes, expected: bytes) -> None:
    spans = outline(grammar(language), view, len(view))
    shown = [view[span.start : span.end] for span in spans]
    assert expected in shown
    assert any(text.startswith((b"#include", b"import", b"use")) for text in shown)
