"""What counts as a request, and what code comes with it."""

import textwrap

import pytest

from dcode.train.pairs import Pair, pairs, request_of
from dcode.train.screen import parsed


def drawn(code: str) -> list[Pair]:
    text = textwrap.dedent(code)
    tree = parsed(text)
    assert tree is not None
    return list(pairs(text, tree))


@pytest.mark.parametrize(
    ("docstring", "request_text"),
    [
        ("Return the area of a shape.", "return the area of a shape"),
        ("Returns the area. And more.", "return the area"),
        (
            "Applies *func* to each item and returns a list.\n\nMore.",
            "apply func to each item and return a list",
        ),
        ("Split ``text`` at\n    :func:`~os.sep`, e.g. a path.\n", "split text at os.sep, e.g. a path"),
        ("This helper function computes the sum of squares", "compute the sum of squares"),
        ("Parses a date:\n", "parse a date"),
        ("Whether the path is absolute", "check whether the path is absolute"),
        ("Recursively finds files and sorts them.", "recursively find files and sort them"),
        ("A decorator that counts calls", "a decorator that counts calls"),
    ],
)
def test_a_first_sentence_becomes_a_request(docstring: str, request_text: str) -> None:
    assert request_of(docstring) == request_text


@pytest.mark.parametrize(
    "docstring",
    [
        "",
        "Return it.",
        "Return a list of names, e.g.",
        "The area of a shape.",
        "Return the area (deprecated, use size).",
        "area(x, y) -> float",
        "Return self unchanged for now.",
        "Return " + "very " * 30 + "long things.",
        "Return :param x: the thing.",
        "Return the naïve answer to all.",
        "Compute a {b} of many c.",
    ],
)
def test_other_sentences_do_not(docstring: str) -> None:
    assert request_of(docstring) == ""


def test_the_code_loses_its_docstring_and_its_indentation() -> None:
    assert drawn('''
        class Shape:
            @staticmethod
            @registry.add("x")
            def area(width, height):
                """Return the area of a shape.

                Long.
                """

                # product
                return width * height
    ''') == [
        Pair(
            "return the area of a shape",
            "@staticmethod\ndef area(width, height):\n    # product\n    return width * height\n",
        )
    ]


@pytest.mark.parametrize(
    "body",
    [
        "    pass\n",
        "    raise NotImplementedError\n",
        "    return x\n",  # two lines
        "    y = x\n" * 45,
        "    y = self.a + self.b\n    return y * self.c\n",
    ],
)
def test_empty_short_long_and_leaning_functions_are_left_out(body: str) -> None:
    assert drawn(f'def f(self, x):\n    """Return the area of a shape."""\n{body}') == []


def test_functions_within_functions_are_left_out() -> None:
    code = '''
        def outer(x):
            def inner(y):
                """Return the area of a shape."""
                z = x
                return z
            return inner
    '''
    assert drawn(code) == []
