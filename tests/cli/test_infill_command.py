"""`dcode infill`: which part is meant, what comes out where, and what never happens to a file."""

import io
import subprocess
from pathlib import Path

import pytest
from oracle import Oracle
from scripted import Dcode, Run, Script

from dcode.cli.work import Ready
from dcode.diffusion.plan import Plan
from dcode.syntax.grammar import grammar, languages

TEXT = b"def f(x):\n    y = x + 1\n    return y\n\n\nprint(f(2))\n"


@pytest.fixture
def file(script: Script, tmp_path: Path) -> Path:
    script.answers = [("y = x * 2", "verified")]
    path = tmp_path / "a.py"
    path.write_bytes(TEXT)
    return path


def feed(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_a_diff_that_git_applies_is_the_default(run: Run, file: Path, tmp_path: Path) -> None:
    seen = run("infill", "a.py", "--lines", "2")
    assert seen.code == 0
    assert b"-    y = x + 1\n+    y = x * 2\n" in seen.out
    assert file.read_bytes() == TEXT
    subprocess.run(["git", "apply", "-"], input=seen.out, cwd=tmp_path, check=True)
    assert file.read_bytes() == TEXT.replace(b"x + 1", b"x * 2")


def test_a_diff_made_in_a_subfolder_names_the_path_from_the_root(
    run: Run, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "sub").mkdir()
    file.rename(tmp_path / "sub" / "a.py")
    monkeypatch.chdir(tmp_path / "sub")
    assert b"--- a/sub/a.py\n" in run("infill", "a.py", "--lines", "2").out


def test_from_stdin_comes_the_whole_new_text(run: Run, script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    script.answers = [("y = 2", "verified")]
    feed(monkeypatch, b"\xef\xbb\xbfx = 1\r\ny = 1")
    seen = run("infill", "-", "--lines", "2")
    assert (seen.code, seen.out) == (0, b"\xef\xbb\xbfx = 1\r\ny = 2")
    assert script.asked["grammar"].name == "python"


def test_stdin_is_taken_for_what_it_is_called(run: Run, script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    script.answers = [("1", "verified")]
    feed(monkeypatch, b"[\n0\n]\n")
    assert run("infill", "-", "--lines", "2", "--stdin-filename", "x.json").out == b"[\n1\n]\n"
    assert script.asked["grammar"].name == "json"
    feed(monkeypatch, b"[\n0\n]\n")
    assert b"--- a/x.json" in run("infill", "-", "--lines", "2", "--stdin-filename", "x.json", "--diff").out


def test_the_whole_new_file_on_request(run: Run, file: Path) -> None:
    assert run("infill", "a.py", "--lines", "2", "--stdout").out == TEXT.replace(b"x + 1", b"x * 2")


def test_writing_is_journaled_and_undone_byte_for_byte(run: Run, file: Path) -> None:
    seen = run("infill", "a.py", "--lines", "2", "-w")
    assert (seen.code, seen.out) == (0, b"")
    assert "wrote a.py (dcode undo 1 takes it back)" in seen.err
    assert file.read_bytes() == TEXT.replace(b"x + 1", b"x * 2")
    assert b"infill" in run("log").out
    assert run("undo").code == 0
    assert file.read_bytes() == TEXT
    assert run("undo").code == 4


@pytest.mark.parametrize("newlines", [[b"\n"], [b"\r\n"], [b"\r"], [b"\n", b"\r\n", b"\r", b"\n"]])
@pytest.mark.parametrize("language", languages())
def test_lines_10_to_30_are_written_and_nothing_outside(
    run: Run, script: Script, tmp_path: Path, language: str, newlines: list[bytes]
) -> None:
    script.answers = [("one\n  two", "verified")]
    ends = [newlines[number % len(newlines)] for number in range(39)]
    lines = [b"\t line \xc3\xa9 %d" % number + end for number, end in enumerate(ends, start=1)]
    before = b"\xef\xbb\xbf" + b"".join(lines) + b"no newline"
    head, tail = b"\xef\xbb\xbf" + b"".join(lines[:9]) + b"\t ", ends[29] + b"".join(lines[30:]) + b"no newline"
    path = tmp_path / f"a{grammar(language).suffixes[0]}"
    path.write_bytes(before)
    assert run("infill", path.name, "--lines", "10-30", "-w").code == 0
    after = path.read_bytes()
    assert after.startswith(head + b"one") and after.endswith(b"  two" + tail)
    assert after[len(head) : -len(tail)] in [b"one" + end + b"  two" for end in newlines]
    assert run("undo").code == 0
    assert path.read_bytes() == before


def test_writing_the_same_is_no_write(run: Run, script: Script, file: Path) -> None:
    script.answers = [("y = x + 1", "verified")]
    seen = run("infill", "a.py", "--lines", "2", "-w")
    assert (seen.code, seen.err.splitlines()[0]) == (0, "dcode: a.py stays as it is")
    assert run("log").out == b""


def test_writing_elsewhere_leaves_the_file(run: Run, file: Path, tmp_path: Path) -> None:
    assert run("infill", "a.py", "--lines", "2", "-o", "b.py").code == 0
    assert file.read_bytes() == TEXT
    assert (tmp_path / "b.py").read_bytes() == TEXT.replace(b"x + 1", b"x * 2")
    assert run("infill", "a.py", "--lines", "2", "-o", "b.py").code == 4
    assert run("infill", "a.py", "--lines", "3", "-o", "b.py", "--force").code == 0


def test_check_writes_nothing_and_counts(run: Run, script: Script, file: Path) -> None:
    seen = run("infill", "a.py", "--lines", "2", "--check")
    assert (seen.code, seen.out, file.read_bytes()) == (1, b"", TEXT)
    assert "a.py would change" in seen.err
    seen = run("infill", "a.py", "--lines", "2", "--check", "--diff")
    assert seen.code == 1
    assert seen.out.startswith(b"diff --git")
    script.answers = [("y = x + 1", "verified")]
    assert run("infill", "a.py", "--lines", "2", "--check").code == 0


@pytest.mark.parametrize(
    "line",
    [
        "--check -w",
        "--check -o b.py",
        "-w -o b.py",
        "--diff --stdout",
        "--diff --json",
        "--stdout --json",
        "-w --stdout",
        "-o b.py --stdout",
        "--check --stdout",
    ],
)
def test_outputs_that_contradict_each_other_are_a_usage_error(run: Run, script: Script, file: Path, line: str) -> None:
    seen = run("infill", "a.py", "--lines", "2", *line.split())
    assert (seen.code, seen.out, script.asked) == (2, b"", {})
    assert "contradict each other" in seen.err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("a.py --lines 2 -o -", "--stdout"),
        ("- --lines 2 -o -", "--stdout"),
        ("a.py --lines 2 --force", "--force says nothing without -o"),
        ("a.py --lines 2 -w --force", "--force says nothing without -o"),
        ("a.py --node f --whole-lines", "--whole-lines says nothing without --lines"),
        ("a.py --marker --whole-lines", "--whole-lines says nothing without --lines"),
        (". --marker --whole-lines", "--whole-lines says nothing without --lines"),
        ("a.py --lines 2 --stdin-filename b.py", "--stdin-filename b.py says nothing without -"),
        (". --marker --stdin-filename b.py", "--stdin-filename b.py says nothing without -"),
    ],
)
def test_options_that_mean_nothing_are_refused(
    run: Run, script: Script, file: Path, tmp_path: Path, line: str, said: str
) -> None:
    seen = run("infill", *line.split())
    assert (seen.code, seen.out, seen.err.count("\n"), script.asked) == (2, b"", 1, {})
    assert said in seen.err and [*tmp_path.iterdir()] == [file]


def test_whole_lines_beside_a_node_is_for_the_lines(run: Run, script: Script, file: Path) -> None:
    assert run("infill", "a.py", "--lines", "6", "--node", "f", "--whole-lines").code == 0


def test_what_is_overwritten_need_not_be_text(run: Run, file: Path, tmp_path: Path) -> None:
    (tmp_path / "b.py").write_bytes(b"\xe9\0")
    assert run("infill", "a.py", "--lines", "2", "-o", "b.py", "--force").code == 0
    assert run("undo").code == 0 and (tmp_path / "b.py").read_bytes() == b"\xe9\0"


def test_stdin_cannot_be_written(run: Run, script: Script) -> None:
    assert run("infill", "-", "--lines", "2", "-w").code == 2


def test_holes_are_named_in_every_way_and_sorted(run: Run, script: Script, file: Path) -> None:
    file.write_bytes(TEXT + b"# dcode: say goodbye\n")
    line = "--marker --lines 6 --at 4:1 --node f --hint first --hint second --hint third --hint fourth"
    assert run("infill", "a.py", *line.split()).code == 0
    view = file.read_bytes()
    spans = [view[span.start : span.end] for span in script.asked["spans"]]
    assert spans == [b"y = x + 1\n    return y", b"", b"print(f(2))", b"# dcode: say goodbye"]
    assert script.asked["hints"] == ["first", "second", "third", "say goodbye"]


def test_one_hint_serves_all_holes(run: Run, script: Script, file: Path) -> None:
    assert run("infill", "a.py", "--lines", "2", "--lines", "6", "--hint", "double").code == 0
    assert script.asked["hints"] == ["double", "double"]
    assert run("infill", "a.py", "--lines", "2", "--hint", "a", "--hint", "b").code == 2


def test_whole_lines_take_the_first_indent_too(run: Run, script: Script, file: Path) -> None:
    run("infill", "a.py", "--lines", "2", "--whole-lines")
    assert script.asked["spans"][0].start == TEXT.index(b"    y")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("a.py", 2),
        ("a.py --lines ten", 2),
        ("a.py --lines 3-2", 4),
        ("a.py --lines 0-3", 4),
        ("a.py --lines 90", 4),
        ("a.py --at 1:999", 4),
        ("a.py --at 1", 2),
        ("a.py --node g", 4),
        ("a.py --marker", 4),
        ("a.py --lines 2 --lines 2-3", 4),
        ("a.py --lines 2 -l klingon", 2),
        ("none.py --lines 2", 4),
        ("a.unknown --lines 2", 4),
        (". --lines 2 -l python", 4),
        ("binary.py --lines 1", 4),
    ],
)
def test_bad_places_and_files_are_found_before_a_model_is_loaded(
    run: Run, script: Script, file: Path, tmp_path: Path, line: str, code: int
) -> None:
    (tmp_path / "binary.py").write_bytes(b"x = 1\0\n")
    seen = run("infill", *line.split())
    assert (seen.code, seen.out, script.asked) == (code, b"", {})
    assert seen.err.count("\n") == 1


