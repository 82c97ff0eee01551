"""A run learns, stops when told, resumes to the same numbers, and refuses what is damaged."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dcode.errors import DcodeError, InputError, ModelError, UsageError
from dcode.model.backbone import Backbone, initialise
from dcode.model.load import load
from dcode.model.weights import pack, unpack
from dcode.train import state
from dcode.train.config import Stage, TrainConfig, network, rate_at
from dcode.train.data import Batch
from dcode.train.export import Mean, export
from dcode.train.loop import start, train
from dcode.train.objective import loss, misread, next_tokens, noised, wanted
from tests.oracle import tokenizer

TEXT = "\n".join(f"def f{i}(a, b):\n    total = a + b * {i}\n    return total\n" for i in range(40))
STAGES = (Stage(1.0, 64, 0.5, 0.3, 0.2),)


@pytest.fixture
def config(tmp_path: Path) -> TrainConfig:
    rows = [{"package": "p", "path": "f.py", "text": TEXT, "split": split} for split in ("train", "held")]
    (tmp_path / "files.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    pair = {"package": "p", "request": "add two numbers", "code": "def add(a, b):\n    return a + b"}
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(pair | {"split": s}) + "\n" for s in ("train", "held")))
    tokenizer().engine.save(str(tmp_path / "tokenizer.json"))
    return TrainConfig(
        tmp_path,
        tmp_path / "tokenizer.json",
        tmp_path / "run",
        preset="tiny",
        tokens=256 * 20,
        batch_tokens=256,
        window=128,
        stages=STAGES,
        threads=1,
        compile=False,
        precision="f32",
        save_every_s=0.0,
    )


def test_twenty_steps_in_one_go_equal_ten_and_ten(config: TrainConfig) -> None:
    """Bit for bit: the weights after a stop and a resume are those of an uninterrupted run."""
    whole = list(train(replace(config, out=config.out / "whole"), every=1))
    broken = replace(config, out=config.out / "broken")
    first = train(broken, every=1)
    for _ in range(10):
        next(first)
    first.close()
    rest = list(train(broken, every=1))
    assert rest[0].step == 11 and whole[-1].step == rest[-1].step == 20
    one, two = (state.restore(config.out / name) for name in ("whole", "broken"))
    assert one is not None and two is not None
    assert all(torch.equal(one[1]["net"][name], two[1]["net"][name]) for name in one[1]["net"])
    assert whole[-1].loss < whole[0].loss - 0.3
    assert set(whole[-1].held or {}) == {"0.15", "0.5", "0.9", "holes", "requests"}


def test_a_cpu_that_emulates_bfloat16_is_not_asked_for_it(config: TrainConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    short = replace(config, tokens=256 * 3)
    plain = [report.loss for report in train(replace(short, out=config.out / "f32"), every=1)]
    narrow = []
    for quick in ("float32", "bfloat16"):
        monkeypatch.setattr("dcode.train.loop.quickest_precision", lambda quick=quick: quick)
        asked = replace(short, out=config.out / quick, precision="bf16")
        narrow.append([report.loss for report in train(asked, every=1)])
    assert narrow[0] == plain != narrow[1]


def test_a_causal_peer_learns_the_next_token_from_what_stands_before_it(config: TrainConfig, tmp_path: Path) -> None:
    peer = replace(config, causal=True, tokens=256 * 30)
    reports = list(train(peer, every=1))
    assert reports[-1].loss < reports[0].loss - 0.3
    assert set(reports[-1].held or {}) == {"next", "holes", "requests"}
    export(peer, tmp_path / "out")
    model = load(str(tmp_path / "out"))
    shape = model.net.config
    assert (shape.attention, shape.shift, shape.near, model.block) == ("causal", True, 0, 1)
    ids = torch.tensor([[2, 9, 10, 11, 12, 13]])
    want = torch.tensor([[False, True, True, True, False, False]])
    hidden = torch.tensor([[2, 9, 10, 5, 5, 5]])  # the third answer and all behind it
    assert torch.equal(model.predict(ids, want)[0], model.predict(hidden, want)[0])


def test_a_causal_peer_is_asked_for_all_but_the_first_token_of_a_document() -> None:
    eligible = torch.tensor([[True, True, False, True, True, True]])
    rows = Batch(torch.arange(6)[None], eligible, torch.tensor([[0, 0, 0, 0, 1, 1]]), torch.ones(1, 6))
    asked = next_tokens(rows)
    assert asked.want_BL.tolist() == [[False, True, False, True, False, True]]
    assert asked.answer_N.tolist() == [1, 3, 5] and torch.equal(asked.ids_BL, rows.ids_BL)


def test_a_causal_peer_is_shown_no_wrong_tokens(config: TrainConfig) -> None:
    with pytest.raises(UsageError, match="no wrong tokens"):
        next(train(replace(config, causal=True, corrupt_rows=0.1)))


def test_workers_make_the_rows_that_the_run_would_have_made(config: TrainConfig) -> None:
    short = replace(config, tokens=256 * 5)
    alone, helped = (
        [report.loss for report in train(replace(short, out=config.out / str(workers), workers=workers), every=1)]
        for workers in (0, 1)
    )
    assert len(alone) == 5 and alone == helped


def test_what_was_exported_loads_and_predicts(config: TrainConfig, tmp_path: Path) -> None:
    short = replace(config, tokens=512)
    list(train(short))
    card = export(short, tmp_path / "out")
    model = load(str(tmp_path / "out"))
    assert model.digest == card["sha256"] and card["trained"]["steps"] == 2
    assert set(card["held_out_nats"]) == {"0.15", "0.5", "0.9", "holes", "requests"}
    assert json.loads((tmp_path / "out" / "training.json").read_text())["preset"] == "tiny"
    ids = torch.tensor([[model.tokenizer.begin_id, model.tokenizer.mask_id]])
    logits = model.predict(ids, ids == model.tokenizer.mask_id)
    assert logits.shape == (1, len(model.tokenizer.pieces)) and logits.isfinite().all()


def test_a_mean_of_two_models_lies_between_them(config: TrainConfig, tmp_path: Path) -> None:
    short = replace(config, tokens=512)
    list(train(short))
    export(short, tmp_path / "one")
    longer = replace(config, out=config.out / "two", start_from=tmp_path / "one")
    list(train(longer))
    card = export(longer, tmp_path / "two", Mean(tmp_path / "one", 0.75))
    one, two = (unpack((tmp_path / name / "model.safetensors").read_bytes())["norm.weight"] for name in ("one", "two"))
    _, parts = state.restore(longer.out) or (None, {})
    assert torch.allclose(two, 0.25 * one + 0.75 * parts["net"]["norm.weight"]) and not torch.equal(one, two)
    assert card["mean"]["share"] == 0.75 and "held_out_nats" not in card
    told = json.loads((tmp_path / "two" / "training.json").read_text())
    assert told["trained"]["tokens"] == config.tokens and told["before"]["trained"]["tokens"] == 512
    (tmp_path / "one" / "training.json").write_text("{")
    with pytest.raises(InputError, match="does not describe a run"):
        export(longer, tmp_path / "three")
    with pytest.raises(InputError, match="missing"):
        export(longer, tmp_path / "three", Mean(tmp_path, 0.5))
    (tmp_path / "one" / "model.safetensors").write_bytes(pack({"norm.weight": one}))
    with pytest.raises(ModelError, match="another network"):
        export(longer, tmp_path / "three", Mean(tmp_path / "one", 0.5))
    (tmp_path / "one" / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match="another tokenizer"):
        export(longer, tmp_path / "three", Mean(tmp_path / "one", 0.5))


def test_weights_from_before_there_were_neighbours_go_on_as_they_were(config: TrainConfig, tmp_path: Path) -> None:
    list(train(replace(config, tokens=256)))
    _, parts = state.restore(config.out) or (None, {})
    older = {name: weight for name, weight in parts["net"].items() if not name.endswith(".taps")}
    assert len(older) < len(parts["net"])
    (tmp_path / "model.safetensors").write_bytes(pack(older))
    net = start(replace(config, start_from=tmp_path), len(tokenizer().pieces))
    assert all(not bool(weight.any()) for name, weight in net.state_dict().items() if name.endswith(".taps"))
    assert torch.equal(net.embed.weight, unpack(pack(older))["embed.weight"])
    del older["norm.weight"]
    (tmp_path / "model.safetensors").write_bytes(pack(older))
    with pytest.raises(ModelError, match="the weights lack norm"):
        start(replace(config, start_from=tmp_path), len(tokenizer().pieces))


def test_frozen_layers_and_embeddings_stay_as_they_were(config: TrainConfig) -> None:
    half = replace(config, tokens=512, frozen=1)
    before = start(half, len(tokenizer().pieces)).state_dict()
    list(train(half))
    _, parts = state.restore(config.out) or (None, {})
    moved = {name for name, weight in parts["net"].items() if not torch.equal(weight, before[name])}
    assert moved == {name for name in before if name.startswith(("layers.1.", "norm."))}
    with pytest.raises(UsageError, match="2 layers"):
        start(replace(config, frozen=2), len(tokenizer().pieces))


def test_a_folder_has_one_run_at_a_time(config: TrainConfig) -> None:
    first = train(config, every=1)
    next(first)
    with pytest.raises(InputError, match="another run is training"):
        next(train(config))
    first.close()
    assert next(train(config, every=1)).step == 2


def test_a_damaged_state_is_refused(config: TrainConfig) -> None:
    list(train(replace(config, tokens=256)))
    path = config.out / state.STATE
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelError, match="damaged"):
        next(train(config))


def test_a_state_of_another_tokenizer_is_refused(config: TrainConfig) -> None:
    list(train(replace(config, tokens=256)))
    config.tokenizer.write_text(config.tokenizer.read_text() + " ")
    with pytest.raises(ModelError, match="another tokenizer"):
        next(train(config))


def test_a_full_disk_keeps_the_old_state(config: TrainConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    list(train(replace(config, tokens=256)))
    before = (config.out / state.STATE).read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InputError, match="No space left"):
        list(train(config))
    assert (config.out / state.STATE).read_bytes() == before
    assert not list(config.out.glob("*.part"))


def test_no_corpus_no_state(config: TrainConfig, tmp_path: Path) -> None:
    with pytest.raises(DcodeError):
        next(train(replace(config, corpus=tmp_path / "nowhere")))
    with pytest.raises(InputError, match="no training state"):
        export(config, tmp_path / "out")


def test_the_rate_warms_up_stays_and_decays(config: TrainConfig) -> None:
    rates = [rate_at(share / 100, config) for share in range(101)]
    assert rates[0] < rates[1] == 1.0 == rates[74] and rates[100] == 0.05
    assert rates[75:] == sorted(rates[75:], reverse=True)


def test_corruption_hits_visible_tokens_and_asks_for_the_right_ones() -> None:
    ids = torch.randint(4, 500, (8, 64), generator=torch.Generator().manual_seed(0))
    batch = Batch(ids, torch.zeros_like(ids, dtype=torch.bool), ids * 0, torch.zeros(ids.shape))
    asked = noised(batch, 0, torch.Generator().manual_seed(1), corrupt_rows=1.0, corrupt_rate=0.25)
    changed = asked.ids_BL != ids
    assert 0.15 < changed.float().mean() < 0.35
    assert asked.want_BL[changed].all() and 0.3 < asked.want_BL.float().mean() < 0.6
    assert torch.equal(asked.answer_N, ids[asked.want_BL])


def test_mistakes_of_its_own_show_in_the_first_rows_only_and_what_is_asked_stays() -> None:
    ids = torch.randint(4, 50, (4, 64), generator=torch.Generator().manual_seed(0))
    batch = Batch(ids, torch.ones_like(ids, dtype=torch.bool), ids * 0, torch.full(ids.shape, 0.7))
    asked = noised(batch, 0, torch.Generator().manual_seed(1))
    net = Backbone(network("tiny", 50, 64))
    initialise(net, torch.Generator().manual_seed(2))
    shown = misread(asked, net, 2, 0, torch.Generator().manual_seed(3))
    differs = shown.ids_BL != asked.ids_BL
    assert differs[:2].any() and not differs[2:].any()
    assert asked.want_BL[differs].all() and (asked.ids_BL[differs] == 0).all()
    assert torch.equal(shown.want_BL, asked.want_BL) and torch.equal(shown.answer_N, asked.answer_N)
    again = misread(asked, net, 2, 0, torch.Generator().manual_seed(3))
    assert torch.equal(shown.ids_BL, again.ids_BL)


def test_padding_the_wanted_positions_does_not_change_the_loss() -> None:
    ids = torch.randint(4, 50, (2, 16))
    batch = Batch(ids, torch.ones_like(ids, dtype=torch.bool), ids * 0, torch.full(ids.shape, 0.5))
    asked = noised(batch, 0, torch.Generator().manual_seed(1))
    hidden, table = torch.randn(2, 16, 8), torch.randn(8, 50)
    padded, answers = wanted(hidden, asked)
    assert len(padded) % 512 == 0
    assert float(loss(padded @ table, answers)) == pytest.approx(
        float(loss(hidden[asked.want_BL] @ table, asked.answer_N)), rel=1e-5
    )
