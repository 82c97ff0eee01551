"""A left-to-right double that knows one text: it goes on as that text does, wherever what it has read is a part of it.

Its vocabulary is the 256 bytes and the marks of a framing.
"""

from collections.abc import Sequence
from functools import lru_cache

import torch
from tokenizers import Tokenizer as Engine
from tokenizers import decoders, models, pre_tokenizers
from torch import Tensor

from dcode.model.checkpoint import Checkpoint, framings
from dcode.model.tokenizer import Tokenizer
from tests.model.tiny import bytes_in_order

MARKS = (
    "<|endoftext|>",
    "<|fim_prefix|>",
    "<|fim_middle|>",
    "<|fim_suffix|>",
    "<|fim_pad|>",
    "<|im_start|>",
    "<|im_end|>",
)
ROW = Checkpoint("author", "", "", "MIT", "a test double", framing="qwen-coder", policy={"candidates": 2})


@lru_cache(maxsize=1)
def tokenizer() -> Tokenizer:
    """Bytes and marks."""
    engine = Engine(models.BPE(vocab=bytes_in_order(), merges=[]))
    engine.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    engine.decoder = decoders.ByteLevel()
    engine.add_special_tokens(list(MARKS))
    engine.encode_special_tokens = True
    end = engine.token_to_id(MARKS[0])
    return Tokenizer(engine, engine.token_to_id("<|fim_pad|>"), None, end, end)


class Lane:
    """Keeps ids, for nothing is computed."""

    def __init__(self, ids_BL: Tensor) -> None:
        self.ids_BL = ids_BL

    def __len__(self) -> int:
        return self.ids_BL.shape[1]

    def fork(self, rows: int) -> "Lane":
        return Lane(self.ids_BL.expand(rows, -1))

    def upto(self, length: int) -> "Lane":
        return Lane(self.ids_BL[:, :length])

    def keep(self, numbers: Sequence[int]) -> None:
        self.rows = [*numbers]


class Author:
    """Of a hole row n writes `scripts[n]`, and ends; of what it reads it expects the `truth` to go on."""

    window, block, digest, is_causal, checkpoint = 4096, 1, "0" * 64, True, ROW

    def __init__(self, truth: bytes, scripts: Sequence[bytes]) -> None:
        self.truth, self.scripts = truth, scripts
        self.tokenizer, self.framing = tokenizer(), framings()[ROW.framing]
        self.vocab = len(self.tokenizer.pieces)
        self.head = 0
        self.forwards = 0

    def lane(self) -> Lane:
        return Lane(torch.empty((1, 0), dtype=torch.long))

    def predict(self, ids_BL: Tensor, want_BL: Tensor, lane: Lane) -> Tensor:
        """Peaked logits at what the row's script says at the wanted slot; a first call tells where slots begin."""
        self.forwards += 1
        place = int(want_BL[0].nonzero()[0])
        if len(ids_BL) == 1 and len(lane) == 0:
            self.head, lane.ids_BL = place, ids_BL[:, :place]
        rows = getattr(lane, "rows", [0])
        scripts = [self.scripts[min(number, len(self.scripts) - 1)] for number in rows]
        texts = [[*self.tokenizer.encode(script), self.tokenizer.end_id] for script in scripts]
        at = place - self.head
        return torch.stack([self._peak(ids[min(at, len(ids) - 1)]) for ids in texts])

    def branch(self, ids_R: Tensor, places_R: Tensor, sees_RN: Tensor, want_R: Tensor, lane: Lane) -> Tensor:
        """Peaked where all that a row sees is how the truth begins, else flat."""
        every = torch.cat((lane.ids_BL[0], ids_R))
        rows = []
        for sees_N in sees_RN[want_R]:
            text = self.tokenizer.decode(every[sees_N].tolist())
            begins = self.truth.startswith(text) and len(text) < len(self.truth)
            rows.append(self._peak(self.truth[len(text)]) if begins else torch.zeros(self.vocab))
        return torch.stack(rows)

    def _peak(self, number: int) -> Tensor:
        return torch.zeros(self.vocab).index_fill(0, torch.tensor([number]), 12.0)
