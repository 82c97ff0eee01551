"""`dcode eval` with random weights: tables that fit a terminal, JSON that holds every figure, files that resume."""

import json
from pathlib import Path

import pytest
from scripted import Run

from dcode.lessons.family import read_families

COLUMNS = 80
SHORT = ("--slots", "8", "--steps", "2", "--no-feedback", "--threads", "1", "-q")
PROMPTS = [
    {"prompt": "double a number", "kind": "function", "cases": [{"args": [2], "want": 4}]},
    {"prompt": "say three", "kind": "files", "setup": "", "calls": [], "check": "3 is returned or printed"},
]
MODULE = "\n".join(f"def f{i}(a, b):\n    total = a + b * {i}\n    return total\n" for i in range(40))


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few families, so that drawing takes no time."""
    families = read_families()[::40]
    monkeypatch.setattr("dcode.evaluate.lessons.read_families", lambda: families)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with a package of source."""
    (tmp_path / "source/inner").mkdir(parents=True)
    for name in ("one.py", "inner/two.py"):
        (tmp_path / "source" / name).write_text(MODULE, encoding="utf-8")
    return tmp_path / "source"


def lines(out: bytes) -> list[str]:
    """The lines of a table, every one of them narrow enough."""
    found = out.decode().splitlines()
    assert max(map(len, found)) <= COLUMNS, found
    return found


@pytest.mark.usefixtures("few")
def test_lessons_are_answered_once_and_told_in_both_forms(run: Run, tiny: Path, tmp_path: Path) -> None:
    keep = tmp_path / "kept.jsonl"
    line = ("eval", "lessons", "-m", str(tiny), "--rows", "2", "--split", "wording", "--split", "edit", *SHORT)
    seen = run(*line, "--keep", str(keep), "--left-to-right")
    assert seen.code == 0, seen.err
    told = [row.split()[0] for row in lines(seen.out)]
    assert told == ["asked", tiny.name, "wording", "edit", "less", "left", "wording", "edit", "less"]
    kept = keep.read_text().splitlines()
    assert len(kept) == 8
    seen = run(*line, "--keep", str(keep), "--left-to-right", "--json")
    assert keep.read_text().splitlines() == kept
    value = json.loads(seen.out)
    assert list(value["reports"]) == [tiny.name, "left to right"]
    assert {name: found["questions"] for name, found in value["reports"][tiny.name].items()} == {
        "wording": 2,
        "edit": 2,
    }


@pytest.mark.usefixtures("few")
def test_lessons_of_a_domain(run: Run, tiny: Path) -> None:
    domain = read_families()[0].domain
    line = ("eval", "lessons", "-m", str(tiny), "--rows", "2", "--split", "wording", *SHORT)
    told = json.loads(run(*line, "--domain", domain, "--json").out)["reports"][tiny.name]
    assert told["wording"]["questions"] == 2
    seen = run(*line, "--domain", "pipelines")  # none among the few
    assert (seen.code, "nothing is held out there" in seen.err) == (2, True)


def test_what_cannot_be_asked_is_one_line(run: Run, tiny: Path) -> None:
    seen = run("eval", "lessons", "-m", str(tiny), "--split", "nonsense")
    assert (seen.code, "one of wording, pattern" in seen.err) == (2, True)
    seen = run("eval", "lessons", "-m", str(tiny), "--domain", "nonsense")
    assert (seen.code, "one of arrays, basics" in seen.err) == (2, True)
    seen = run("eval", "lessons", "-m", str(tiny), "--rows", "1", "-k", "2")
    assert (seen.code, "-n 2 or more" in seen.err) == (2, True)
    assert run("eval", "prompts", "none.jsonl").code == 4


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("fix", ("--slots 9", "--feedback", "--no-feedback")),
        ("bpb .", ("--slots 9", "--steps 2", "--preset fast", "--temperature 0", "--no-feedback")),
        ("confidence .", ("--slots 9", "--steps 2", "--preset fast", "--temperature 0", "--feedback")),
    ],
)
def test_what_means_nothing_to_a_measurement_is_refused(run: Run, command: str, options: tuple[str, ...]) -> None:
    name, *rest = command.split()
    for option in options:
        seen = run("eval", name, *rest, "-m", "nowhere", *option.split())
        assert (seen.code, seen.out, seen.err.count("\n")) == (2, b"", 1)
        assert f"dcode eval {name} has no use for --" in seen.err and option.split()[0] in seen.err
    shown = run("eval", name, "--help").out
    assert b"--seed" in shown and b"--slots" not in shown and b"--feedback" not in shown


def test_prompts_bring_their_tests(run: Run, tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in PROMPTS), encoding="utf-8")
    seen = run("eval", "prompts", str(path), "-m", str(tiny), "-n", "2", "-k", "2", *SHORT)
    assert seen.code == 0, seen.err
    head, name, *groups = lines(seen.out)
    assert (head.split()[:2], name.strip()) == (["asked", "pass@2"], tiny.name)
    assert [row.split()[:2] for row in groups] == [["function", "1"], ["files", "1"], ["less", "sure"]]


