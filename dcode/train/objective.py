"""The loss of masked diffusion: cross-entropy where the mask fell, and on corrupted visible tokens.

LLaDA's form (arXiv 2502.09992) with one weight a masked token, averaged over the batch; corrupting a share of the
visible tokens and asking for the right ones is CDLM's addition (arXiv 2512.15596).
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from dcode.diffusion.noise import mask_tokens
from dcode.model.backbone import Backbone
from dcode.train.data import Batch


@dataclass(frozen=True, slots=True)
class Noised:
    """What the network sees and is asked: noised ids, document numbers, positions with loss [B, L]; the answers [N]."""

    ids_BL: Tensor
    segment_BL: Tensor
    want_BL: Tensor
    answer_N: Tensor

    def to(self, device: torch.device) -> "Noised":
        """The same on another device."""
        return Noised(*(getattr(self, name).to(device) for name in self.__slots__))


def noised(
    batch: Batch,
    mask_id: int,
    generator: torch.Generator,
    *,
    corrupt_rows: float = 0.0,
    corrupt_rate: float = 0.0,
    special: int = 4,
) -> Noised:
    """Mask eligible tokens by their rates; in a share of the rows replace visible ones by the batch's own tokens.

    Ids below `special` are never corrupted and never the replacement.
    """
    ids_BL, want_BL = mask_tokens(batch.ids_BL, batch.eligible_BL, batch.rate_BL, mask_id, generator)
    if corrupt_rows > 0:
        chosen_B1 = torch.rand((len(ids_BL), 1), generator=generator) < corrupt_rows
        visible_BL = ~want_BL & (batch.ids_BL >= special) & chosen_B1
        hit_BL = visible_BL & (torch.rand(ids_BL.shape, generator=generator) < corrupt_rate)
        # As many untouched ones are asked for, or "visible" would come to mean "wrong".
        asked_BL = visible_BL & (torch.rand(ids_BL.shape, generator=generator) < corrupt_rate)
        pool = batch.ids_BL[batch.ids_BL >= special]
        drawn = pool[torch.randint(len(pool), ids_BL.shape, generator=generator)]
        ids_BL = torch.where(hit_BL, drawn, ids_BL)
        want_BL = want_BL | hit_BL | asked_BL
    return Noised(ids_BL, batch.segment_BL, want_BL, batch.ids_BL[want_BL])


def next_tokens(batch: Batch) -> Noised:
    """What a causal network is asked: every eligible token but a document's first, all in sight behind it."""
    same_BL = torch.zeros_like(batch.eligible_BL)
    same_BL[:, 1:] = batch.segment_BL[:, 1:] == batch.segment_BL[:, :-1]
    want_BL = batch.eligible_BL & same_BL
    return Noised(batch.ids_BL, batch.segment_BL, want_BL, batch.ids_BL[want_BL])


@torch.no_grad()
def misread(asked: Noised, net: Backbone, rows: int, mask_id: int, generator: torch.Generator) -> Noised:
    """In the first rows, a random share of the masks shows what the network would write there; the answers stay.

    So it learns to doubt mistakes of its own, which look righter than tokens from elsewhere.
    """
    part_RL, device = asked.ids_BL[:rows], asked.ids_BL.device
    masked_RL = asked.want_BL[:rows] & (part_RL == mask_id)
    chances_NV = net.logits(net.hidden(part_RL, asked.segment_BL[:rows])[masked_RL]).float().softmax(-1)
    written_RL = part_RL.masked_scatter(masked_RL, torch.multinomial(chances_NV, 1, generator=generator)[:, 0])
    share_R1 = torch.rand((len(part_RL), 1), generator=generator, device=device)
    shown_RL = torch.rand(part_RL.shape, generator=generator, device=device) < share_R1
    return replace(asked, ids_BL=torch.cat((torch.where(shown_RL, written_RL, part_RL), asked.ids_BL[rows:])))


ROUND = 512
"""Wanted positions are padded to a multiple of this: each new matrix shape costs the CPU library time and memory."""


def wanted(hidden_BLD: Tensor, asked: Noised) -> tuple[Tensor, Tensor]:
    """Hidden states [N, D] of the positions with loss and their answers [N], N rounded up; padding answers -100."""
    index_N = asked.want_BL.flatten().nonzero()[:, 0]
    pad = -len(index_N) % ROUND
    answer_N = F.pad(asked.answer_N, (0, pad), value=-100)
    return hidden_BLD.flatten(0, 1).index_select(0, F.pad(index_N, (0, pad))), answer_N


def loss(logits_NV: Tensor, answer_N: Tensor) -> Tensor:
    """Mean cross-entropy in nats."""
    return F.cross_entropy(logits_NV.float(), answer_N)
