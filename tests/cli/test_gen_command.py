"""`dcode gen`: what goes to stdout, what is written, what is asked of the job."""

import os
from pathlib import Path

import pytest
from scripted import Dcode, Run, Script


def test_only_the_code_is_on_stdout(run: Run, script: Script) -> None:
    script.answers = [("x = 1\n", "verified")]
    seen = run("gen", "one")
    assert (seen.code, seen.out) == (0, b"x = 1\n")
    assert seen.err == "dcode: verified, 50 % sure, 3 forwards, 1 repair, 0.0 s\n"
    assert run("gen", "one", "-q").err == ""


def test_what_was_asked_reaches_the_job(run: Run, script: Script, tmp_path: Path) -> None:
    script.answers = [("x\n", "verified")]
    (tmp_path / "known.go").write_bytes(b"package known\n")
    line = "--slots 32 --seed 7 --no-feedback -n 2 --context known.go -l go"
    assert run("gen", "one", *line.split()).code == 0
    asked = script.asked
    assert (asked["prompt"], asked["slots"], asked["count"], asked["feedback"]) == ("one", 32, 2, False)
    assert (asked["grammar"].name, asked["plan"].seed, asked["deadline"]) == ("go", 7, None)
    assert [source.view for source in asked["context"]] == [b"package known\n"]


def test_the_job_chooses_the_slots_unless_told(run: Run, script: Script) -> None:
    script.answers = [("x\n", "verified")]
    run("gen", "one")
    assert "slots" not in script.asked


def test_the_time_budget_is_a_deadline(run: Run, script: Script) -> None:
    script.answers = [("x\n", "verified")]
    run("gen", "one", "--time-budget", "5000")
    assert script.asked["deadline"] is not None


def test_the_language_of_a_new_file_is_that_of_its_name(run: Run, script: Script) -> None:
    script.answers = [("let x = 1;\n", "verified")]
    run("gen", "one", "-o", "one.rs")
    assert script.asked["grammar"].name == "rust"
    assert run("gen", "one", "-o", "one.xyz").code == 4


def test_several_candidates_are_counted_in_comments(run: Run, script: Script) -> None:
    script.answers = [("a = 1\n", "verified"), ("b = 2", "uncertified"), ("(", "failed")]
    out = run("gen", "one", "-n", "3").out
    assert out == b"# --- 1 of 2, verified ---\na = 1\n\n# --- 2 of 2, uncertified ---\nb = 2\n"
    compile(out, "several", "exec")


def test_a_file_is_written_and_never_over_another(run: Run, script: Script, tmp_path: Path) -> None:
    script.answers = [("x = 1\n", "verified"), ("y = 2\n", "verified")]
    seen = run("gen", "one", "-o", "new.py")
    assert (seen.code, seen.out) == (0, b"")
    assert "wrote new.py (dcode undo" in seen.err
    assert (tmp_path / "new.py").read_bytes() == b"x = 1\n"
    script.answers = [("z = 3\n", "verified")]
    script.asked = {}
    seen = run("gen", "one", "-o", "new.py")
    assert (seen.code, seen.err, script.asked) == (4, "dcode: new.py exists (--force overwrites it)\n", {})
    assert run("gen", "one", "-o", "new.py", "--force").code == 0
    assert (tmp_path / "new.py").read_bytes() == b"z = 3\n"
    assert run("undo").code == 0
    assert (tmp_path / "new.py").read_bytes() == b"x = 1\n"


def test_a_file_to_know_of_says_its_encoding_as_its_own_language_does(run: Run, script: Script, tmp_path: Path) -> None:
    script.answers = [("x = 1\n", "verified")]
    for name in ("l.py", "script"):
        (tmp_path / name).write_bytes(b"# -*- coding: latin-1 -*-\n# \xe9\n")
    assert run("gen", "one", "-l", "go", "--context", "l.py").code == 0
    assert [known.view for known in script.asked["context"]] == ["# -*- coding: latin-1 -*-\n# é\n".encode()]
    assert run("gen", "one", "--context", "script").code == 0
    assert run("gen", "one", "-l", "go", "--context", "script").code == 4


@pytest.mark.parametrize("before", [b"# -*- coding: latin-1 -*-\n# \xe9\n", b"# \xe9\n", b"\xff\xfe\0", b"\0\r\n"])
def test_what_is_overwritten_need_not_be_text(run: Run, script: Script, tmp_path: Path, before: bytes) -> None:
    script.answers = [("x = 1\n", "verified")]
    (tmp_path / "l.py").write_bytes(before)
    seen = run("gen", "one", "-o", "l.py", "--force", "--json")
    assert seen.code == 0, seen.err
    assert (tmp_path / "l.py").read_bytes() == b"x = 1\n"
    assert run("undo").code == 0
    assert (tmp_path / "l.py").read_bytes() == before


