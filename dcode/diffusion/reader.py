"""How likely a text is behind what a causal network has read: several texts in one forward. It samples nothing.

Shapes: R rows read, N wanted rows, V vocabulary.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor


class Reads(Protocol):
    """A causal network as a reader sees it."""

    def branch(self, ids_R: Tensor, places_R: Tensor, sees_RN: Tensor, want_R: Tensor, lane: Any) -> Tensor:
        """Logits [N, V] behind the wanted rows of texts beside a lane."""
        ...


@dataclass(frozen=True, slots=True)
class Branch:
    """A text that leaves the trunk after so many of its tokens."""

    after: int
    ids: tuple[int, ...]


def read(trunk: Sequence[int], branches: Sequence[Branch], network: Reads, lane: Any) -> tuple[Tensor, list[Tensor]]:
    """Log p of every token of a trunk behind a lane of one row, and of those of each branch; one forward.

    The lane's last position is read again, for what it says of the first token: a lane keeps no hidden states.
    """
    known = len(lane) - 1
    ids, places = [int(lane.ids_BL[0, known]), *trunk], list(range(known, known + 1 + len(trunk)))
    sees = torch.ones(len(ids), len(ids), dtype=torch.bool).tril()
    starts = []
    for branch in branches:
        starts.append(len(ids))
        ids += branch.ids[:-1]
        places += range(known + 1 + branch.after, known + branch.after + len(branch.ids))
    rows = len(ids)
    sees_RN = torch.zeros(rows, known + rows, dtype=torch.bool)
    sees_RN[:, :known] = True
    sees_RN[: len(sees), known : known + len(sees)] = sees
    # Row r tells the token behind it: `asked` pairs rows with tokens, the trunk's first, then branch by branch.
    asked = list(enumerate(trunk))
    for start, branch in zip(starts, branches, strict=True):
        own = len(branch.ids) - 1
        sees_RN[start : start + own, known : known + 1 + branch.after] = True
        sees_RN[start : start + own, known + start : known + start + own] = torch.ones(own, own).tril() > 0
        asked += zip((branch.after, *range(start, start + own)), branch.ids, strict=True)
    hidden = _log_p(torch.tensor(ids), torch.tensor(places), sees_RN, asked, network, lane, known)
    first, *others = torch.split(hidden, [len(trunk), *(len(branch.ids) for branch in branches)])
    return first, others


def _log_p(
    ids_R: Tensor,
    places_R: Tensor,
    sees_RN: Tensor,
    asked: Sequence[tuple[int, int]],
    network: Reads,
    lane: Any,
    known: int,
) -> Tensor:
    """Log p of each asked token behind its row."""
    rows_N = torch.tensor([row for row, _ in asked], dtype=torch.long)
    want_R = torch.zeros(len(ids_R), dtype=torch.bool)
    want_R[rows_N] = True
    logits_MV = network.branch(ids_R, places_R, sees_RN, want_R, lane.upto(known))
    log_p_MV = torch.log_softmax(logits_MV, dim=-1)
    place_R = want_R.cumsum(0) - 1
    return log_p_MV[place_R[rows_N], torch.tensor([number for _, number in asked], dtype=torch.long)]
