"""Test doubles for a model: one that knows the answer, one that is random, and the tokenizer both use."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dcode.model.backbone import Backbone, initialise
from dcode.model.checkpoint import Checkpoint
from dcode.model.load import Model
from dcode.model.tokenizer import Tokenizer
from dcode.train.config import network
from dcode.train.vocabulary import train_tokenizer

ROW = Checkpoint("test", "dcode", "", "MIT", "a test double")


@lru_cache(maxsize=1)
def tokenizer() -> Tokenizer:
    """A small byte-level tokenizer, trained on dcode's own text room."""
    here = Path(__file__).resolve().parent
    texts = [path.read_text(encoding="utf-8") for path in sorted(here.glob("*.py"))]
    return Tokenizer.of(train_tokenizer(texts, size=600))


def random_model(seed: int = 0, window: int = 256, **changes: Any) -> Model:
    """A tiny network with random weights."""
    config = network("tiny", len(tokenizer().pieces), window)
    net = Backbone(type(config)(**{**config.to_json(), **changes}))
    initialise(net, torch.Generator().manual_seed(seed))
    return Model(net.eval(), tokenizer(), ROW, "0" * 64)


class Oracle:
    """Answers every hole with a given text, then voids; `sure` is the probability it gives the right id.

    `slips` are ids it answers at first at a slot (counted over all slots, in order), until it is asked there again.
    """

    is_causal = False

    def __init__(
        self, answers: Sequence[bytes], *, sure: float = 0.99, window: int = 1024, slips: dict[int, int] | None = None
    ) -> None:
        self.answers, self.sure, self.window = list(answers), sure, window
        self.tokenizer, self.checkpoint, self.digest = tokenizer(), ROW, "0" * 64
        self.vocab, self.block = len(self.tokenizer.pieces), 0
        self.slips = dict(slips or {})
        self.calls = 0
        self._known: dict[tuple[int, ...], Tensor] = {}
        self._before: Tensor | None = None

    def predict(
        self,
        ids_BL: Tensor,
        want_BL: Tensor,
        lane: object = None,
    ) -> Tensor:
        """Peaked logits at the answer's ids."""
        self.calls += 1
        rows = []
        for ids_L, want_L in zip(ids_BL, want_BL, strict=True):
            target_L = self._target(ids_L)
            wanted = target_L[want_L].clone()
            slots = (target_L >= 0).cumsum(0)[want_L] - 1
            for index, slot in enumerate(slots.tolist()):
                if slot in self.slips:
                    wanted[index] = self.slips.pop(slot)
            logits = torch.full((len(wanted), self.vocab), 0.0)
            peak = torch.log(torch.tensor(self.sure * (self.vocab - 1) / (1 - self.sure)))
            rows.append(logits.scatter(1, wanted[:, None], peak.item()))
        return torch.cat(rows)

    def _target(self, ids_L: Tensor) -> Tensor:
        """The answer at every slot, -1 at context; a canvas is recognised by its context."""
        for context, target in self._known.items():
            if len(context) == len(ids_L) and all(
                c == -1 or c == i for c, i in zip(context, ids_L.tolist(), strict=True)
            ):
                return target
        mask = (ids_L == self.tokenizer.mask_id).tolist()
        target = torch.full((len(ids_L),), -1)
        at = 0
        while at < len(mask):
            if not mask[at]:
                at += 1
                continue
            end = at
            while end < len(mask) and mask[end]:
                end += 1
            ids = self.tokenizer.encode(self.answers.pop(0))
            assert len(ids) <= end - at, "the answer needs more slots"
            target[at:end] = torch.tensor(ids + [self.tokenizer.void_id] * (end - at - len(ids)))
            at = end
        context = tuple(-1 if m else i for m, i in zip(mask, ids_L.tolist(), strict=True))
        self._known[context] = target
        return target
