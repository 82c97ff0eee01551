"""Real files measured: places drawn and found again, answers judged by what they leave, changes by their tests."""

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from dcode.errors import InputError
from dcode.evaluate import files, sources
from dcode.evaluate.files import Change, Filled, Ran
from dcode.evaluate.sources import Place, draw, read_places

FUNCTION = '''
def add_{0}(one, other):
    """The sum of two."""
    total = one
    for _ in range(other):
        total += 1
    return total

'''
MODULE = "import math\n" + "".join(map(FUNCTION.format, range(12)))
SHELL = "".join(f"f{number}() {{\n    local a=1\n    echo $a\n    return $a\n}}\n\n" for number in range(12))
BODY = Place("body", "python", "own", "own/a.py", "add_0", 5, 8)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A folder like that of a package."""
    (tmp_path / "package/own").mkdir(parents=True)
    for name in ("a.py", "b.py"):
        (tmp_path / "package/own" / name).write_text(MODULE, encoding="utf-8")
    (tmp_path / "package/own/broken.py").write_text("def f(:\n" * 90, encoding="utf-8")
    (tmp_path / "package/own/run.sh").write_text(SHELL, encoding="utf-8")
    return tmp_path / "package"


def writing(new: str, lines: tuple[int, int], code: int = 0) -> files.Shell:
    """A command that puts a text in place of some lines of the file that it is given."""

    def shell(arguments: Sequence[str]) -> Ran:
        path = Path(arguments[1])
        old = path.read_text("utf-8").splitlines(keepends=True)
        path.write_text("".join([*old[: lines[0] - 1], new, *old[lines[1] :]]), encoding="utf-8")
        return Ran(code, json.dumps({"files": [{"verdict": "verified"}]}), "", 1.5, 20.0)

    return shell


def test_the_list_holds_what_it_says() -> None:
    places = read_places()
    counts = Counter((place.group, place.language) for place in places)
    assert counts.pop(("body", "python")) == counts.pop(("range", "python")) == 60
    assert (counts.pop(("line", "python")), counts.pop(("block", "python"))) == (60, 40)
    assert counts == {("body", name): 20 for name in sources.PACKAGES if name != "python"}
    known = {package for packages in sources.PACKAGES.values() for package in packages}
    assert {place.package for place in places if place.group in ("body", "range")} == known
    assert {place.package for place in places if place.group in ("line", "block")} == {*sources.OTHERS}
    assert not known & {*sources.OTHERS}
    assert len({place.task_id for place in places}) == len(places)


def test_a_seed_draws_whole_bodies_of_whole_files(package: Path, tmp_path: Path) -> None:
    fetch = {"own": package}.__getitem__
    drawn = list(draw(fetch, {"python": ("own",), "bash": ("own",)}, ("own",), seed=7))
    assert drawn == list(draw(fetch, {"python": ("own",), "bash": ("own",)}, ("own",), seed=7))
    assert drawn != list(draw(fetch, {"python": ("own",), "bash": ("own",)}, ("own",), seed=8))
    assert "own/broken.py" not in {place.file for place in drawn}
    bodies = [place for place in drawn if place.group == "body" and place.language == "python"]
    assert len(bodies) == 24 and {place.file for place in bodies[:2]} == {"own/a.py", "own/b.py"}
    lines = MODULE.splitlines()
    for place in bodies:
        assert lines[place.first - 1] == "    total = one" and lines[place.last - 1] == "    return total"
    shell = [place for place in drawn if place.language == "bash"]
    assert len(shell) == 12 and all(place.last - place.first == 2 for place in shell)
    assert {place.last - place.first + 1 for place in drawn if place.group == "line"} == {1}
    listed = tmp_path / "places.tsv"
    listed.write_text("".join(f"{place.row()}\n" for place in drawn), encoding="utf-8")
    assert read_places(listed) == tuple(drawn)


@pytest.mark.parametrize(
    ("new", "outcome", "missing"),
    [
        ("    return one + other\n", "accepted", ""),
        ("    return one + nothing\n", "doubted", "nothing"),
        ("    return (\n", "doubted", ""),
        ("    total = one\n    for _ in range(other):\n        total += 1\n    return total\n", "accepted", ""),
    ],
)
def test_a_filled_body_is_judged_by_what_it_leaves(package: Path, new: str, outcome: str, missing: str) -> None:
    row = files.fill(BODY, writing(new, (5, 8)), {"own": package}.__getitem__, ("-m", "x"))
    assert (row.outcome, row.missing, row.text) == (outcome, missing, new)
    assert row.parses is (new != "    return (\n") and row.exact is (new.startswith("    total"))
    assert (row.outside, row.verdict, row.seconds, row.peak_mb) == (True, "verified", 1.5, 20.0)
    assert (package / "own/a.py").read_text("utf-8") == MODULE


def test_what_else_was_changed_is_seen(package: Path) -> None:
    fetch = {"own": package}.__getitem__
    assert not files.fill(BODY, writing("    return 1\n", (4, 8)), fetch, ()).outside
    assert not files.fill(BODY, writing("    return 1\n", (5, 11)), fetch, ()).outside
    refused = files.fill(BODY, lambda _: Ran(3, "", "dcode: no candidate passed", 1.0, 1.0), fetch, ())
    assert (refused.outcome, refused.parses, refused.outside, refused.written) == ("refused", False, True, False)
    assert "no candidate" in refused.error
    assert files.fill(BODY, lambda _: Ran(5, "", "no such model", 1.0, 1.0), fetch, ()).outcome == "error"
    with pytest.raises(InputError, match="no line 900"):
        files.fill(Place("body", "python", "own", "own/a.py", "", 900, 901), writing("", (1, 1)), fetch, ())


def test_an_answer_that_is_not_written_counts_too(package: Path) -> None:
    start = MODULE.index("    total")
    end = MODULE.index("    return total") + len("    return total")
    edit = {"start": {"byte": start}, "end": {"byte": end}, "new": "    return 7"}
    said = json.dumps({"files": [{"verdict": "uncertified", "edits": [edit]}]})
    row = files.fill(BODY, lambda _: Ran(0, said, "", 1.0, 1.0), {"own": package}.__getitem__, ())
    assert (row.outcome, row.text, row.written, row.outside) == ("accepted", "    return 7\n", False, True)


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(("new", "parses"), [("    echo hello\n", True), ("    }\n", False)])
def test_the_shell_itself_reads_shell(package: Path, new: str, parses: bool) -> None:
    place = Place("body", "bash", "own", "own/run.sh", "f0", 2, 4)
    assert files.fill(place, writing(new, (2, 4)), {"own": package}.__getitem__, ()).parses is parses


def test_figures_count_every_row_and_rows_resume(package: Path, tmp_path: Path) -> None:
    asked: list[Place] = []

    def act(place: Place) -> Filled:
        asked.append(place)
        new = "    return one\n" if len(asked) == 1 else "    pass\n"
        return files.fill(place, writing(new, (place.first, place.last)), {"own": package}.__getitem__, ("-m", "x"))

    places, keep = [BODY, Place("body", "python", "own", "own/a.py", "add_1", 13, 16)], tmp_path / "kept.jsonl"
    first = files.each(places, act, Filled, "-m x", keep)
    assert files.each(places, act, Filled, "-m x", keep) == first and len(asked) == 2
    figures = files.fill_figures(first)["python, body"]
    assert (figures["places"], figures["accepted"]["hits"], figures["empty answers"]["hits"]) == (2, 2, 1)
    assert figures["accepted"]["low"] == pytest.approx(0.3424, abs=1e-4)
    assert {len(row) for row in files.table(files.fill_figures(first))} == {3}
    files.each(places, act, Filled, "-m y", keep)
    assert len(asked) == 4


CHANGE = Change(
    *("rename", "own", "own/a.py", "add_0", "rename one to first"),
    "import inspect\nassert [*inspect.signature(new.add_0).parameters] == ['first', 'other']\n"
    "assert new.add_0(2, 3) == old.add_0(2, 3) == 4 and 'def add_0' in text and tree.name == 'add_0'\n",
    (
        "        total += 1\n    return total\n\n\ndef add_1(",
        "        total += 1\n    return total - 1\n\n\ndef add_1(",
    ),
)
HEAD = "def add_0(first, other):\n"


@pytest.mark.parametrize(
    ("new", "lines", "right", "destroyed"),
    [
        (HEAD + "    return first + other - 1\n", (3, 8), True, ""),
        (HEAD + "    return first\n", (3, 8), False, ""),
        (HEAD + "    pass\n", (3, 8), False, "add_0 is emptied"),
        ("", (3, 8), False, "add_0 is lost"),
        (
            HEAD + "    return first + other - 1\n\ndef add_1(one, other):\n    return 3\n",
            (3, 16),
            True,
            "add_1 is another",
        ),
        (HEAD, (3, 8), False, "the file does not parse"),
    ],
)
def test_a_change_is_tried_and_its_damage_seen(
    package: Path, new: str, lines: tuple[int, int], right: bool, destroyed: str
) -> None:
    (package / "own/__init__.py").write_text("")
    row = files.change(CHANGE, writing(new, lines), {"own": package}.__getitem__, ())
    assert (row.right, row.destroyed, row.outcome, row.written) == (right, destroyed, "accepted", True), row.error
    figures = files.change_figures([row])
    assert figures["right"]["hits"] == right and figures["destructive and written"]["hits"] == bool(destroyed)


def test_the_changes_name_packages_of_the_list_and_have_tests_that_compile() -> None:
    changes = files.read_changes()
    assert len(changes) == len({change.kind for change in changes}) == 12
    for change in changes:
        assert change.package in sources.PACKAGES["python"]
        compile(change.test, change.kind, "exec")


def test_a_package_that_cannot_be_had_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources.shutil, "which", lambda _: None)
    with pytest.raises(InputError, match="there is no npm"):
        sources.fetched("npm:none@1", tmp_path)
    assert [*tmp_path.iterdir()] == []


def test_a_package_is_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def client(package: str, command: Sequence[str], folder: Path) -> None:
        assert command[-1] == "own==1" and package == "pypi:own@1"
        shutil.make_archive(str(folder / "own"), "zip", tmp_path, "inner")

    (tmp_path / "inner").mkdir()
    (tmp_path / "inner/a.py").write_text("x = 1\n")
    monkeypatch.setattr(sources, "_client", client)
    place = sources.fetched("pypi:own@1", tmp_path / "cache")
    assert (place / "inner/a.py").read_text() == "x = 1\n"
    monkeypatch.setattr(sources, "_client", None)
    assert sources.fetched("pypi:own@1", tmp_path / "cache") == place
