"""The command line as a whole: help, endings, streams, and that nothing heavy is imported without need."""

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from scripted import Dcode, Run, process_environment

from dcode.cli.app import COMMANDS
from dcode.errors import DcodeError, InputError, ModelError, NothingPassed, OutOfTime, UsageError

QUICK = [
    ("--help",),
    ("--version",),
    ("langs",),
    ("models", "list"),
    ("config", "path"),
    *((name, "--help") for name in COMMANDS),
]


def python(code: str, *args: str, **streams: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-P", "-c", code, *args], env=process_environment(), check=False, **streams)  # type: ignore[call-overload,no-any-return]


def test_what_is_quick_imports_nothing_heavy() -> None:
    code = f"""
import sys
from dcode.cli.app import main
for line in {QUICK!r}:
    code = main(line)
    heavy = {{"torch", "transformers", "tokenizers", "rich", "pydantic"}} & set(sys.modules)
    assert code == 0 and not heavy, (line, code, heavy)
"""
    done = python(code, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize(
    ("given", "wanted"),
    [({}, "1000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "active"}, "None")],
)
def test_threads_sleep_soon_unless_somebody_wants_otherwise(given: dict[str, str], wanted: str) -> None:
    code = "import os; from dcode.cli.app import main; main(['--version']); print(os.environ.get('GOMP_SPINCOUNT'))"
    environment = {name: value for name, value in process_environment().items() if not name.startswith(("GOMP", "OMP"))}
    done = subprocess.run([sys.executable, "-P", "-c", code], env=environment | given, capture_output=True, check=False)
    assert done.stdout.decode().split()[-1] == wanted


def test_completion_does_not_import_torch() -> None:
    code = """
import atexit, sys
atexit.register(lambda: print("torch" in sys.modules))
from dcode.cli.app import main
main([])
"""
    environment = {"_DCODE_COMPLETE": "complete_bash", "COMP_WORDS": "dcode inf", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], env=process_environment() | environment, capture_output=True, check=False
    )
    assert done.stdout.decode().split() == ["infill", "False"]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_listing_says_what_the_command_says(run: Run, name: str) -> None:
    module, line = COMMANDS[name]
    shown = run(name, "--help").out.decode()
    assert line in shown
    assert import_module(f"dcode.cli.{module}").app


def test_help_is_on_stdout_and_lists_every_command(dcode: Dcode) -> None:
    done = dcode("--help")
    assert (done.returncode, done.stderr) == (0, b"")
    for name in COMMANDS:
        assert re.search(rf"^  {name} ", done.stdout.decode(), re.MULTILINE)


def test_no_command_at_all_is_a_usage_error_that_shows_help(dcode: Dcode) -> None:
    done = dcode()
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"Usage: dcode")


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("infil", "did you mean 'infill'?"),
        ("gen", "see dcode gen --help"),
        ("gen x --sed 3", "did you mean --seed"),
        ("gen x --seed three", "see dcode gen --help"),
        ("gen x --seed -1", "see"),
        ("gen x --show sometimes", "see"),
        ("gen x -n 0", "see dcode gen --help"),
        ("gen x -l pyhton", "did you mean python?"),
        ("models", "see dcode models --help"),
        ("models show mnii", "did you mean mini?"),
        ("gen x --config /nowhere.toml", "see"),
    ],
)
def test_what_cannot_be_understood_is_one_line_and_2(run: Run, line: str, hint: str) -> None:
    seen = run(*line.split())
    assert (seen.code, seen.out) == (2, b"")
    assert re.fullmatch(r"dcode: .+\n", seen.err)
    assert hint in seen.err or hint == "see"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("w"), 2),
        (NothingPassed("w"), 3),
        (InputError("w"), 4),
        (ModelError("w"), 5),
        (OutOfTime("w"), 6),
        (DcodeError("w"), 123),
        (ValueError("w"), 123),
        (AssertionError(), 123),
        (OSError(28, "No space left on device"), 4),
        (KeyboardInterrupt(), 130),
        (ModuleNotFoundError("no", name="matplotlib.pyplot"), 2),
        (ModuleNotFoundError("no", name="dcode.nothing"), 123),
    ],
)
def test_every_ending_has_its_code_and_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("dcode.cli.places.read_request", fail)
    seen = run("gen", "x")
    assert (seen.code, seen.out) == (code, b"")
    assert re.fullmatch(r"dcode: .+\n", seen.err)
    shown = run("gen", "x", "-v").err
    assert shown.startswith(seen.err)
    assert "Traceback" in shown
    assert "Traceback" not in seen.err


def test_a_missing_extra_says_what_to_install(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> str:
        raise ModuleNotFoundError("no", name="matplotlib.pyplot")

    monkeypatch.setattr("dcode.cli.places.read_request", fail)
    assert "pip install 'dcode-diffusion[train]'" in run("gen", "x").err


def test_an_error_cannot_steer_the_terminal(run: Run, tmp_path: Path) -> None:
    seen = run("infill", str(tmp_path / "\x1b]0;owned\x07\x9b31m\u202e.py"), "--lines", "1")
    assert seen.code == 4
    assert not set("\x1b\x07\x9b\u202e") & set(seen.err)


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGINT", 130)])
def test_signals_end_it_in_order(name: str, code: int) -> None:
    script = f"""
import signal, sys
import dcode.cli.places as places
places.read_request = lambda prompt: signal.raise_signal(signal.{name})
from dcode.cli.app import main
sys.exit(main(["gen", "x"]))
"""
    done = python(script, capture_output=True)
    assert (done.returncode, done.stdout) == (code, b"")
    assert b"Traceback" not in done.stderr


def test_ctrl_c_while_it_still_starts_is_one_line() -> None:
    script = """
import sys
class Impatient:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Impatient())
from dcode.__main__ import main
sys.exit(main())
"""
    done = python(script, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"dcode: interrupted\n")


@pytest.mark.parametrize("line", [["--help"], ["langs"], ["models", "list"]])
def test_a_closed_pipe_is_silent_and_0(line: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "dcode", *line],
        stdout=write,
        stderr=subprocess.PIPE,
        env=process_environment(),
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_stdout_is_an_error() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "dcode", "langs"],
            stdout=full,
            stderr=subprocess.PIPE,
            env=process_environment(),
            check=False,
        )
    assert done.returncode == 4
    assert re.fullmatch(rb"dcode: .*No space left.*\n", done.stderr)


def test_it_runs_without_stdout_and_stderr(tmp_path: Path) -> None:
    command = f"exec {sys.executable} -P -m dcode langs >&- 2>&-"
    done = subprocess.run(["sh", "-c", command], env=process_environment(), cwd=tmp_path, check=False)
    assert done.returncode == 0


def test_a_hostile_folder_runs_nothing(dcode: Dcode, tmp_path: Path) -> None:
    for name in ("torch", "typer", "rich", "tomllib", "platformdirs", "json", "site", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text("open('owned', 'w')", encoding="utf-8")
    (tmp_path / "dcode").mkdir()
    (tmp_path / "dcode" / "__init__.py").write_text("open('owned', 'w')", encoding="utf-8")
    for line in (["langs"], ["models", "list"], ["config", "show"], ["gen", "x", "-m", "nowhere"]):
        dcode(*line)
    assert not (tmp_path / "owned").exists()