def test_a_filler_counts_only_where_nothing_stood(run: Run, script: Script, file: Path) -> None:
    script.answers = [("pass", "fallback")]
    assert run("infill", "a.py", "--lines", "2", "--allow-fallback", "-w").code == 3
    assert file.read_bytes() == TEXT
    assert run("infill", "a.py", "--at", "2:5").code == 3
    assert run("infill", "a.py", "--at", "2:5", "--allow-fallback").code == 0


def test_nothing_unparsable_is_written_where_nobody_looked(run: Run, script: Script, file: Path) -> None:
    script.answers = [("y = = 1", "unchecked")]
    assert run("infill", "a.py", "--lines", "2", "--no-feedback").code == 0
    seen = run("infill", "a.py", "--lines", "2", "--no-feedback", "-w")
    assert (seen.code, file.read_bytes()) == (3, TEXT)
    assert "line 2" in seen.err
    script.answers = [("y = 1", "unchecked")]
    assert run("infill", "a.py", "--lines", "2", "--no-feedback", "-w").code == 0


def test_a_fault_that_the_file_had_does_not_stop_a_write(run: Run, script: Script, file: Path) -> None:
    file.write_bytes(b"x = 1\ny = (\n")
    script.answers = [("x = 2", "unchecked")]
    assert run("infill", "a.py", "--lines", "1", "--no-feedback", "-w").code == 0
    assert file.read_bytes() == b"x = 2\ny = (\n"


