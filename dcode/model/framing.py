"""How a hole and a request become ids: which marks stand where, as data. It knows no files, canvases or sampling.

The marks are a checkpoint's own special tokens, named by their text: pruning a vocabulary renumbers them. What a person
or a file says is never taken for one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from dcode.errors import ModelError

BEFORE, AFTER, REQUEST = "{before}", "{after}", "{request}"
"""Where the text of a piece goes."""


class Encoder(Protocol):
    """A tokenizer, as far as framing needs one."""

    @property
    def specials(self) -> Mapping[str, int]:
        """The ids of special tokens by their text."""
        ...

    def encode(self, text: bytes) -> list[int]:
        """Ids of a text in which nothing is special."""
        ...


@dataclass(frozen=True, slots=True)
class Framing:
    """Pieces in order: a mark, a literal text, or a place for what is framed. Empty: the model was not taught that.

    `hole`: text before and behind a hole, the fill comes last. `request`: a turn of a chat, the answer comes last.
    `ask`, `change` and `known` are what a request says in words: for new code, for other code in place of some, of a
    file to know of. `stops`: marks that end what is written, where the model has them.
    """

    name: str
    hole: tuple[str, ...] = ()
    request: tuple[str, ...] = ()
    ask: str = ""
    change: str = ""
    known: str = ""
    stops: tuple[str, ...] = ()
    marks: frozenset[str] = frozenset()

    @staticmethod
    def of(name: str, values: Mapping[str, Any]) -> "Framing":
        """From a table of checkpoints.toml."""
        plain: dict[str, Any] = {k: value if isinstance(value, str) else tuple(value) for k, value in values.items()}
        return Framing(**{**plain, "name": name, "marks": frozenset(values["marks"])})

    def fits(self, specials: Mapping[str, int]) -> bool:
        """Whether a vocabulary has all marks around a hole."""
        return bool(self.hole) and all(mark in specials for mark in self.marks & {*self.hole})

    def ids(self, pieces: Sequence[str], texts: Mapping[str, Sequence[int]], tokenizer: Encoder) -> list[int]:
        """The ids of pieces, with those of the `texts` in their places; ModelError for a mark that is not there."""
        found: list[int] = []
        for piece in pieces:
            if piece in texts:
                found += texts[piece]
            elif piece in self.marks:
                if piece not in tokenizer.specials:
                    raise ModelError(f"the model's vocabulary lacks {piece}", hint=f"its framing is {self.name}")
                found.append(tokenizer.specials[piece])
            else:
                found += tokenizer.encode(piece.encode())
        return found

    def stop_ids(self, tokenizer: Encoder) -> frozenset[int]:
        """The ids that end what is written."""
        return frozenset(tokenizer.specials[mark] for mark in self.stops if mark in tokenizer.specials)
