"""`dcode models`: pulling from a loopback hub, checking, choosing and removing, as a person sees it."""

import sys
from pathlib import Path

import pytest
from scripted import Dcode, Process, Run

from dcode.model import registry
from tests.model.tiny import write_gguf

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
    gone = dcode("models", "rm", NAME, "--files", "--yes", **home)
    assert gone.returncode == 0 and f"dcode: forgot {NAME} and its files\n" in gone.stderr.decode()
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
    assert file.read_text() == '[tool.dcode]\nmodel = "mini"\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"model" = "mini"\n', b'model = "dreamon-7b"\n'),
        (b"steps = 4\n  'model'='mini'", b'steps = 4\nmodel = "dreamon-7b"\n'),
        (b'steps = 4\r\nmodel = "mini"\r\nseed = 2\r\n', b'steps = 4\r\nmodel = "dreamon-7b"\r\nseed = 2\r\n'),
        (b'model-x = 1\n#model = "mini"\n', b'model = "dreamon-7b"\nmodel-x = 1\n#model = "mini"\n'),
        (b'exclude = [\n["a"]]\n', b'model = "dreamon-7b"\nexclude = [\n["a"]]\n'),
        ("exclude = ['é']".encode(), "model = \"dreamon-7b\"\nexclude = ['é']".encode()),
    ],
)
def test_use_changes_one_line_however_it_is_written(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bytes, after: bytes
) -> None:
    file = config_file(tmp_path, monkeypatch, before)
    file.chmod(0o640)
    assert run("models", "use", NAME).code == 0
    assert file.read_bytes() == after and file.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'steps = 4 # \xe9\nmodel = "mini"\n', "not UTF-8"),
        (b'model = "mini"\n"model" = "mini"\n', "not TOML"),
        (b"steps = " + b"[" * 20_000, "not TOML"),
        (b'"mod\\u0065l" = "mini"\n', "cannot be changed"),
        (b'model = """\nmini"""\n', "cannot be changed"),
        (b'exclude = ["""\nmodel = "x"\n"""]\n', "cannot be changed"),
        (b'tool = {dcode = {model = "mini"}}\n', "has tables"),
        (b'model.name = "mini"\n', "has tables"),
    ],
)
def test_use_leaves_alone_what_it_cannot_change_for_sure(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bytes, said: str
) -> None:
    file = config_file(tmp_path, monkeypatch, text)
    seen = run("models", "use", NAME)
    assert (seen.code, len(seen.err.splitlines()), seen.out) == (4, 1, b"") and said in seen.err
    assert f'model = "{NAME}"' in seen.err
    assert file.read_bytes() == text


def test_use_follows_a_link_to_the_file(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = config_file(tmp_path, monkeypatch, b"")
    file.rename(tmp_path / "dotfiles.toml")
    file.symlink_to(tmp_path / "dotfiles.toml")
    assert run("models", "use", NAME).code == 0
    assert file.is_symlink() and (tmp_path / "dotfiles.toml").read_text() == f'model = "{NAME}"\n'


def config_file(folder: Path, monkeypatch: pytest.MonkeyPatch, data: bytes) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "home"))
    file = folder / "home" / "dcode" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_bytes(data)
    return file


def test_rm_takes_the_name_of_a_row_and_no_path(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    home = tmp_path / "state" / "dcode" / "models"
    home.mkdir(parents=True)
    victims = [tmp_path / "config.json", home / "other.json", home.parent / "up.json", home / f"{NAME}.length.json"]
    for path in victims:
        path.write_text("{}")
    for name in (str(tmp_path / "config"), "other", "../up", f"{NAME}.length", f"{tmp_path}/../{tmp_path.name}/config"):
        for options in ([], ["--files", "--yes"]):
            seen = run("models", "rm", name, *options)
            assert (seen.code, seen.out) == (2, b"") and "unknown model" in seen.err
    assert all(path.read_text() == "{}" for path in victims)


def test_rm_says_what_it_forgot_even_of_a_damaged_record(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    record = tmp_path / "dcode" / "models" / f"{NAME}.json"
    record.parent.mkdir(parents=True)
    record.write_text("{")
    seen = run("models", "rm", NAME)
    assert (seen.code, seen.out, seen.err) == (0, b"", f"dcode: forgot {NAME}; its files stay\n")
    assert not record.exists()


@pytest.mark.parametrize("text", ["{", '{"a":' * 20_000, "3\xe9"])
def test_show_of_a_model_with_a_hostile_card_is_one_line(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    (tmp_path / "config.json").write_text(text, encoding="latin-1")
    registry.keep(registry.Pulled(NAME, REPOSITORY, COMMIT, "mit", str(tmp_path), {}))
    seen = run("models", "show", NAME)
    assert (seen.code, seen.out, len(seen.err.splitlines())) == (5, b"", 1)
    assert f"{tmp_path / 'config.json'} cannot be read" in seen.err


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


def test_a_file_of_the_persons_own_gets_a_name_and_loses_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    path = write_gguf(tmp_path / "tiny-q8.gguf", **{"general.license": "apache-2.0"})
    assert run("models", "add", str(path)).code == 0 and run("models", "add", str(path), "--name", "mine").code == 0
    listed = [line.split() for line in run("models", "list").out.decode().splitlines()]
    assert [words[:4] for words in listed[-2:]] == [
        [name, "gguf", "apache-2.0", "here"] for name in ("mine", "tiny-q8")
    ]
    shown = run("models", "show", "mine").out.decode()
    assert "qwen2.block_count" in shown and str(path) in shown and "tokenizer.ggml.tokens" not in shown
    assert b"sha256" in run("models", "verify", "mine").out and run("models", "use", "mine").code == 0
    for words, code, said in (
        (("rm", "mine", "--files", "--yes"), 2, "is yours"),
        (("pull", "mine"), 2, "nothing to pull"),
        (("add", str(path), "--name", "mini"), 2, "dcode's own list"),
        (("add", str(path), "--name", "../x"), 2, "cannot be a model's name"),
        (("add", str(tmp_path / "none.gguf")), 5, "there is no model"),
        (("add", str(tmp_path)), 5, "cannot be read"),
        (("convert", str(path), "--out", str(tmp_path / "store")), 5, "not the file that coder is made from"),
        (("convert", str(path), "--out", str(tmp_path)), 4, "is there already"),
    ):
        seen = run("models", *words)
        assert seen.code == code and said in seen.err and len(seen.err.splitlines()) == 1
    assert run("models", "rm", "mine").code == 0 and path.exists()
    assert run("models", "show", "mine").code == 2 and run("models", "show", "tiny-q8").code == 0
