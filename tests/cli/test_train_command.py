"""`dcode train` and `dcode eval`: commands that read what the last one made, where they may write, and accidents."""

import contextlib
import json
import os
import re
import resource
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from scripted import Run

from dcode.cli import train_places
from dcode.cli.app import main
from dcode.cli.patience import SAME_S, patient
from dcode.lessons.family import read_families
from dcode.train.config import TrainConfig
from dcode.train.export import export

Patch = pytest.MonkeyPatch

FUNCTION = '''"""A module about {0}."""


def {0}(values, limit=3):
    """Return the {0} of the values up to a limit, one after another."""
    kept = []
    for number, value in enumerate(values):
        if number < limit:
            kept.append(value * {1})
    return kept


class {0}_of_things:
    """Keeps {0} things and says how many there are."""

    def __init__(self, things):
        self.things = list(things)

    def count(self):
        """Count the {0} things that are kept."""
        return len([thing for thing in self.things if thing != {1}])
'''


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two installed packages, one of them held out."""
    root = tmp_path_factory.mktemp("root")
    for name, words in (("alpha", "sums means ranks"), ("omega", "peaks gaps")):
        (root / name).mkdir(parents=True)
        for number, word in enumerate(words.split()):
            (root / name / f"{word}.py").write_text(FUNCTION.format(word, number) * 3, encoding="utf-8")
        info = root / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nLicense-Expression: MIT\n")
        rows = [f"{path.relative_to(root)},," for path in sorted((root / name).iterdir())]
        (info / "RECORD").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def made(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the four commands have made corpus, tokenizer.json, run and model."""
    folder = tmp_path_factory.mktemp("made")
    assert main(_corpus(folder, packages)) == 0
    assert main(["train", "tokenizer", str(folder / "corpus"), "--out", str(folder / "tokenizer.json")]) == 0
    assert main(_run(folder, folder / "run", "--preset", "tiny", "--tokens", "600", "--batch-tokens", "256")) == 0
    assert main(["train", "export", str(folder / "run"), "--out", str(folder / "model")]) == 0
    return folder


def _corpus(folder: Path, packages: Path) -> list[str]:
    roots = ["--root", str(packages), "--held-out", "omega", "--no-library", "-q"]
    return ["train", "corpus", "--out", str(folder / "corpus"), *roots]


def _run(folder: Path, out: Path, *options: str) -> list[str]:
    read = [str(folder / "corpus"), "--tokenizer", str(folder / "tokenizer.json")]
    return ["train", "run", *read, "--out", str(out), "--no-compile", "--threads", "1", *options]


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file may grow over so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_four_commands_make_a_model_that_runs(run: Run, packages: Path, made: Path, tmp_path: Path) -> None:
    assert run(*_corpus(made, packages)).code == 4
    seen = run(*_corpus(tmp_path, packages))
    assert seen.code == 0, seen.err
    rows = {row.split()[0]: row.split() for row in seen.out.decode().splitlines()}
    assert int(rows["train"][2]) > 0
    assert rows["held"][1] == "1"
    assert run("train", "export", str(made / "run"), "--out", str(made / "model")).code == 4
    assert run("gen", "x", "-m", str(made / "model"), "--slots", "4", "--no-feedback", "-q").code in (0, 3)


def test_a_model_is_trained_again_by_its_recipe_or_from_its_weights(run: Run, made: Path, tmp_path: Path) -> None:
    model, out = made / "model", tmp_path / "run"
    line = _run(made, out, "--recipe", str(model / "training.json"), "--corrupt", "0.5", "--start-from", str(model))
    seen = run(*line)
    assert seen.code == 0, seen.err
    assert seen.out.startswith(b"step ")
    assert seen.err.startswith(f"dcode: beginning with the weights in {model}; the optimizer starts anew\n")
    told = json.loads((out / "config.json").read_text())
    assert (told["preset"], told["tokens"], told["corrupt_rows"], told["start_from"]) == ("tiny", 600, 0.5, str(model))
    assert run(*line).err.startswith(f"dcode: going on with the run in {out}\n")
    assert run(*_run(made, tmp_path / "other", "--corrupt", "1.5")).code == 2


