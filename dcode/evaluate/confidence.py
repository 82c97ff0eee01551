"""Whether a model doubts a wrong token that it sees: one token of a function is replaced, nothing is masked.

One forward gives every visible token its probability; the wrong one should have the lowest. Chance, a rank drawn
blindly, stands beside it. It knows no files.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import fmean

import torch
from torch import Tensor

from dcode.evaluate.metrics import Rate
from dcode.model.load import Model
from dcode.model.tokenizer import Tokenizer

NOISES = ("uniform", "frequency", "plausible")
"""The wrong token is any; one drawn as often as it occurs; or so, and of the right one's kind (word, digit, sign)."""

LEAST, MOST = 16, 150  # tokens of a function
TOPS = (1, 5)


@dataclass(frozen=True, slots=True)
class Trial:
    """One wrong token in a function of `tokens` tokens, and its rank from the least confident, 1 at best."""

    noise: str
    tokens: int
    rank: int


def measure(
    functions: Iterable[str],
    model: Model,
    number: int,
    seed: int = 0,
    on_function: Callable[[int], object] = lambda done: None,
) -> tuple[Trial, ...]:
    """A Trial of every noise for each of the first `number` functions of 16 to 150 tokens."""
    chosen: list[list[int]] = []
    for source in functions:
        ids = model.tokenizer.encode(source.encode())
        if LEAST <= len(ids) <= MOST:
            chosen.append(ids)
        if len(chosen) == number:
            break
    noise = Noise(model.tokenizer, chosen)
    rng = random.Random(seed)
    trials: list[Trial] = []
    for done, ids in enumerate(chosen, 1):
        at = rng.randrange(len(ids))
        wrong = [noise.wrong(name, ids[at], rng) for name in NOISES]
        ranks = _ranks(ids, at, wrong, model)
        trials += [Trial(name, len(ids), rank) for name, rank in zip(NOISES, ranks, strict=True)]
        on_function(done)
    return tuple(trials)


def rates(trials: Sequence[Trial], top: int) -> dict[str, Rate]:
    """For every noise, how often the wrong token was among the `top` least confident."""
    groups = {name: [trial for trial in trials if trial.noise == name] for name in NOISES}
    return {name: Rate(sum(trial.rank <= top for trial in group), len(group)) for name, group in groups.items()}


def chance(trials: Sequence[Trial], top: int) -> float:
    """How often a blind guess would be right."""
    return fmean(min(top, trial.tokens) / trial.tokens for trial in trials) if trials else 0.0


class Noise:
    """Draws wrong tokens; frequencies are those of the functions at hand."""

    def __init__(self, tokenizer: Tokenizer, functions: Sequence[Sequence[int]]) -> None:
        counts = Counter(number for ids in functions for number in ids)
        special = {tokenizer.mask_id, tokenizer.void_id, tokenizer.begin_id, tokenizer.end_id}
        self._kinds = [kind(piece) for piece in tokenizer.pieces]
        self._every = [number for number, piece in enumerate(tokenizer.pieces) if piece and number not in special]
        self._seen = sorted(counts)
        self._weights = list(accumulate(counts[number] for number in self._seen))

    def wrong(self, noise: str, right: int, rng: random.Random) -> int:
        """An id that is not `right`; if nothing else of its kind occurs, "plausible" takes any that occurs."""
        pool, weights = (self._every, None) if noise == "uniform" else (self._seen, self._weights)
        wanted = [number for number in self._seen if self._kinds[number] == self._kinds[right] and number != right]
        alike = noise == "plausible" and bool(wanted)
        while True:
            number = rng.choices(pool, cum_weights=weights)[0]
            if number != right and not (alike and self._kinds[number] != self._kinds[right]):
                return number


def kind(piece: bytes) -> str:
    """What sort of text a token is: a word, a digit, signs, a line's end, blanks; and whether a blank precedes it."""
    text = piece.decode("utf-8", "replace")
    bare = text.strip()
    if not bare:
        return "line" if "\n" in text else "blank"
    sort = "digit" if bare.isdigit() else "word" if bare.replace("_", "a").isidentifier() else "sign"
    return f"{sort}{text[0].isspace()}"


def _ranks(ids: Sequence[int], at: int, wrong: Sequence[int], model: Model) -> list[int]:
    """The rank of every wrong token, each in a row of its own."""
    begin, end = model.tokenizer.begin_id, model.tokenizer.end_id
    rows = [[begin, *ids[:at], number, *ids[at + 1 :], end] for number in wrong]
    ids_NL = torch.tensor(rows)
    want_NL = torch.ones_like(ids_NL, dtype=torch.bool)
    want_NL[:, 0] = want_NL[:, -1] = False
    logits = model.predict(ids_NL, want_NL)
    seen: Tensor = ids_NL[want_NL]
    sure = torch.log_softmax(logits, dim=-1).gather(1, seen[:, None])[:, 0].reshape(len(rows), len(ids))
    # A tie counts against the model.
    return [int((row <= row[at]).sum()) for row in sure]