@pytest.mark.parametrize("answer", ["y = '\udcff'", "y = 'ж'"])
def test_what_the_file_cannot_hold_does_not_pass(run: Run, script: Script, file: Path, answer: str) -> None:
    file.write_bytes(b"# coding: latin-1\n# \xe9\ny = 1\n")
    script.answers = [(answer, "verified"), ("y = 2", "verified")]
    assert run("infill", "a.py", "--lines", "3", "--stdout").out == b"# coding: latin-1\n# \xe9\ny = 2\n"
    script.answers = script.answers[:1]
    seen = run("infill", "a.py", "--lines", "3")
    assert (seen.code, seen.out) == (3, b"")


def test_several_candidates_are_several_diffs_best_first(run: Run, script: Script, file: Path) -> None:
    script.answers = [("y = 1", "verified"), ("y = 2", "verified")]
    out = run("infill", "a.py", "--lines", "2", "-n", "2").out
    assert out.startswith(b"# 1 of 2, verified\ndiff --git")
    assert out.index(b"+    y = 1") < out.index(b"# 2 of 2, verified") < out.index(b"+    y = 2")
    assert b"y = 1" in run("infill", "a.py", "--lines", "2", "-n", "2", "--stdout").out


def test_a_file_that_may_not_be_written_is_refused_before_the_work(
    run: Run, script: Script, file: Path, tmp_path: Path
) -> None:
    script.answers = [("y = (", "failed")]  # what cannot be written is the news, not that the model failed
    file.chmod(0o444)
    assert run("infill", "a.py", "--lines", "2", "-w").err == "dcode: a.py is read-only (make it writable first)\n"
    (tmp_path / "b.py").write_bytes(TEXT)
    (tmp_path / "c.py").hardlink_to(tmp_path / "b.py")
    for line in (["b.py", "-w"], ["a.py", "-o", "b.py", "--force"], ["b.py", "-o", "a.py", "--force"]):
        assert run("infill", "--lines", "2", *line).code == 4
    assert script.asked == {}
    assert (file.read_bytes(), (tmp_path / "b.py").read_bytes()) == (TEXT, TEXT)


