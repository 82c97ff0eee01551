"""A smaller vocabulary of the same kind: the tokens code is made of, closed under merges, so that any text encodes.

It knows byte-level BPE as `tokenizers` writes it, no networks.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from dcode.model.tokenizer import Tokenizer, byte_alphabet


def count(texts: Iterable[bytes], tokenizer: Tokenizer) -> Counter[int]:
    """How often each token occurs in texts; what is not UTF-8 is passed over."""
    found: Counter[int] = Counter()
    for text in texts:
        try:
            found.update(tokenizer.encode(text))
        except UnicodeDecodeError:
            continue
    return found


def keep(engine: str, counts: Mapping[int, float], marks: Sequence[str], size: int) -> list[int]:
    """The ids to keep of a tokenizer.json: single bytes, the most counted tokens with all that they are merged from,
    then the first merges, in order of their ids; the marks come last.
    """
    table = json.loads(engine)
    vocabulary: dict[str, int] = table["model"]["vocab"]
    made = {_joined(pair): _pair(pair) for pair in table["model"]["merges"]}
    texts = {number: text for text, number in vocabulary.items()}
    kept = {vocabulary[byte] for byte in byte_alphabet()}
    room = size - len(marks)
    ranked = sorted((number for number in counts if number in texts), key=lambda number: (-counts[number], number))
    for number in [*ranked, *(vocabulary[text] for text in made)]:
        needed = _parts(texts[number], made, vocabulary) - kept
        if len(kept) + len(needed) <= room:
            kept |= needed
    added = {token["content"]: token["id"] for token in table["added_tokens"]}
    return [*sorted(kept), *(added[mark] for mark in marks)]


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


def _parts(text: str, made: Mapping[str, tuple[str, str]], vocabulary: Mapping[str, int]) -> set[int]:
    """A token, and all tokens on the way to it."""
    found, waiting = set[int](), [text]
    while waiting:
        one = waiting.pop()
        found.add(vocabulary[one])
        waiting += made.get(one, ())
    return found


def _pair(merge: str | Sequence[str]) -> tuple[str, str]:
    """The two sides of a merge, in either way of writing it."""
    left, right = merge.split(" ") if isinstance(merge, str) else merge
    return left, right


def _joined(merge: str | Sequence[str]) -> str:
    return "".join(_pair(merge))
