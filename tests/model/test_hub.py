"""Pulling from a hub that is slow, broken, cut off or lies; and the records that a pull leaves."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from loopback import COMMIT, Hub, serving, sha

from dcode.errors import ModelError
from dcode.model import registry
from dcode.model.hub import fetch, look_up
from dcode.model.load import load
from dcode.model.registry import Known, Pulled
from tests.model.tiny import dream, shard

WEIGHTS = bytes(range(256)) * 700
FILES = {"model.safetensors": WEIGHTS, "config.json": b'{"a": 1}', "README.md": b"hi", "pytorch_model.bin": b"x"}


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def pull(hub: Hub, cache: Path) -> tuple[Pulled, int]:
    counted: list[int] = []
    offer = look_up("org/name", endpoint=hub.endpoint)
    record = fetch("m", offer, counted.append, cache=cache, endpoint=hub.endpoint)
    return record, sum(counted)


def test_a_pull_brings_weights_and_texts_at_one_commit_and_nothing_else(tmp_path: Path) -> None:
    with serving(Hub(FILES)) as hub:
        record, counted = pull(hub, tmp_path)
    assert (record.commit, record.licence, record.repository) == (COMMIT, "mit", "org/name")
    assert {name: known.sha256 for name, known in record.files.items()} == {
        name: sha(FILES[name]) for name in ("model.safetensors", "config.json")
    }
    assert (Path(record.folder) / "model.safetensors").read_bytes() == WEIGHTS
    assert counted == record.size
    assert not [asked for asked in hub.asked if ".bin" in asked or "README" in asked]
    assert all(COMMIT in asked for asked in hub.asked if "/resolve/" in asked)


def test_a_pull_that_was_cut_off_goes_on(tmp_path: Path) -> None:
    with serving(Hub(FILES, cut={"model.safetensors": 1 << 16}, slow=0.001)) as hub:
        record, _ = pull(hub, tmp_path)
        assert (Path(record.folder) / "model.safetensors").read_bytes() == WEIGHTS
        before = len(hub.asked)
        pull(hub, tmp_path)
        assert not [asked for asked in hub.asked[before:] if asked.startswith("GET /org")]


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_hub_that_lies_is_found_out_and_the_lie_is_not_kept(tmp_path: Path, name: str) -> None:
    lie = FILES[name][:-1] + b"!"
    with serving(Hub(FILES, lies={name: lie})) as hub:
        with pytest.raises(ModelError, match="not what the hub announced"):
            pull(hub, tmp_path)
        hub.lies.clear()
        record, _ = pull(hub, tmp_path)
    assert (Path(record.folder) / name).read_bytes() == FILES[name]


@pytest.mark.parametrize(
    ("hub", "said"),
    [
        (Hub(FILES, broken=500), "answered 500"),
        (Hub(FILES, broken=403), "answered 403"),
        (Hub(FILES, garbled=True), "makes no sense"),
        (Hub({"config.json": b"{}", "pytorch_model.bin": b"x"}), "no safetensors"),
        (Hub({"../x.safetensors": b"x"}), r"\.\./x\.safetensors"),
        (Hub({"/etc/x.safetensors": b"x"}), "/etc/x"),
    ],
)
def test_a_hub_that_fails_gives_one_line(hub: Hub, said: str) -> None:
    with serving(hub), pytest.raises(ModelError, match=said) as caught:
        look_up("org/name", endpoint=hub.endpoint)
    assert "\n" not in caught.value.what


def test_nobody_there_gives_one_line() -> None:
    with pytest.raises(ModelError) as caught:
        look_up("org/name", endpoint="http://127.0.0.1:9")
    assert "\n" not in caught.value.what
    with serving(Hub(FILES)) as hub, pytest.raises(ModelError, match="does not know"):
        look_up("org/other", endpoint=hub.endpoint)


def test_what_was_pulled_loads_by_name_until_a_byte_of_it_changes(tmp_path: Path) -> None:
    folder, _ = dream(tmp_path / "made")
    shard(folder)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    with serving(Hub(files)) as hub:
        registry.keep(replace(pull(hub, tmp_path / "cache")[0], name="dreamon-7b"))
    ids = torch.arange(24)[None]
    want = ids > 0
    assert torch.equal(load("dreamon-7b").predict(ids, want)[0], load(str(folder)).predict(ids, want)[0])
    weights = Path(load("dreamon-7b").checkpoint.folder) / "model-2-of-2.safetensors"
    weights.resolve().write_bytes(files[weights.name][:-1] + b"x")
    with pytest.raises(ModelError, match="is not the file that was pulled"):
        load("dreamon-7b")


def test_a_licence_that_is_not_stated_is_not_invented() -> None:
    with serving(Hub(FILES, licence=None)) as hub:
        assert look_up("org/name", endpoint=hub.endpoint).licence == "not stated"


@pytest.fixture
def record(tmp_path: Path) -> Pulled:
    folder = tmp_path / "snapshot"
    folder.mkdir()
    (folder / "a.safetensors").write_bytes(b"one")
    return Pulled(
        "m", "org/name", COMMIT, "mit", str(folder), {"a.safetensors": registry.known(folder / "a.safetensors")}
    )


def test_a_record_comes_back_as_it_was_kept(record: Pulled) -> None:
    assert registry.pulled("m") is None
    registry.keep(record)
    assert registry.pulled("m") == record
    assert registry.forget("m") and not registry.forget("m")


@pytest.mark.parametrize("name", ["/abs", "../up", "a/b", "..", "."])
def test_a_name_never_leads_out_of_the_folder_of_records(record: Pulled, tmp_path: Path, name: str) -> None:
    home = tmp_path / "state" / "dcode" / "models"
    victims = [Path(f"{tmp_path}{name}.json"), home / f"{name}.json", home.parent / "up.json"]
    victims = [path for path in victims if path.parent.resolve() != home]
    for path in victims:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{"1": 0.5}')
    named = f"{tmp_path}{name}" if name.startswith("/") else name
    for act in (registry.forget, registry.pulled, registry.curve, lambda n: registry.keep(replace(record, name=n))):
        with suppress(ModelError):
            assert not act(named)
    with suppress(ModelError):
        registry.keep_curve(named, {"1": 0.25})
    assert [path.read_text() for path in victims] == ['{"1": 0.5}'] * len(victims)


def test_a_changed_file_is_hashed_again_and_an_untouched_one_is_not(record: Pulled) -> None:
    path = Path(record.folder) / "a.safetensors"
    path.write_bytes(b"two")
    stale = replace(record, files={path.name: Known(3, path.stat().st_mtime_ns, sha(b"one"))})
    assert registry.verify(stale, thorough=False) == stale
    with pytest.raises(ModelError, match="not the file that was pulled"):
        registry.verify(stale)
    path.write_bytes(b"one")
    assert registry.verify(stale, thorough=False).files[path.name].sha256 == sha(b"one")
    path.unlink()
    with pytest.raises(ModelError, match="lacks"):
        registry.verify(record, thorough=False)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"files": 3}', '{"files": {}, "surplus": 1}', '{"files": {"a": {"size": 1}}}']
)
def test_a_damaged_record_is_refused(record: Pulled, tmp_path: Path, text: str) -> None:
    registry.keep(record)
    (tmp_path / "state" / "dcode" / "models" / "m.json").write_text(text)
    with pytest.raises(ModelError, match="cannot be read"):
        registry.pulled("m")


def test_only_what_was_pulled_is_deleted(record: Pulled) -> None:
    folder = Path(record.folder)
    (folder / "mine.txt").write_text("x")
    registry.delete_files(record)
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]
    (folder / "mine.txt").unlink()
    registry.delete_files(record)
    assert not folder.exists()


def test_deleting_a_cached_snapshot_frees_its_blobs(tmp_path: Path) -> None:
    with serving(Hub(FILES)) as hub:
        record, _ = pull(hub, tmp_path / "cache")
    registry.delete_files(record)
    assert not [
        path for path in (tmp_path / "cache").rglob("*") if path.is_file() and path.stat().st_size >= len(WEIGHTS)
    ]
