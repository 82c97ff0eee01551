"""What may not be taught: near-duplicates of the demonstration prompts, and pieces of the held-out benchmark.

The repository keeps only salted hashes (`heldout.json`, made by `seal`), so that the check needs none of the data and
the file teaches none of it. Everything is seen as lexical tokens: words with their numbers, and single signs, in
lower case. It does not know what a family is.
"""

import base64
import builtins
import gzip
import json
import keyword
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from dcode.lessons.family import FOLDER

SEALED = FOLDER / "heldout.json"
JACCARD = 0.5
GRAM = 8  # lexical tokens
_DIGEST = 5  # bytes: a false alarm once in a hundred million grams

_LEXEME = re.compile(r"\w+|[^\w\s]")
_WORD = re.compile(r"[^\W\d]\w*")
_METHODS = (name for kind in (str, list, dict, set) for name in dir(kind))
_COMMON = {*keyword.kwlist, *dir(builtins), *_METHODS, "self", "typing", "optional", "string", "math"}
COMMON = frozenset(word.lower() for word in _COMMON)
"""Words that every Python program uses: keywords, built-ins and their methods. They tell no program from another."""

DISTINCT, TELLING = 4, 2


@dataclass(frozen=True, slots=True)
class Overlap:
    """The sealed hashes: of every demonstration prompt its words, of the benchmark its 8-grams."""

    salt: bytes
    prompts: tuple[frozenset[bytes], ...]
    grams: frozenset[bytes]

    @staticmethod
    def read(path: Path = SEALED) -> "Overlap":
        """What `seal` wrote to `path`."""
        return Overlap.of(json.loads(path.read_text("utf-8")))

    @staticmethod
    def of(sealed: Mapping[str, Any]) -> "Overlap":
        """What `seal` returned."""
        prompts = tuple(frozenset(_unpack(prompt)) for prompt in sealed["prompts"])
        return Overlap(bytes.fromhex(sealed["salt"]), prompts, frozenset(_unpack(sealed["grams"])))

    def violates(self, request: str, code: str = "") -> str | None:
        """Why a lesson may not teach, or None: "prompt" (too like a demonstration), "gram" (a benchmark's)."""
        if self.nearest(request) >= JACCARD:
            return "prompt"
        return "gram" if self.shares(request) or self.shares(code) else None

    def nearest(self, request: str) -> float:
        """The largest Jaccard index of the request's words with a demonstration prompt's."""
        words = frozenset(_hash(self.salt, word) for word in words_of(request))
        return max((len(words & prompt) / len(words | prompt) for prompt in self.prompts), default=0.0)

    def shares(self, text: str) -> bool:
        """Whether the text has a telling 8-gram of the benchmark."""
        # Only telling grams were sealed, so that a gram need not be judged again: hashing is far cheaper.
        return any(_hash(self.salt, " ".join(gram)) in self.grams for gram in _grams(text))


def seal(demo_prompts: Iterable[str], programs: Iterable[str], salt: bytes | None = None) -> dict[str, Any]:
    """The hashes of prompts and of benchmark texts (statement and solution), ready for JSON."""
    salt = salt or secrets.token_bytes(8)
    grams = {_hash(salt, gram) for program in programs for gram in telling_grams(program)}
    prompts = [_pack(_hash(salt, word) for word in words_of(prompt)) for prompt in demo_prompts]
    return {"salt": salt.hex(), "prompts": prompts, "grams": _pack(grams)}


def seal_files(demo_prompts: Path, benchmark: Path, salt: bytes | None = None) -> dict[str, Any]:
    """Seal a `demo_prompts.jsonl` and a `HumanEval.jsonl.gz`."""
    prompts = [json.loads(line)["prompt"] for line in demo_prompts.read_text("utf-8").splitlines()]
    rows = [json.loads(line) for line in gzip.decompress(benchmark.read_bytes()).decode().splitlines()]
    return seal(prompts, [row["prompt"] + row["canonical_solution"] for row in rows], salt)


def words_of(request: str) -> set[str]:
    """The words of a request, in lower case."""
    return set(re.findall(r"\w+", request.lower()))


def telling_grams(text: str) -> Iterator[str]:
    """Every run of eight lexical tokens that could only come from somewhere.

    Left out are runs with fewer than four different words, or with fewer than two that are neither Python's own nor
    a single letter: `-> List[int]: return [`, `for i in range(len(` and `for word in text.split() if` stand in half
    of all programs, and to refuse them would forbid the language, not the benchmark.
    """
    return (" ".join(gram) for gram in _grams(text) if _is_telling(gram))


def _grams(text: str) -> Iterator[list[str]]:
    tokens = _LEXEME.findall(text.lower())
    return (tokens[at : at + GRAM] for at in range(len(tokens) - GRAM + 1))


def _is_telling(gram: list[str]) -> bool:
    words = {token for token in gram if _WORD.fullmatch(token)}
    return len(words) >= DISTINCT and sum(len(word) > 1 and word not in COMMON for word in words) >= TELLING


@lru_cache(1 << 16)
def _hash(salt: bytes, text: str) -> bytes:
    return blake2b(text.encode("utf-8", "replace"), digest_size=_DIGEST, salt=salt).digest()


def _pack(hashes: Iterable[bytes]) -> str:
    return base64.b64encode(b"".join(sorted(set(hashes)))).decode()


def _unpack(text: str) -> list[bytes]:
    data = base64.b64decode(text)
    return [data[at : at + _DIGEST] for at in range(0, len(data), _DIGEST)]
