"""The shape of a network, as data: every supported family is one transformer with other numbers."""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

from dcode.errors import ModelError

MOST = (1 << 24) - 1
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
        # torch takes whole numbers for 64 bits wide.
        return replace(config, rope_theta=float(config.rope_theta), eps=float(config.eps))

    def check(self) -> None:
        """Refuse values that no network can have (ModelError)."""
        self._check_kinds()
        if self.layers > MOST_LAYERS:
            raise ModelError(
                f"config.json asks for {self.layers} layers; more than {MOST_LAYERS} are taken for a mistake"
            )
        if self.heads % self.kv_heads or self.head_width % 2:
            raise ModelError("config.json: heads must be a multiple of kv_heads, head_width even")
        if self.heads * self.head_width > MOST:
            raise ModelError(f"config.json asks for {self.heads} heads of {self.head_width}, which is too wide")
        if self.attention not in ("full", "block-causal", "causal"):
            raise ModelError(f"config.json has the unknown attention {self.attention!r}")
        if not _whole(self.near, 0, MOST_NEAR) or (self.near and self.attention != "full"):
            raise ModelError(
                f"config.json: near is {self.near!r}; 0 to {MOST_NEAR}, and over 0 with full attention only"
            )
        if not _whole(self.block, int(self.attention == "block-causal")):
            raise ModelError(f"config.json: block is {self.block!r}; block-causal attention needs a block size")

    def _check_kinds(self) -> None:
        """A value may come from a file, and be anything: whole numbers first, then the others by name."""
        sizes = (self.vocab, self.width, self.layers, self.heads, self.kv_heads, self.head_width, self.feed_forward)
        if not all(_whole(size, 1) for size in (*sizes, self.window)):
            raise ModelError(f"config.json has an impossible size among {(*sizes, self.window)}")
        for name in ("rope_theta", "eps"):
            value = getattr(self, name)
            if type(value) not in (int, float) or not 0 < value < 1e30:
                raise ModelError(f"config.json: {name} is {value!r}, not a positive number")
        for name in ("qkv_bias", "qk_norm", "tied", "shift"):
            value = getattr(self, name)
            if type(value) is not bool:
                raise ModelError(f"config.json: {name} is {value!r}, not true or false")


def _whole(value: Any, least: int, most: int = MOST) -> bool:
    return type(value) is int and least <= value <= most