def test_bits_a_byte_by_package(run: Run, tiny: Path, source: Path) -> None:
    line = ("eval", "bpb", str(source), "-m", str(tiny), "--rows", "2", "--length", "32", "-q")
    seen = run(*line)
    assert seen.code == 0, seen.err
    assert [row.split()[0] for row in lines(seen.out)] == ["nats", "inner", "source", "all"]
    value = json.loads(run(*line, "--json").out)
    assert [score["rate"] for score in value["packages"]["all"]] == [0.15, 0.5, 0.9]
    assert all(score["bits_per_byte"] > 0 for score in value["packages"]["inner"])


def test_doubt_about_wrong_tokens(run: Run, tiny: Path, source: Path) -> None:
    line = ("eval", "confidence", str(source), "-m", str(tiny), "--rows", "3", "-q")
    seen = run(*line)
    assert seen.code == 0, seen.err
    assert [row.split()[:2] for row in lines(seen.out)] == [["3", "functions"], ["top", "1"], ["top", "5"]]
    value = json.loads(run(*line, "--json").out)
    assert set(value["top5"]) == {"uniform", "frequency", "plausible", "chance"}
    assert run("eval", "confidence", str(source / "none"), "-m", str(tiny)).code == 4


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One package of our own in place of the public ones, with one body, one range and one change of the lists."""
    from dcode.evaluate import files, sources

    (tmp_path / "package").mkdir()
    (tmp_path / "package/own.py").write_text(MODULE, encoding="utf-8")
    places = [sources.Place(kind, "python", "own", "own.py", "f0", 2, 3) for kind in ("body", "range", "line")]
    change = files.Change("rename", "own", "own.py", "f1", "rename a", "assert new.f1(1, 2) == 3")
    monkeypatch.setattr(sources, "fetched", lambda package, cache: tmp_path / "package")
    monkeypatch.setattr(sources, "read_places", lambda: places)
    monkeypatch.setattr(files, "read_changes", lambda: [change])


@pytest.mark.usefixtures("package")
def test_bodies_are_filled_from_a_shell(run: Run, tiny: Path, tmp_path: Path) -> None:
    keep = tmp_path / "kept.jsonl"
    line = ("eval", "bodies", "-m", str(tiny), "--keep", str(keep), *SHORT)
    seen = run(*line, "--json")
    assert seen.code == 0, seen.err
    value = json.loads(seen.out)
    assert value["options"][:2] == ["--model", str(tiny)] and "--no-feedback" in value["options"]
    assert [*value["figures"]] == ["python, body", "python, range"]
    for figures in value["figures"].values():
        assert figures["places"] == 1 and figures["bytes outside identical"]["hits"] == 1
        assert sum(figures[name]["hits"] for name in ("accepted", "doubted", "refused")) == 1
        assert figures["error"]["hits"] == 0 and figures["peak_mb"] > 50
    kept = keep.read_text()
    told = lines(run(*line).out)
    assert keep.read_text() == kept and told[1] == "python, body"
    seen = run(*line, "-l", "cobol")
    assert (seen.code, "one of python" in seen.err) == (2, True)


@pytest.mark.usefixtures("package")
def test_listed_holes_are_counted_apart(run: Run, tiny: Path) -> None:
    seen = run("eval", "holes", "--dev", "-m", str(tiny), *SHORT)
    assert seen.code == 0, seen.err
    assert [row.split()[:2] for row in lines(seen.out)][:3] == [["holes", "parse"], ["all", "1"], ["line", "1"]]


@pytest.mark.usefixtures("package")
def test_changes_are_asked_for_from_a_shell(run: Run, tiny: Path) -> None:
    seen = run("eval", "edits", "-m", str(tiny), *SHORT, "--json")
    assert seen.code == 0, seen.err
    figures = json.loads(seen.out)["figures"]["edits"]
    assert (figures["changes"], figures["right"]["total"], figures["error"]["hits"]) == (1, 1, 0)


def test_a_package_that_nobody_has_ends_the_measurement(run: Run, tiny: Path, tmp_path: Path) -> None:
    from dcode.evaluate import sources

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources.shutil, "which", lambda _: None)
        seen = run("eval", "bodies", "-m", str(tiny), "-l", "java", "--cache", str(tmp_path / "none"), "-q")
    assert (seen.code, "there is no npm" in seen.err) == (4, True)


def test_functions_are_asked_for_and_filled_in(run: Run, tiny: Path, tmp_path: Path) -> None:
    row = {"prompt": "def double(x):\n    '''Twice x.'''\n", "canonical_solution": "    return 2 * x\n"}
    rows = [{**row, "task_id": f"t{n}", "test": "def check(f):\n    f(1)\n", "entry_point": "double"} for n in range(3)]
    path, keep = tmp_path / "functions.jsonl", tmp_path / "kept.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    line = ("eval", "humaneval", str(path), "-m", str(tiny), "--rows", "2", "--keep", str(keep), *SHORT)
    value = json.loads(run(*line, "--json").out)["reports"][tiny.name]
    assert [(way, report["questions"]) for way, report in value.items()] == [("gen", 2), ("infill", 2)]
    kept = [json.loads(one) for one in keep.read_text().splitlines()]
    assert [one["request"].startswith("def double") for one in kept] == [False, False, True, True]
    assert [one.split()[:2] for one in lines(run(*line).out)[2:4]] == [["gen", "2"], ["infill", "2"]]
    assert len(keep.read_text().splitlines()) == 4
