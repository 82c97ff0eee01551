"""A smaller vocabulary of the same kind: the tokens code is made of, and single bytes, so that any text encodes.

It knows byte-level BPE as `tokenizers` writes it, no networks.
"""

import json
from collections.abc import Sequence

from dcode.model.tokenizer import Tokenizer


def spells_ascii(tokenizer: Tokenizer) -> list[int]:
    """The ids of all single bytes, of all tokens of ASCII characters and of all marks, in order.

    What such a token is merged from is of ASCII too, so the list is closed under merges. No count thins it out: a model
    that means a token which is not there writes another word in its place, however rare the token is.
    """
    return [number for number, piece in enumerate(tokenizer.pieces) if len(piece) == 1 or piece.isascii()]


def pruned(engine: str, kept: Sequence[int]) -> str:
    """The tokenizer.json of these tokens alone, numbered in their order."""
    table = json.loads(engine)
    numbers = {old: new for new, old in enumerate(kept)}
    vocabulary = {text: numbers[old] for text, old in table["model"]["vocab"].items() if old in numbers}
    merges = [pair for pair in map(_pair, table["model"]["merges"]) if {*pair, "".join(pair)} <= vocabulary.keys()]
    added = [{**token, "id": numbers[token["id"]]} for token in table["added_tokens"] if token["id"] in numbers]
    table["model"] |= {"vocab": dict(sorted(vocabulary.items(), key=lambda item: item[1])), "merges": merges}
    table["added_tokens"] = sorted(added, key=lambda token: int(token["id"]))
    return json.dumps(table, ensure_ascii=False, separators=(",", ":")) + "\n"


def _pair(merge: str | Sequence[str]) -> tuple[str, str]:
    """The two sides of a merge, in either way of writing it."""
    left, right = merge.split(" ") if isinstance(merge, str) else merge
    return left, right