def test_a_folder_is_not_overwritten(run: Run, script: Script) -> None:
    for line in ("-o . -l python", "-o . -l python --force"):
        assert run("gen", "one", *line.split()).err == "dcode: . is a directory (name a file)\n"
    assert script.asked == {}


@pytest.mark.parametrize(
    ("line", "said"), [("-o -", "standard output"), ("-o - --force", "--stdout"), ("--force", "without -o")]
)
def test_options_that_mean_nothing_are_refused(run: Run, script: Script, tmp_path: Path, line: str, said: str) -> None:
    seen = run("gen", "one", *line.split())
    assert (seen.code, seen.out, seen.err.count("\n"), script.asked) == (2, b"", 1, {})
    assert said in seen.err and not [*tmp_path.iterdir()]


def test_a_dangling_link_is_something_that_exists(run: Run, script: Script, tmp_path: Path) -> None:
    script.answers = [("x = 1\n", "verified")]
    (tmp_path / "link.py").symlink_to(tmp_path / "elsewhere.py")
    assert run("gen", "one", "-o", "link.py").code == 4
    assert not (tmp_path / "elsewhere.py").exists()


@pytest.mark.parametrize(
    ("verdict", "options", "code"),
    [
        ("verified", "", 0),
        ("uncertified", "", 0),
        ("fallback", "", 3),
        ("fallback", "--allow-fallback", 0),
        ("failed", "", 3),
        ("failed", "--allow-fallback", 3),
        ("unchecked", "--no-feedback", 0),
    ],
)
def test_the_verdict_decides(run: Run, script: Script, verdict: str, options: str, code: int, tmp_path: Path) -> None:
    script.answers = [("x = 1\n", verdict)]  # type: ignore[list-item]
    seen = run("gen", "one", *options.split())
    assert (seen.code, seen.out) == (code, b"x = 1\n" if code == 0 else b"")
    assert run("gen", "one", "-o", "out.py", *options.split()).code == code
    assert (tmp_path / "out.py").exists() == (code == 0)


def test_the_first_that_may_be_used_is_used(run: Run, script: Script) -> None:
    script.answers = [("(", "failed"), ("pass\n", "fallback"), ("x = 1\n", "verified")]
    assert run("gen", "one", "-n", "3").out.endswith(b"x = 1\n")
    assert run("gen", "one", "-n", "3").out.count(b"---") == 2


def test_why_nothing_passed_names_line_and_fault(run: Run, script: Script) -> None:
    script.answers = [("x = 1\nif\n", "failed")]
    err = run("gen", "one").err
    assert err.startswith("dcode: no candidate passed: line 2, ")
    assert err.endswith("(try -n 4, more --steps or another --seed)\n")


def test_nothing_unparsable_is_written_where_nobody_looked(run: Run, script: Script, tmp_path: Path) -> None:
    script.answers = [("if\n", "unchecked")]
    assert run("gen", "one", "--no-feedback").out == b"if\n"
    seen = run("gen", "one", "--no-feedback", "-o", "new.py")
    assert seen.code == 3
    assert "not written: line 1" in seen.err
    assert not (tmp_path / "new.py").exists()


def test_the_request_can_come_from_stdin(run: Run, script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    script.answers = [("x = 1\n", "verified")]
    read, write = os.pipe()
    os.write(write, "größe\n".encode())
    os.close(write)
    with os.fdopen(read, encoding="ascii") as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        assert run("gen", "-").code == 0
    assert script.asked["prompt"] == "größe\n"


@pytest.mark.parametrize("prompt", ["", "  \n", "\udcff"])
def test_a_request_that_says_nothing_is_bad_input(run: Run, script: Script, prompt: str) -> None:
    assert run("gen", prompt).code == 4
    assert not script.asked


def test_bad_input_is_found_before_a_model_is_loaded(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dcode.cli.work.get_ready", lambda settings, **_: pytest.fail("loaded"))
    assert run("gen", "x", "-l", "klingon").code == 2
    assert run("gen", "x", "--context", "/nowhere").code == 4
    assert run("gen", "x", "-o", "/nowhere/at/all.py").code == 4


def test_the_real_thing(dcode: Dcode, run: Run, tiny: Path) -> None:
    line = ("gen", "reverse a string", "-m", str(tiny), "--slots", "16", "--no-feedback", "--threads", "1")
    first, second = dcode(*line), dcode(*line)
    assert first.returncode in (0, 3)
    assert (first.returncode, first.stdout) == (second.returncode, second.stdout)
    assert run("gen", "x", "-m", str(tiny), "--time-budget", "1").code == 6
    assert run("gen", "x", "-m", "nowhere").code == 2


def test_a_damaged_model_is_5(run: Run, tiny: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for file in tiny.iterdir():
        (broken / file.name).write_bytes(file.read_bytes())
    (broken / "model.safetensors").write_bytes((tiny / "model.safetensors").read_bytes() + b"\0")
    seen = run("gen", "x", "-m", str(broken))
    assert (seen.code, seen.out) == (5, b"")
