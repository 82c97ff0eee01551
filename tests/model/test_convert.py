"""The embedded store: what is packed comes back, twice gives the same bytes, what runs is what was packed."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer as Engine

from dcode.errors import ModelError
from dcode.model import convert, packed, prune
from dcode.model.backbone import Backbone, initialise
from dcode.model.config import Config
from dcode.model.kernels import RowLinear
from dcode.model.load import Model, load
from dcode.model.tokenizer import Tokenizer
from dcode.train.vocabulary import train_tokenizer
from tests import author

CONFIG = Config(263, 128, 2, 4, 2, 32, 192, 512, 1e6, 1e-6, True, False, True, True, "causal")
TEXT = "def size(path):\n    return path.stat().st_size\n\n\n" * 12


def source() -> Model:
    """A random causal network over bytes and marks, some of whose activations are far larger than others."""
    net = Backbone(CONFIG)
    generator = torch.Generator().manual_seed(0)
    initialise(net, generator)
    with torch.no_grad():
        for name, weight in net.named_parameters():
            if name.endswith("bias"):
                weight.normal_(0, 0.1, generator=generator)
            elif "norm" in name:
                weight[:3] *= 30
    tokenizer = author.tokenizer()
    return Model(net.eval().requires_grad_(False), tokenizer, author.ROW, "0" * 64)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store") / "a"
    convert.convert(source(), TEXT + "\f\n" + TEXT, folder, lambda number: None)
    return folder


def logits(model: Model) -> torch.Tensor:
    ids = torch.tensor([model.tokenizer.encode(TEXT[:200].encode())])
    return model.predict(ids, torch.arange(200)[None] > 0)


def test_converting_twice_gives_the_same_bytes(store: Path, tmp_path: Path) -> None:
    convert.convert(source(), TEXT + "\f\n" + TEXT, tmp_path, lambda number: None)
    assert {path.name: path.read_bytes() for path in store.iterdir()} == {
        path.name: path.read_bytes() for path in tmp_path.iterdir()
    }


def test_what_runs_is_near_the_source_and_nearer_to_what_was_packed(store: Path) -> None:
    wanted, dense, rows = logits(source()), logits(load(str(store), precision="float32")), logits(load(str(store)))

    def off(one: torch.Tensor, other: torch.Tensor) -> float:
        return float((one - other).norm() / other.norm())

    assert 0.01 < off(dense, wanted) < 0.2 and off(rows, dense) < 0.2


def test_errors_fed_back_are_smaller_than_errors_left_alone() -> None:
    generator = torch.Generator().manual_seed(1)
    mixed = torch.randn(128, 128, generator=generator)
    x, weight = torch.randn(512, 128, generator=generator) @ mixed, torch.randn(96, 128, generator=generator)

    def off(inverse: torch.Tensor) -> float:
        codes, zero, step, scale = convert.feed_back(weight, inverse, 4)
        made = packed.unpack(packed.pack(codes, zero, step, 4)).float() * scale[:, None]
        return float((x @ (made - weight).T).norm())

    assert off(convert._inverse(convert._hessian(x))) < 0.8 * off(torch.eye(128, dtype=torch.float64))


@pytest.mark.parametrize("bits", [4, 5])
@given(seed=st.integers(0, 999))
def test_codes_come_back(bits: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    codes = torch.randint(0, 2**bits, (3, 128), generator=generator, dtype=torch.uint8)
    zero = torch.randint(0, 2**bits, (3, 2), generator=generator, dtype=torch.uint8)
    step = (torch.rand(3, 2, generator=generator) * 127 // torch.maximum(zero, 2**bits - 1 - zero)).clamp_min(1)
    step = step.to(torch.uint8)
    wanted = (codes.view(3, 2, 64).int() - zero[..., None].int()) * step[..., None].int()
    assert torch.equal(packed.unpack(packed.pack(codes, zero, step, bits)).int(), wanted.view(3, 128))


@pytest.mark.parametrize("wide", [False, True])
def test_a_row_gives_the_same_bits_in_any_company(wide: bool) -> None:
    generator = torch.Generator().manual_seed(2)
    rows = torch.randint(-127, 128, (64, 256), generator=generator, dtype=torch.int8)
    layer = RowLinear(rows, torch.rand(64, generator=generator), torch.randn(64, generator=generator), wide=wide)
    x = torch.randn(64, 256, generator=generator) * torch.rand(64, 1, generator=generator) * 9
    together = layer(x)
    for company in (1, 2, 7, 33):
        assert torch.equal(torch.cat([layer(part) for part in x.split(company)]), together)


def test_fourteen_bits_are_near_the_exact_product_and_seven_are_not() -> None:
    generator = torch.Generator().manual_seed(3)
    rows, scale = torch.randint(-127, 128, (64, 256), generator=generator, dtype=torch.int8), torch.rand(64)
    x = torch.randn(9, 256, generator=generator)
    x[:, 5] *= 40  # one activation that dwarfs the others
    exact = x @ (rows.float() * scale[:, None]).T
    narrow, wide = ((RowLinear(rows, scale, None, wide=w)(x) - exact).norm() / exact.norm() for w in (False, True))
    assert wide < 0.005 < 0.02 < narrow


def test_a_store_that_was_changed_or_cut_short_is_refused(store: Path, tmp_path: Path) -> None:
    for path in store.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    shard = next(tmp_path.glob("*.safetensors"))
    whole = load_file(shard)
    save_file({**whole, "embed": whole["embed"] + 1}, shard)
    with pytest.raises(ModelError, match=r"not what config\.json says"):
        load(str(tmp_path))
    shard.write_bytes(shard.read_bytes()[:-9])
    with pytest.raises(ModelError, match="cannot be read"):
        load(str(tmp_path))


def test_a_smaller_vocabulary_still_spells_every_text() -> None:
    whole = Tokenizer.of(train_tokenizer([TEXT, "Größe 日本語 " * 9], size=320))
    kept = prune.spells_ascii(whole)
    fewer = Tokenizer.of(Engine.from_str(prune.pruned(whole.engine.to_str(), kept)))
    assert 256 < len(fewer.pieces) == len(kept) < len(whole.pieces)
    assert not any(len(piece) > 1 and not piece.isascii() for piece in fewer.pieces)
    for text in (TEXT, "Größe 日本語 кириллица 🎉 \r\n\t", "zzz <|end|>"):
        assert fewer.decode(fewer.encode(text.encode())) == text.encode()
    for new, old in enumerate(kept):
        piece = whole.pieces[old]
        assert fewer.pieces[new] == piece
        if piece.isascii() and whole.encode(piece) == [old]:
            assert fewer.encode(piece) == [new]
