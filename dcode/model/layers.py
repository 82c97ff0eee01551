"""The parts every supported transformer is made of: RMSNorm, attention with rotary positions, SwiGLU; our own has Near.

Shapes: B rows, L positions, D width, H query heads, K key heads, E head width, F feed-forward width.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the field's name for it

from dcode.model.config import Config

Past = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""What is done with a layer's new keys and values: kept, or put beside those that are; all that may be looked at."""


class RMSNorm(nn.Module):
    """Root-mean-square norm, computed in float32 (arXiv 1910.07467)."""

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        wide = x.float()
        wide = wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.eps)
        return (self.weight * wide).to(x.dtype)


class Attention(nn.Module):
    """Grouped-query attention with half-split rotary positions (arXiv 2305.13245, 2104.09864)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.heads, self.kv_heads, self.head_width = config.heads, config.kv_heads, config.head_width
        inner, inner_kv = config.heads * config.head_width, config.kv_heads * config.head_width
        self.q = nn.Linear(config.width, inner, bias=config.qkv_bias)
        self.k = nn.Linear(config.width, inner_kv, bias=config.qkv_bias)
        self.v = nn.Linear(config.width, inner_kv, bias=config.qkv_bias)
        self.out = nn.Linear(inner, config.width, bias=False)
        self.qkv: nn.Module | None = None  # one product in place of three
        self.q_norm = RMSNorm(config.head_width, config.eps) if config.qk_norm else nn.Identity()
        self.k_norm = RMSNorm(config.head_width, config.eps) if config.qk_norm else nn.Identity()

    def forward(
        self, x_BLD: Tensor, rope: tuple[Tensor, Tensor], mask: Tensor | None, past: Past | None = None
    ) -> Tensor:
        """`past` is given new keys and values, and gives all that the positions may look at."""
        rows, length, _ = x_BLD.shape
        q_BHLE, k_BKLE, v_BKLE = self.project(x_BLD)
        q_BHLE, k_BKLE = rotate(self.q_norm(q_BHLE), rope), rotate(self.k_norm(k_BKLE), rope)
        if past is not None:
            k_BKLE, v_BKLE = past(k_BKLE, v_BKLE)
            return self._grouped(q_BHLE, k_BKLE, v_BKLE, mask)
        if self.kv_heads != self.heads:
            group = self.heads // self.kv_heads
            k_BKLE, v_BKLE = k_BKLE.repeat_interleave(group, 1), v_BKLE.repeat_interleave(group, 1)
        mixed_BHLE = F.scaled_dot_product_attention(q_BHLE, k_BKLE, v_BKLE, attn_mask=mask)
        merged: Tensor = self.out(mixed_BHLE.transpose(1, 2).reshape(rows, length, -1))
        return merged

    def project(self, x_BLD: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries [B, H, L, E], keys and values [B, K, L, E]."""
        if self.qkv is not None:
            inner, inner_kv = self.heads * self.head_width, self.kv_heads * self.head_width
            q, k, v = self.qkv(x_BLD).split([inner, inner_kv, inner_kv], dim=-1)
            return self._split(q, self.heads), self._split(k, self.kv_heads), self._split(v, self.kv_heads)
        q_BHLE = self._split(self.q(x_BLD), self.heads)
        return q_BHLE, self._split(self.k(x_BLD), self.kv_heads), self._split(self.v(x_BLD), self.kv_heads)

    def _grouped(self, q_BHLE: Tensor, k_BKNE: Tensor, v_BKNE: Tensor, mask: Tensor | None) -> Tensor:
        """Few queries over many kept keys: the heads of a group are rows of one product, so that no key is copied."""
        rows, _, length, width = q_BHLE.shape
        group = self.heads // self.kv_heads
        q_BKGE = q_BHLE.reshape(rows, self.kv_heads, group * length, width)
        if mask is not None:
            mask = mask.repeat(1, 1, group, 1)
        mixed_BKGE = F.scaled_dot_product_attention(q_BKGE, k_BKNE, v_BKNE, attn_mask=mask)
        mixed_BHLE = mixed_BKGE.reshape(rows, self.heads, length, width)
        merged: Tensor = self.out(mixed_BHLE.transpose(1, 2).reshape(rows, length, -1))
        return merged

    def _split(self, x_BLD: Tensor, heads: int) -> Tensor:
        rows, length, _ = x_BLD.shape
        return x_BLD.view(rows, length, heads, self.head_width).transpose(1, 2)