def test_weights_that_do_not_fit_are_refused(run: Run, made: Path, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    line = _run(made, tmp_path / "run", "--start-from", str(tmp_path / "model"))
    seen = run(*line)
    assert (seen.code, "has no model.safetensors" in seen.err) == (4, True)
    (tmp_path / "model/model.safetensors").write_bytes((made / "model/model.safetensors").read_bytes())
    (tmp_path / "model/tokenizer.json").write_text("{}", encoding="utf-8")
    seen = run(*line)
    assert (seen.code, "another tokenizer" in seen.err) == (5, True)
    assert not (tmp_path / "run").exists()


def test_a_run_goes_on_as_it_was_begun(run: Run, made: Path, tmp_path: Path) -> None:
    """What it was begun with is recorded, and no other command changes the record before it fits the state."""
    out = tmp_path / "run"
    shutil.copytree(made / "run", out)
    recorded = (out / "config.json").read_bytes()
    seen = run(*_run(made, out, "--preset", "nano", "-q"))
    assert (seen.code, seen.err.count("\n"), "is of another network" in seen.err) == (5, 1, True)
    assert (out / "config.json").read_bytes() == recorded
    assert run("train", "export", str(out), "--out", str(tmp_path / "model")).code == 0
    assert run(*_run(made, out, "--tokens", "900", "-q")).code == 0
    told, before = json.loads((out / "config.json").read_text()), json.loads(recorded)
    assert {key for key in told if told[key] != before[key]} <= {"tokens", "out"} and told["tokens"] == 900


def test_the_mean_with_another_model_is_exported(run: Run, made: Path, tmp_path: Path) -> None:
    line = ("train", "export", str(made / "run"), "--out")
    seen = run(*line, str(tmp_path / "none"), "--share", "0.5")
    assert (seen.code, seen.err.count("\n"), "--mean-with" in seen.err) == (2, 1, True)
    assert not (tmp_path / "none").exists()
    assert run(*line, str(tmp_path / "one")).code == 0
    assert run(*line, str(tmp_path / "two"), "--mean-with", str(tmp_path / "one")).code == 0
    assert json.loads((tmp_path / "two/config.json").read_text())["mean"]["share"] == 0.5


def test_a_damaged_state_is_one_line(run: Run, made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "run", tmp_path / "run")
    state = tmp_path / "run/state.pt"
    for data in (b"", state.read_bytes()[:-1], b"x" + state.read_bytes()[1:]):
        state.write_bytes(data)
        for line in (_run(made, tmp_path / "run"), ["train", "export", str(tmp_path / "run"), "--out", str(tmp_path)]):
            seen = run(*line, *(["-q"] if line[1] == "run" else []))
            assert (seen.code, seen.err.count("\n"), "is damaged" in seen.err) == (5, 1, True)


def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(
    run: Run, packages: Path, made: Path, tmp_path: Path
) -> None:
    with full_disk(20_000):
        seen = run("train", "export", str(made / "run"), "--out", str(tmp_path / "model"))
        assert (seen.code, seen.err.count("\n"), "could not be written" in seen.err) == (4, 1, True)
        assert not list(tmp_path.rglob("*.*"))
        seen = run(*_run(made, tmp_path / "run", "--preset", "tiny", "--tokens", "64", "--batch-tokens", "64", "-q"))
        assert (seen.code, seen.err.count("\n"), "could not be written" in seen.err) == (4, 1, True)
        assert not {path.name for path in (tmp_path / "run").iterdir()} - {"config.json", "log.jsonl"}
    with full_disk(500):
        seen = run(*_corpus(tmp_path, packages))
        assert (seen.code, seen.err.count("\n"), "could not be written" in seen.err) == (4, 1, True)
        assert not list((tmp_path / "corpus").iterdir())


def test_an_export_that_is_killed_leaves_the_old_model_or_none_that_loads(
    run: Run, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every step of moving the files in; a folder that holds parts of two models is refused."""

    class Killed(BaseException):
        pass

    def kill_at(step: int) -> None:
        moved: list[Path] = []
        real = Path.replace

        def replace(path: Path, target: Path) -> Path:
            if len(moved) == step:
                raise Killed
            moved.append(path)
            return real(path, target)

        with monkeypatch.context() as patched:
            patched.setattr(Path, "replace", replace)
            patched.setattr(shutil, "rmtree", lambda *_, **__: None)
            with contextlib.suppress(Killed):
                export(config, out)

    config = TrainConfig.of({**json.loads((made / "run/config.json").read_text()), "out": made / "run"})
    out = tmp_path / "model"
    for step in range(4):
        kill_at(step)
        assert not (out / "config.json").exists()
        seen = run("gen", "x", "-m", str(out), "-q")
        assert (seen.code, seen.err.count("\n")) == (5, 1)
    shutil.copytree(made / "model", out, dirs_exist_ok=True)
    card = json.loads((out / "config.json").read_text())
    (out / "config.json").write_text(json.dumps(card | {"sha256": "0" * 64}), encoding="utf-8")
    kill_at(1)
    seen = run("gen", "x", "-m", str(out), "-q")
    assert (seen.code, seen.err.count("\n")) == (5, 1)
    kill_at(99)
    assert run("gen", "x", "-m", str(out), "--slots", "4", "--no-feedback", "-q").code in (0, 3)


def test_a_run_is_drawn(run: Run, made: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "beside/loss.png"
    seen = run("train", "plot", str(made / "run"), "--out", str(path))
    assert (seen.code, seen.out.decode()) == (0, f"{path}\n"), seen.err
    assert path.read_bytes().startswith(b"\x89PNG")
    assert run("train", "plot", str(made / "run"), "--out", str(path)).code == 4
    (tmp_path / "log.jsonl").write_text("{", encoding="utf-8")
    seen = run("train", "plot", str(tmp_path), "--out", str(tmp_path / "x.png"))
    assert (seen.code, "no log of a run" in seen.err) == (4, True)


def test_a_missing_extra_says_what_to_install(run: Run, made: Path, tmp_path: Path, monkeypatch: Patch) -> None:
    monkeypatch.delitem(sys.modules, "dcode.train.plot", raising=False)
    for name in ("matplotlib", "matplotlib.figure"):
        monkeypatch.setitem(sys.modules, name, None)
    seen = run("train", "plot", str(made / "run"), "--out", str(tmp_path / "x.png"))
    assert (seen.code, seen.err) == (2, "dcode: matplotlib is not installed (pip install 'dcode-diffusion[train]')\n")


def test_lessons_are_checked_before_they_are_written(run: Run, tmp_path: Path, monkeypatch: Patch) -> None:
    families = tuple(family for family in read_families() if family.name in ("greatest_value", "count_distinct"))
    monkeypatch.setattr("dcode.lessons.compose.every_family", lambda: families)
    out = ("--out", str(tmp_path), "--rows", "20", "-q")
    seen = run("train", "lessons", *out, "--check")
    assert seen.code == 0, seen.err
    assert re.search(rb"\nall +2 ", seen.out) and b"changes: repair" in seen.out
    assert (tmp_path / "lessons.jsonl").read_bytes().count(b"\n") > 20
    assert run("train", "lessons", *out).code == 4
    broken = tuple(replace(family, test="assert False\n") for family in families)
    monkeypatch.setattr("dcode.lessons.compose.every_family", lambda: broken)
    (tmp_path / "lessons.jsonl").unlink()
    seen = run("train", "lessons", *out, "--check")
    assert (seen.code, (tmp_path / "lessons.jsonl").exists()) == (4, False)
    assert "failed its own test" in seen.err and "lessons fail, the first in [" in seen.err


def test_outside_a_checkout_every_place_must_be_named(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_places, "PACKAGE", tmp_path / "lib" / "dcode")
    for line in (["corpus"], ["lessons"], ["tokenizer"], ["run"], ["plot"], ["export"]):
        seen = run("train", *line)
        assert (seen.code, seen.err.count("--out DIR")) == (2, 1)


@pytest.mark.parametrize("line", [["corpus"], ["lessons"], ["tokenizer"], ["run"], ["plot"], ["export"]])
def test_installed_packages_are_never_written_to(run: Run, tmp_path: Path, line: list[str]) -> None:
    place = tmp_path / "lib" / "site-packages" / "dcode" / "x"
    seen = run("train", *line, "--out", str(place))
    assert (seen.code, place.exists()) == (2, False)
    assert "is inside installed packages" in seen.err


def test_what_is_not_there_says_who_makes_it(run: Run, tmp_path: Path) -> None:
    seen = run("train", "export", str(tmp_path / "none"), "--out", str(tmp_path / "out"))
    assert (seen.code, "dcode train run makes it" in seen.err) == (4, True)
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "config.json").write_text('{"preset": 3}', encoding="utf-8")
    seen = run("train", "export", str(tmp_path / "odd"), "--out", str(tmp_path / "out"))
    assert (seen.code, "does not describe a run" in seen.err) == (4, True)


@pytest.mark.parametrize(("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_the_first_signal_waits_and_the_second_does_not(number: signal.Signals, error: type[BaseException]) -> None:
    handler = signal.getsignal(number)
    with pytest.raises(error), patient() as asked:
        assert not asked()
        os.kill(os.getpid(), number)
        assert asked()
    assert signal.getsignal(number) == handler
    with pytest.raises(KeyboardInterrupt), patient():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)  # at once: the same one, as timeout(1) sends it
        time.sleep(SAME_S)
        os.kill(os.getpid(), signal.SIGINT)
        pytest.fail("the second one waited")


def test_an_evaluation_counts_what_passes(
    run: Run, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [
        {
            "task_id": f"T/{number}",
            "prompt": "def f(x):\n",
            "suffix": "    return x\n",
            "canonical_solution": "    x += 1\n",
            "test": "def check(f):\n    pass\n",
            "entry_point": "f",
        }
        for number in range(2)
    ]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    corpus = [{"text": "def f(x):\n    x += 1\n    return x\n" * 3, "split": "train", "package": "p"}]
    (tmp_path / "files.jsonl").write_text("\n".join(map(json.dumps, corpus)) + "\n", encoding="utf-8")
    line = ("eval", "infill", "t.jsonl", "-m", str(tiny), "--rows", "1", "--slots", "4", "--threads", "1", "-q")
    seen = run(*line, "--json", "--no-feedback", "--ngram", "files.jsonl")
    assert seen.code == 0, seen.err
    value = json.loads(seen.out)
    assert (value["feedback"], value["reports"][tiny.name]["tasks"]) == (False, 1)
    assert value["reports"]["n-gram"]["pass@1"]["hits"] == 1
    seen = run(*line)
    assert (seen.code, seen.out.split()[:3]) == (0, [tiny.name.encode(), b"tasks", b"1"])
    assert run("eval", "infill", "none.jsonl").code == 4
