"""`dcode train` and `dcode eval`: four commands that read what the last one made, and where they may write."""

import json
import os
import signal
from pathlib import Path

import pytest
from scripted import Run

from dcode.cli import train as command
from dcode.cli.patience import patient

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


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """Two installed packages, one of them held out."""
    root = tmp_path / "root"
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


def test_four_commands_make_a_model_that_runs(run: Run, packages: Path, tmp_path: Path) -> None:
    made = {name: str(tmp_path / name) for name in ("corpus", "tokenizer.json", "run", "model")}
    roots = ["--root", str(packages), "--held-out", "omega", "--no-library", "-q"]
    seen = run("train", "corpus", "--out", made["corpus"], *roots)
    assert seen.code == 0, seen.err
    rows = {row.split()[0]: row.split() for row in seen.out.decode().splitlines()}
    assert int(rows["train"][2]) > 0
    assert rows["held"][1] == "1"
    assert run("train", "corpus", "--out", made["corpus"], *roots).code == 4
    seen = run("train", "tokenizer", made["corpus"], "--out", made["tokenizer.json"], "--size", "400")
    assert seen.code == 0, seen.err
    line = ["--tokenizer", made["tokenizer.json"], "--out", made["run"], "--preset", "tiny", "--tokens", "600"]
    fast = ["--batch-tokens", "256", "--no-compile", "--threads", "1", "-q"]
    seen = run("train", "run", made["corpus"], *line, *fast)
    assert seen.code == 0, seen.err
    assert seen.out.startswith(b"step ")
    seen = run("train", "export", made["run"], "--out", made["model"])
    assert seen.code == 0, seen.err
    assert run("train", "export", made["run"], "--out", made["model"]).code == 4
    assert run("gen", "x", "-m", made["model"], "--slots", "4", "--no-feedback", "-q").code in (0, 3)


def test_outside_a_checkout_every_place_must_be_named(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "PACKAGE", tmp_path / "lib" / "dcode")
    for line in (["corpus"], ["tokenizer"], ["run"], ["export"]):
        seen = run("train", *line)
        assert (seen.code, seen.err.count("--out DIR")) == (2, 1)


@pytest.mark.parametrize("line", [["corpus"], ["tokenizer"], ["run"], ["export"]])
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
    assert (seen.code, seen.out.split()[:2]) == (0, [b"tasks", b"pass@1"])
    assert run("eval", "infill", "none.jsonl").code == 4
