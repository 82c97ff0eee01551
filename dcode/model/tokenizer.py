"""From text to token ids and back. It does not know prompts, canvases or languages.

Every id stands for fixed bytes, so rendering is joining. With byte-level BPE any bytes can be written; where a
vocabulary spells blanks and single bytes in its own way, that is undone here. Special tokens stand for no bytes.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tokenizers import Tokenizer as Engine

from dcode.errors import ModelError

MASK, VOID, BEGIN, END = "<|mask|>", "<|void|>", "<|begin|>", "<|end|>"


@dataclass(frozen=True)
class Tokenizer:
    """Pieces are tokenized apart: `encode` never sees across the border of a hole.

    `void_id` is None for models without void slots. `expand_id` asks for two slots in place of one, `delete_id` for
    none: only where a model was trained to. `template` writes a chat request as ids, if the model has one.
    """

    engine: Engine
    mask_id: int
    void_id: int | None
    begin_id: int
    end_id: int
    expand_id: int | None = None
    delete_id: int | None = None
    template: Callable[[str], list[int]] | None = None

    @staticmethod
    def of(engine: Engine) -> "Tokenizer":
        """Find the four special tokens; ModelError if one is missing."""
        # Otherwise the text "<|mask|>" in somebody's file would become the mask itself.
        engine.encode_special_tokens = True
        mask, void, begin, end = (_special(engine, name) for name in (MASK, VOID, BEGIN, END))
        return Tokenizer(engine, mask, void, begin, end)

    @staticmethod
    def read(path: Path) -> "Tokenizer":
        """From a tokenizer.json; ModelError if it cannot be read."""
        try:
            return Tokenizer.of(Engine.from_str(path.read_text(encoding="utf-8")))
        except ModelError:
            raise
        except Exception as error:  # the engine raises bare Exception for a damaged file
            raise ModelError(f"{path} cannot be read: {error}") from None

    @staticmethod
    def plain(path: Path, end: str, mask: str) -> "Tokenizer":
        """From a tokenizer.json without void slots: the token that ends a text, and one that is never written."""
        try:
            engine = Engine.from_str(path.read_text(encoding="utf-8"))
        except Exception as error:  # the engine raises bare Exception for a damaged file
            raise ModelError(f"{path} cannot be read: {error}") from None
        engine.encode_special_tokens = True
        return Tokenizer(engine, _special(engine, mask), None, _special(engine, end), _special(engine, end))

    @cached_property
    def pieces(self) -> tuple[bytes, ...]:
        """The bytes of every id; empty for special tokens."""
        table = {number: text for text, number in self.engine.get_vocab(with_added_tokens=True).items()}
        added = self.engine.get_added_tokens_decoder()
        known = (self.mask_id, self.void_id, self.begin_id, self.end_id, self.expand_id)
        special = {number for number in known if number is not None}
        special |= {number for number, token in added.items() if token.special}
        render = _renderer(table)
        return tuple(
            b""
            if number in special or number not in table
            # An added token is spelled as it is; the vocabulary's own are spelled in its alphabet.
            else table[number].encode()
            if number in added
            else render(table[number])
            for number in range(max(*table, *special) + 1)
        )

    @cached_property
    def specials(self) -> Mapping[str, int]:
        """The id of every special token by its text: how framings name them. No text is encoded as one."""
        added = self.engine.get_added_tokens_decoder()
        return {token.content: number for number, token in added.items() if token.special}

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


def _renderer(table: Mapping[int, str]) -> Callable[[str], bytes]:
    """How pieces of this vocabulary become bytes: GPT-2's alphabet, or SentencePiece's `▁` and `<0x0A>`."""
    if any(text == "<0x0A>" for text in table.values()):
        return _sentence_piece
    alphabet = byte_alphabet()
    return lambda text: bytes(alphabet[char] for char in text) if alphabet.keys() >= set(text) else text.encode()


def _sentence_piece(text: str) -> bytes:
    byte = re.fullmatch(r"<0x([0-9A-F]{2})>", text)
    return bytes([int(byte[1], 16)]) if byte else text.replace("\u2581", " ").encode()


def byte_alphabet() -> dict[str, int]:
    """The printable character that byte-level BPE writes for each byte, reversed (the table of GPT-2)."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    table = {chr(byte): byte for byte in plain}
    others = (byte for byte in range(256) if byte not in set(plain))
    table.update({chr(256 + index): byte for index, byte in enumerate(others)})
    return table
