"""The shape of a network, as data: every supported family is one transformer with other numbers."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from dcode.errors import ModelError

MOST_LAYERS = 1024
MOST_NEAR = 8


@dataclass(frozen=True, slots=True)
class Config:
    """Sizes in elements, `window` in tokens; `shift`: row p-1 predicts position p; `block` for block-causal only.

    `near`: how many neighbours on each side a position sees before attention and feed-forward, whatever it attends to.
    """

    vocab: int
    width: int
    layers: int
    heads: int
    kv_heads: int
    head_width: int
    feed_forward: int
    window: int
    rope_theta: float = 10_000.0
    eps: float = 1e-6
    qkv_bias: bool = False
    qk_norm: bool = False
    tied: bool = True
    shift: bool = False
    attention: Literal["full", "block-causal", "causal"] = "full"
    block: int = 0
    near: int = 0

    def to_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)

    @staticmethod
    def of(values: dict[str, Any]) -> "Config":
        """From plain values; an unknown or missing key is a ModelError."""
        known = {field.name for field in fields(Config)}
        if unknown := set(values) - known:
            raise ModelError(f"config.json has the unknown key {sorted(unknown)[0]!r}")
        try:
            config = Config(**values)
        except TypeError as error:
            raise ModelError(f"config.json is incomplete: {error}") from None
        config.check()
        return config

    def check(self) -> None:
        """Refuse sizes that no network can have (ModelError)."""
        sizes = (self.vocab, self.width, self.layers, self.heads, self.kv_heads, self.head_width, self.feed_forward)
        if not all(isinstance(size, int) and 0 < size < 1 << 24 for size in sizes):
            raise ModelError(f"config.json has an impossible size among {sizes}")
        if self.layers > MOST_LAYERS:
            raise ModelError(
                f"config.json asks for {self.layers} layers; more than {MOST_LAYERS} are taken for a mistake"
            )
        if self.heads % self.kv_heads or self.head_width % 2:
            raise ModelError("config.json: heads must be a multiple of kv_heads, head_width even")
        if self.attention not in ("full", "block-causal", "causal"):
            raise ModelError(f"config.json has the unknown attention {self.attention!r}")
        if (
            not isinstance(self.near, int)
            or not 0 <= self.near <= MOST_NEAR
            or (self.near and self.attention != "full")
        ):
            raise ModelError(
                f"config.json: near is {self.near!r}; 0 to {MOST_NEAR}, and over 0 with full attention only"
            )
        if self.attention == "block-causal" and (not isinstance(self.block, int) or self.block < 1):
            raise ModelError("config.json: block-causal attention needs a block size")
