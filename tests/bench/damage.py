"""What the tests of the benches share: a small lexicon, counted in dcode's own text room, and whole functions."""

from functools import lru_cache
from pathlib import Path

import dcode.text
from dcode.bench.lexicon import Lexicon
from dcode.syntax.grammar import grammar

PYTHON = grammar("python")

FUNCTION = b"""def largest(values, floor=0):
    \"\"\"The largest of the values.\"\"\"
    best = floor
    for value in values:  # in order
        if value > best and not isinstance(value, str):
            best = value
        elif value is None:
            raise ValueError("no value", (1, [2, 3]))
    return best
"""


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """N-grams of the text room."""
    folder = Path(next(iter(dcode.text.__path__)))
    return Lexicon.train(PYTHON, [path.read_bytes() for path in sorted(folder.glob("*.py"))], words=400)