class Near(nn.Module):
    """Each position and a weighted sum of its neighbours, channel by channel: Canon layers (arXiv 2512.17351), to both
    sides. Weights of zero change nothing."""

    def __init__(self, width: int, reach: int) -> None:
        super().__init__()
        self.taps = nn.Parameter(torch.zeros(width, 1, 2 * reach))

    def forward(self, x_BLD: Tensor, seen: Sequence[tuple[int, Tensor]]) -> Tensor:
        """`seen`: what `neighbours` gave."""
        out_BLD = x_BLD
        for tap, (offset, there_BL1) in enumerate(seen):
            out_BLD = out_BLD + self.taps[:, 0, tap] * (x_BLD.roll(-offset, dims=1) * there_BL1.to(x_BLD.dtype))
        return out_BLD


def neighbours(length: int, reach: int, segment_BL: Tensor | None, device: torch.device) -> list[tuple[int, Tensor]]:
    """Offsets of the neighbours and where they exist [B or 1, L, 1], 0 or 1: in the row, and in the same segment."""
    place_L = torch.arange(length, device=device)
    found = []
    for offset in (*range(-reach, 0), *range(1, reach + 1)):
        there_BL = ((place_L + offset >= 0) & (place_L + offset < length))[None]
        if segment_BL is not None:
            there_BL = there_BL & torch.eq(segment_BL.roll(-offset, dims=1), segment_BL)
        found.append((offset, there_BL[..., None].float()))
    return found


class SwiGLU(nn.Module):
    """Gated feed-forward layer (arXiv 2002.05202)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.gate = nn.Linear(config.width, config.feed_forward, bias=False)
        self.up = nn.Linear(config.width, config.feed_forward, bias=False)
        self.down = nn.Linear(config.feed_forward, config.width, bias=False)
        self.gate_up: nn.Module | None = None  # one product in place of two

    def forward(self, x_BLD: Tensor) -> Tensor:
        if self.gate_up is not None:
            gate_BLF, up_BLF = self.gate_up(x_BLD).chunk(2, dim=-1)
            made: Tensor = self.down(F.silu(gate_BLF) * up_BLF)
            return made
        out: Tensor = self.down(F.silu(self.gate(x_BLD)) * self.up(x_BLD))
        return out


class Layer(nn.Module):
    """Pre-norm residual layer: attention, then feed-forward."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.attention_norm = RMSNorm(config.width, config.eps)
        self.attention = Attention(config)
        self.feed_forward_norm = RMSNorm(config.width, config.eps)
        self.feed_forward = SwiGLU(config)
        self.attention_near = Near(config.width, config.near) if config.near else None
        self.feed_forward_near = Near(config.width, config.near) if config.near else None

    def forward(
        self,
        x_BLD: Tensor,
        rope: tuple[Tensor, Tensor],
        mask: Tensor | None,
        seen: Sequence[tuple[int, Tensor]] = (),
        past: Past | None = None,
    ) -> Tensor:
        """`seen`: the `neighbours` of a network that looks at them; `past`: keys and values from before."""
        normed_BLD = self.attention_norm(x_BLD)
        if self.attention_near is not None:
            normed_BLD = self.attention_near(normed_BLD, seen)
        x_BLD = x_BLD + self.attention(normed_BLD, rope, mask, past)
        normed_BLD = self.feed_forward_norm(x_BLD)
        if self.feed_forward_near is not None:
            normed_BLD = self.feed_forward_near(normed_BLD, seen)
        out: Tensor = x_BLD + self.feed_forward(normed_BLD)
        return out


def rotary(length: int, head_width: int, theta: float, device: torch.device) -> tuple[Tensor, Tensor]:
    """Cosines and sines of shape [L, E] for positions 0..L-1, in float32."""
    inverse_E2 = theta ** (-torch.arange(0, head_width, 2, device=device, dtype=torch.float32) / head_width)
    angle_LE2 = torch.arange(length, device=device, dtype=torch.float32)[:, None] * inverse_E2
    angle_LE = torch.cat((angle_LE2, angle_LE2), dim=-1)
    return angle_LE.cos(), angle_LE.sin()


def rotate(x_BHLE: Tensor, rope: tuple[Tensor, Tensor]) -> Tensor:
    """Turn each half-split pair of a head by its position's angle."""
    cos_LE, sin_LE = rope
    first, second = x_BHLE.chunk(2, dim=-1)
    turned = torch.cat((-second, first), dim=-1)
    return (x_BHLE * cos_LE + turned * sin_LE).to(x_BHLE.dtype)
