"""Names that nothing brings, as this Python's symbol tables know them."""

import ast
import sys

import pytest

from dcode.syntax.grammar import grammar
from dcode.syntax.unbound import import_place, library_imports, only_imports, unbound

PYTHON = grammar("python")

CASES = {
    "def f(t):\n    return [c for c in t if c in string.punctuation]\n": ("string",),
    "import string\n\ndef f(t):\n    return string.digits + t\n": (),
    "from os import path as p\nprint(p.sep, path)\n": ("path",),
    "x = y\ny = 1\n": (),
    "class A:\n    n = 1\n    def m(self):\n        return n\n": ("n",),
    "class A:\n    n = 1\n    k = n + 1\n": (),
    "def f():\n    global g\n    g = 1\n\ndef h():\n    return g\n": (),
    "def f():\n    a = 1\n    def g():\n        nonlocal a\n        a += b\n    return g\n": ("b",),
    "def f(x: np.ndarray) -> List[int]: ...\n": ("List", "np"),
    "from x import *\nprint(anything)\n": (),
    "print(__name__, __file__, len, ValueError)\n": (),
    "try:\n    import json\nexcept ImportError as error:\n    print(error)\njson.dumps(1)\n": (),
    "with open('x') as f, g() as (a, b):\n    print(f, a, b)\n": ("g",),
    "match v:\n    case [a, *rest]:\n        print(a, rest)\n": ("v",),
    "print((n := 3), n)\nlambda k: k + m\n": ("m",),
    "for i in range(3): pass\nprint(i)\ndel i\n": (),
    "def f(:\n": (),
}


@pytest.mark.parametrize("text", CASES)
def test_a_name_is_unbound_if_nothing_brings_it(text: str) -> None:
    assert unbound(PYTHON, text.encode()) == CASES[text]


def test_where_nobody_knows_a_language_no_name_is_unbound() -> None:
    assert unbound(grammar("rust"), b"fn main() { f() }\n") == ()


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (b"print(string.digits, re.sub, json.dumps(os.sep))\n", b"import json\nimport os\nimport re\nimport string\n"),
        (b"def f():\n    return string.split(), string\n", b""),
        (b"def f(string):\n    return string.split()\n", b""),
        (b"import re\nre.sub\n", b""),
        (b"nx.Graph()\n", b""),
        (b"np.array(Path('a'), re.X)\n", b"import numpy as np\nimport re\nfrom pathlib import Path\n"),
        (b"@cache\ndef f(x: List[int]): ...\n", b"from functools import cache\nfrom typing import List\n"),
        (b"def f(x):\n    return cache[x]\n", b""),
        (b"string.(\n", b""),
        (b"# -*- coding: ascii -*-\nre.sub('\xc3\xa9')\n", b"import re\n"),
        (b"# -*- coding: klingon -*-\nre.sub('\\d')\n", b"import re\n"),
    ],
)
def test_what_can_only_be_of_the_library_or_comes_from_one_place_is_brought(text: bytes, lines: bytes) -> None:
    assert library_imports(PYTHON, text) == lines
    assert library_imports(grammar("rust"), text) == b""


@pytest.mark.parametrize(
    ("text", "place", "alone"),
    [
        (b"import os\n", (0, b"\n"), True),
        (b"#!python\n\nfrom os import sep\n\nimport re", (10, b"\n"), True),
        (b"import os\nx = 1\n", (0, b"\n"), False),
        (b"# why\nx = 1\nimport os\n", (6, b"\n\n\n"), False),
        (b"x\n", (0, b"\n\n\n"), False),
        (b"", (0, b"\n\n\n"), False),
        (b'"""doc"""\n\nx = 1\n', (11, b"\n\n\n"), False),
        (b"'do' r'c'\nimport os\n", (10, b"\n"), False),
        (b"from __future__ import annotations\nx = 1\n", (35, b"\n\n\n"), False),
        (b"# why\n'd'  # c\nfrom __future__ import a\nfrom __future__ import b\nimport os\n", (65, b"\n"), False),
        (b"'d'\n'e'\nfrom __future__ import a\n", (4, b"\n\n\n"), False),
        (b"f'{os.sep}'\nx = 1\n", (0, b"\n\n\n"), False),
        (b"'a' f'{os.sep}'\nx = 1\n", (0, b"\n\n\n"), False),
        (b"x = 'a'\ny = 1\n", (0, b"\n\n\n"), False),
        (b"'d'\n", (4, b"\n\n\n"), False),
    ],
)
def test_imports_have_their_place_and_are_told_from_the_rest(
    text: bytes, place: tuple[int, bytes], alone: bool
) -> None:
    assert import_place(PYTHON, text) == place
    assert only_imports(PYTHON, text) is alone


def test_every_line_that_brings_a_name_brings_it() -> None:
    for name, line in PYTHON.brings:
        (statement,) = ast.parse(line).body
        assert isinstance(statement, ast.Import | ast.ImportFrom)
        (alias,) = statement.names
        assert (alias.asname or alias.name) == name.decode()
        module = statement.module if isinstance(statement, ast.ImportFrom) else alias.name
        if (module or "").partition(".")[0] in sys.stdlib_module_names:
            exec(line, {})
