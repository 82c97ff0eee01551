"""The JSON object: valid by the schema that ships, true to what was done, and safe to print."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from scripted import Run, Script

from dcode.resources import data_path

SCHEMA = json.loads(data_path("schemas/result.json").read_text("utf-8"))
VALID = Draft202012Validator(SCHEMA)
TEXT = b"\xef\xbb\xbfdef f():\r\n    return '\xc3\xa9' + 1\r\n"


def checked(out: bytes) -> dict[str, Any]:
    value = json.loads(out)
    VALID.validate(value)
    assert out.isascii()
    return dict(value)


@pytest.fixture
def file(tmp_path: Path, script: Script) -> Path:
    path = tmp_path / "a.py"
    path.write_bytes(TEXT)
    script.answers = [("2", "verified")]
    return path


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_an_infill_is_described_so_that_it_can_be_repeated_from_the_bytes(run: Run, file: Path) -> None:
    seen = run("infill", "a.py", "--at", "2:18", "--json", "--slots", "9", "--seed", "4", "--time-budget", "60000")
    value = checked(seen.out)
    assert (seen.code, value["exit_code"], value["schema"]) == (0, 0, "dcode.result/1")
    assert value["model"] == {"id": "scripted", "sha256": "0" * 64}
    parameters = value["parameters"]
    assert (parameters["slots"], parameters["seed"], parameters["time_budget"], parameters["count"]) == (9, 4, 60000, 1)
    assert parameters["plan"]["seed"] == 4
    assert parameters["holes"] == [{"place": "--at 2:18", "hint": ""}]
    (found,) = value["files"]
    assert (found["path"], found["language"], found["encoding"]) == ("a.py", "python", "utf-8")
    assert (found["bom"], found["newline"], found["written"], found["accepted"]) == (True, "crlf", False, True)
    (edit,) = found["edits"]
    start = edit["start"]
    assert (start["line"], start["column"], start["byte"]) == (2, 18, TEXT.index(b" + 1") + 2 + 1)
    after = TEXT[: start["byte"]] + edit["new"].encode() + TEXT[edit["end"]["byte"] :]
    assert found["sha256_before"] == hashlib.sha256(TEXT).hexdigest()
    assert found["sha256_after"] == hashlib.sha256(after).hexdigest()
    assert found["diff"].startswith("diff --git a/a.py b/a.py\n")
    assert (value["forwards"], value["stopped"], found["repairs"], found["verdict"]) == (3, "clean", 1, "verified")


def test_a_write_says_so(run: Run, file: Path) -> None:
    assert checked(run("infill", "a.py", "--lines", "2", "--json", "-w", "--whole-lines").out)["files"][0]["written"]
    assert file.read_bytes() != TEXT


def test_a_check_exits_1_in_the_object_too(run: Run, file: Path) -> None:
    seen = run("infill", "a.py", "--lines", "2", "--json", "--check")
    assert (seen.code, checked(seen.out)["exit_code"]) == (1, 1)


def test_what_failed_is_described_and_not_written(run: Run, file: Path, script: Script) -> None:
    script.answers = [("(\udcff", "failed"), ("(", "failed")]
    seen = run("infill", "a.py", "--lines", "2", "--json", "-w", "-n", "2")
    value = checked(seen.out)
    assert (seen.code, value["exit_code"], file.read_bytes()) == (3, 3, TEXT)
    (found,) = value["files"]
    assert (found["accepted"], found["written"], found["verdict"]) == (False, False, "failed")
    assert (found["sha256_after"], found["diff"]) == (None, "")
    assert len(found["alternatives"]) == 1


def test_the_object_describes_the_candidate_that_is_used(run: Run, file: Path, script: Script) -> None:
    script.answers = [("3", "fallback"), ("4", "verified"), ("5", "verified")]
    (found,) = checked(run("infill", "a.py", "--lines", "2", "--json", "-n", "3").out)["files"]
    assert found["edits"][0]["new"] == "4"
    assert [other["edits"][0]["new"] for other in found["alternatives"]] == ["3", "5"]


def test_a_generation_is_an_edit_of_nothing(run: Run, script: Script, tmp_path: Path) -> None:
    script.answers = [("x = 1\n", "verified")]
    (found,) = checked(run("gen", "one", "--json").out)["files"]
    assert (found["path"], found["sha256_before"], found["newline"]) == (None, None, "none")
    assert (found["edits"][0]["old"], found["edits"][0]["new"]) == ("", "x = 1\n")
    (tmp_path / "o.py").write_bytes(b"old\n")
    (found,) = checked(run("gen", "one", "--json", "-o", "o.py", "--force").out)["files"]
    assert (found["path"], found["written"]) == ("o.py", True)
    assert found["sha256_before"] == hashlib.sha256(b"old\n").hexdigest()
    assert "-old\n+x = 1\n" in found["diff"]


def test_json_comes_with_no_live_view_and_keeps_notes_on_stderr(run: Run, file: Path) -> None:
    seen = run("infill", "a.py", "--lines", "2", "--json")
    assert "verified" in seen.err
    assert "\x1b" not in seen.err


def test_a_real_run_is_valid(run: Run, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.py").write_bytes(TEXT)
    line = ("--json", "-m", str(tiny), "--threads", "1", "--slots", "6", "-n", "2")
    for verb in (("infill", "a.py", "--lines", "2"), ("gen", "add two numbers")):
        seen = run(*verb, *line)
        assert checked(seen.out)["exit_code"] == seen.code
        assert seen.code in (0, 3)
