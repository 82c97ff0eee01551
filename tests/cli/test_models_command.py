"""`dcode models`: pulling from a loopback hub, checking, choosing and removing, as a person sees it."""

import sys
from pathlib import Path

import pytest
from scripted import Dcode, Process, Run

from dcode.model import registry

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "model"))
from loopback import COMMIT, Hub, serving

FILES = {"model.safetensors": bytes(5000), "config.json": b'{"model_type": "dream"}', "evil.py": b"boom"}
NAME, REPOSITORY = "dreamon-7b", "Dream-org/DreamOn-v0-7B"


def settings(tmp_path: Path, hub: Hub) -> dict[str, str]:
    home = {name: str(tmp_path / name) for name in ("HF_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME")}
    return home | {"HF_ENDPOINT": hub.endpoint}


@pytest.fixture
def pulled(dcode: Dcode, tmp_path: Path) -> tuple[Process, dict[str, str]]:
    with serving(Hub(FILES, repository=REPOSITORY)) as hub:
        return dcode("models", "pull", NAME, **settings(tmp_path, hub)), settings(tmp_path, hub)


def test_a_pull_is_told_recorded_verified_and_forgotten(
    dcode: Dcode, pulled: tuple[Process, dict[str, str]], tmp_path: Path
) -> None:
    seen, home = pulled
    assert seen.returncode == 0, seen.stderr.decode()
    assert COMMIT in seen.stdout.decode() and "licence mit" in seen.stderr.decode()
    assert dcode("models", "verify", NAME, **home).returncode == 0
    shown = dcode("models", "show", NAME, **home).stdout.decode()
    assert f"commit      {COMMIT}" in shown and "weights     0.0 MB" in shown
    weights = next(tmp_path.rglob("model.safetensors"))
    weights.resolve().write_bytes(bytes(4999) + b"x")
    broken = dcode("models", "verify", NAME, **home)
    assert broken.returncode == 5 and b"not the file that was pulled" in broken.stderr
    refused = dcode("models", "rm", NAME, "--files", **home)
    assert refused.returncode == 2 and b"--yes" in refused.stderr
    assert dcode("models", "rm", NAME, "--files", "--yes", **home).returncode == 0
    assert not list(tmp_path.rglob("*.safetensors"))
    assert dcode("models", "verify", NAME, **home).returncode == 4


def test_a_model_that_was_not_pulled_or_is_not_whole_is_refused_in_one_line(
    dcode: Dcode, pulled: tuple[Process, dict[str, str]]
) -> None:
    _, home = pulled
    for name, said in (("dream-7b", "models pull dream-7b"), (NAME, "config.json lacks")):
        seen = dcode("gen", "sort a list", "-m", name, **home)
        assert seen.returncode == 5 and seen.stdout == b""
        assert said in seen.stderr.decode() and len(seen.stderr.splitlines()) == 1


def test_a_hub_that_is_gone_leaves_no_record(dcode: Dcode, tmp_path: Path) -> None:
    hub = Hub(FILES, endpoint="http://127.0.0.1:9")
    seen = dcode("models", "pull", NAME, **settings(tmp_path, hub))
    assert seen.returncode == 5 and len(seen.stderr.splitlines()) == 1
    assert not list((tmp_path / "XDG_STATE_HOME").rglob("*.json"))


def test_use_writes_the_persons_own_file(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    file = tmp_path / "dcode" / "config.toml"
    assert run("models", "use", NAME).code == 0
    assert file.read_text() == f'model = "{NAME}"\n'
    assert [line.split()[0] for line in run("models", "list").out.decode().splitlines() if "*" in line] == [f"{NAME}*"]
    file.write_text('steps = 4\nmodel = "mini" # mine\nseed = 2\n')
    run("models", "use", NAME)
    assert file.read_text() == f'steps = 4\nmodel = "{NAME}"\nseed = 2\n'
    file.write_text('[tool.dcode]\nmodel = "mini"\n')
    seen = run("models", "use", NAME)
    assert seen.code == 4 and "has tables" in seen.err


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("dreamon-7b", ["attention  full", "mask id    151666", "holes      length by expand"]),
        ("sdar-8b-chat", ["block      4", "holes      none: it sees nothing behind one", "not on this machine"]),
        ("mini", ["holes                   length by void", "weights      "]),
    ],
)
def test_show_says_what_a_row_knows(run: Run, name: str, said: list[str]) -> None:
    shown = run("models", "show", name).out.decode()
    assert all(fact in shown for fact in said), shown


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["verify", "mini"], 4, "it ships with dcode"),
        (["verify", "dreamon-7b"], 4, "dcode models pull dreamon-7b"),
        (["pull", "mini"], 2, "ships with dcode"),
        (["pull", "nope"], 2, "unknown model"),
        (["rm", "mini"], 4, "was not pulled"),
        (["use", "nope"], 2, "unknown model"),
    ],
)
def test_wrong_requests(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: list[str], code: int, said: str
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    seen = run("models", *args)
    assert seen.code == code and said in seen.err


def test_a_fitted_curve_is_kept_and_found_again(
    run: Run, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    (tmp_path / "a.py").write_text("total = total + 1\n" * 200)
    seen = run("models", "fit", f"mini={tiny}", "--files", str(tmp_path))
    assert seen.code == 0, seen.err
    curve = registry.curve("mini")
    assert curve is not None and {"1", "2", "64"} <= curve.keys() and all(0 < mean <= 1 for mean in curve.values())