def test_a_link_that_was_named_is_followed(run: Run, file: Path, tmp_path: Path) -> None:
    (tmp_path / "link.py").symlink_to("a.py")
    assert run("infill", "link.py", "--lines", "2", "-w").code == 0
    assert file.read_bytes() != TEXT
    assert (tmp_path / "link.py").is_symlink()


def test_a_model_that_knows_fills_two_holes_of_an_odd_file(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Oracle([b"x + 1", b'"\xc3\xa9"'])
    monkeypatch.setattr("dcode.cli.work.get_ready", lambda settings, *_: Ready(model, Plan()))
    monkeypatch.chdir(tmp_path)
    before = b"# coding: latin-1\r\ndef f(x):\r\n\treturn <FILL>\r\n\r\nn\xe4me = <FILL>"
    (tmp_path / "a.py").write_bytes(before)
    seen = run("infill", "a.py", "--marker", "-w", "--show", "always", "--slots", "16")
    after = before.replace(b"<FILL>", b"x + 1", 1).replace(b"<FILL>", b'"\xe9"')
    assert (seen.code, seen.out, (tmp_path / "a.py").read_bytes()) == (0, b"", after)
    assert "verified" in seen.err
    assert "\x1b[" in seen.err


def test_the_real_thing(dcode: Dcode, tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(TEXT)
    line = ("infill", "a.py", "--lines", "2", "-m", str(tiny), "--no-feedback", "--threads", "1", "--slots", "8")
    done = dcode(*line)
    assert done.returncode in (0, 3)
    assert (tmp_path / "a.py").read_bytes() == TEXT
