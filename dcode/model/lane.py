"""What a causal network keeps of the rows it has computed: their ids, keys and values. It finds by itself what changed.

Shapes: B rows, L positions, K key heads, E head width.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from dcode.model.config import Config

GROWTH = 256
"""Positions that a lane grows by: growing copies what is there."""


class Lane:
    """Keys and values of B rows of equal length. A causal row depends on nothing behind it, so a prefix stays exact.

    `numbers` are the callers' names of the rows: rows that are no longer asked for are let go.
    """

    def __init__(self, config: Config, rows: int = 1) -> None:
        assert config.attention == "causal", "what sees to the right keeps nothing"
        self.config = config
        self.numbers = tuple(range(rows))
        self.ids_BL = torch.empty((rows, 0), dtype=torch.long)
        shape = (rows, config.kv_heads, 0, config.head_width)
        self._keys = [torch.empty(shape) for _ in range(config.layers)]
        self._values = [torch.empty(shape) for _ in range(config.layers)]

    def __len__(self) -> int:
        return self.ids_BL.shape[1]

    def fork(self, rows: int) -> "Lane":
        """So many equal rows that go on from the first one here; this lane stays as it is."""
        return self._of([0] * rows, tuple(range(rows)))

    def upto(self, length: int) -> "Lane":
        """The first positions alone, not copied."""
        other = Lane(self.config, 0)
        other.numbers, other.ids_BL = self.numbers, self.ids_BL[:, :length]
        other._keys, other._values = [*self._keys], [*self._values]
        return other

    def keep(self, numbers: Sequence[int]) -> None:
        """Let go of all rows but these."""
        if tuple(numbers) != self.numbers:
            kept = self._of([self.numbers.index(number) for number in numbers], tuple(numbers))
            self.numbers, self.ids_BL, self._keys, self._values = kept.numbers, kept.ids_BL, kept._keys, kept._values

    def known(self, ids_BL: Tensor) -> int:
        """How many of the first positions hold these ids in every row."""
        length = min(len(self), ids_BL.shape[1])
        same_L = torch.eq(self.ids_BL[:, :length], ids_BL[:, :length]).all(0)
        return int(same_L.int().cumprod(0).sum())

    def put(self, start: int, layer: int, keys_BKLE: Tensor, values_BKLE: Tensor) -> tuple[Tensor, Tensor]:
        """Keep keys and values of the positions from `start` on; all up to their end."""
        stop = start + keys_BKLE.shape[2]
        for kept, new in ((self._keys, keys_BKLE), (self._values, values_BKLE)):
            if kept[layer].shape[2] < stop or kept[layer].dtype != new.dtype or kept[layer].device != new.device:
                rows, heads, _, width = new.shape
                wider = new.new_empty((rows, heads, stop + GROWTH, width))
                wider[:, :, :start] = kept[layer][:, :, :start]
                kept[layer] = wider
            kept[layer][:, :, start:stop] = new
        return self._keys[layer][:, :, :stop], self._values[layer][:, :, :stop]

    def beside(self, layer: int, keys_BKLE: Tensor, values_BKLE: Tensor) -> tuple[Tensor, Tensor]:
        """All keys and values of this lane, and these behind them; nothing is kept."""
        length = len(self)
        keys = torch.cat((self._keys[layer][:, :, :length], keys_BKLE), dim=2)
        return keys, torch.cat((self._values[layer][:, :, :length], values_BKLE), dim=2)

    def remember(self, ids_BL: Tensor) -> None:
        """These are the ids whose keys and values are kept."""
        self.ids_BL = ids_BL.clone()

    def _of(self, places: Sequence[int], numbers: tuple[int, ...]) -> "Lane":
        other, length = Lane(self.config, 0), len(self)
        index = torch.tensor(places, dtype=torch.long)
        other.numbers, other.ids_BL = numbers, self.ids_BL[index]
        other._keys = [kept[:, :, :length].index_select(0, index.to(kept.device)) for kept in self._keys]
        other._values = [kept[:, :, :length].index_select(0, index.to(kept.device)) for kept in self._values]
        return other
