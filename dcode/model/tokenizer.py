"""From text to token ids and back, for the embedded model. It does not know prompts, canvases or languages.

The tokenizer is byte-level BPE: every id stands for fixed bytes, so rendering is joining, and any bytes can be
written. Special tokens stand for no bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tokenizers import Tokenizer as Engine

from dcode.errors import ModelError

MASK, VOID, BEGIN, END = "<|mask|>", "<|void|>", "<|begin|>", "<|end|>"


@dataclass(frozen=True)
class Tokenizer:
    """Pieces are tokenized apart: `encode` never sees across the border of a hole."""

    engine: Engine
    mask_id: int
    void_id: int
    begin_id: int
    end_id: int

    @staticmethod
    def of(engine: Engine) -> "Tokenizer":
        """Find the four special tokens; ModelError if one is missing."""
        # Otherwise the text "<|mask|>" in somebody's file would become the mask itself.
        engine.encode_special_tokens = True
        return Tokenizer(engine, *(_special(engine, name) for name in (MASK, VOID, BEGIN, END)))

    @staticmethod
    def read(path: Path) -> "Tokenizer":
        """From a tokenizer.json; ModelError if it cannot be read."""
        try:
            return Tokenizer.of(Engine.from_str(path.read_text(encoding="utf-8")))
        except ModelError:
            raise
        except Exception as error:  # the engine raises bare Exception for a damaged file
            raise ModelError(f"{path} cannot be read: {error}") from None

    @cached_property
    def pieces(self) -> tuple[bytes, ...]:
        """The bytes of every id; empty for special tokens."""
        alphabet = byte_alphabet()
        special = {self.mask_id, self.void_id, self.begin_id, self.end_id}
        table = {number: text for text, number in self.engine.get_vocab(with_added_tokens=True).items()}
        return tuple(
            b"" if number in special else bytes(alphabet[char] for char in table[number])
            for number in range(self.engine.get_vocab_size(with_added_tokens=True))
        )

    def encode(self, text: bytes) -> list[int]:
        """Ids of one piece of UTF-8 text, without special tokens."""
        ids: list[int] = self.engine.encode(text.decode("utf-8"), add_special_tokens=False).ids
        return ids

    def decode(self, ids: Sequence[int]) -> bytes:
        """The bytes that the ids stand for; special tokens render to nothing."""
        return b"".join(self.pieces[number] for number in ids)


def _special(engine: Engine, name: str) -> int:
    number: int | None = engine.token_to_id(name)
    if number is None:
        raise ModelError(f"the tokenizer lacks {name}")
    return number


def byte_alphabet() -> dict[str, int]:
    """The printable character that byte-level BPE writes for each byte, reversed (the table of GPT-2)."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    table = {chr(byte): byte for byte in plain}
    others = (byte for byte in range(256) if byte not in set(plain))
    table.update({chr(256 + index): byte for index, byte in enumerate(others)})
    return table
