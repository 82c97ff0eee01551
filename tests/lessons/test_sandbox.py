"""The sandbox: what passes, what does not, and what a careless program cannot do."""

import os
import socket
import sys
import time
from pathlib import Path

import pytest

from dcode.lessons.sandbox import Outcome, run, run_many


def quick(program: str, **settings: object) -> Outcome:
    return run(program, timeout_s=10, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("program", "status"),
    [
        ("assert 1 + 1 == 2", "passed"),
        ("assert 1 + 1 == 3", "failed"),
        ("def f(:\n", "failed"),
        ("x = 1\0", "failed"),
        ("x = '\ud800'", "failed"),
        ("input()", "failed"),
        ("raise SystemExit(0)\nassert False", "failed"),
        ("import os; os._exit(0)", "failed"),
        ("import sys; sys.exit(70)", "failed"),
        ("import ctypes; ctypes.string_at(0)", "crashed"),
        ("def f(n): return f(n + 1)\nf(0)", "failed"),
    ],
)
def test_status(program: str, status: str) -> None:
    assert quick(program).status == status


def test_leaving_with_zero_passes_when_asked_for() -> None:
    assert quick("import sys; sys.exit(0)", exit_passes=True).passed
    assert not quick("import sys; sys.exit(1)", exit_passes=True).passed


def test_output_and_traceback_are_the_programs_own() -> None:
    outcome = quick("import sys\nprint('héllo')\nprint('warn', file=sys.stderr)\n1 / 0")
    assert outcome.stdout == "héllo\n"
    assert outcome.stderr.startswith("warn\n")
    assert "1 / 0" in outcome.stderr
    assert "guard.py" not in outcome.stderr


def test_output_is_capped() -> None:
    outcome = quick("print('x' * 1_000_000)")
    assert outcome.passed
    assert len(outcome.stdout) == 64 * 1024


def test_stdin_is_given() -> None:
    assert quick("assert input() == 'a'\nassert input() == 'b'", stdin="a\nb\n").passed


def test_endless_loops_end() -> None:
    for program in ("while True: pass", "import time; time.sleep(60)"):
        began = time.monotonic()
        assert run(program, timeout_s=0.5).status == "timeout"
        assert time.monotonic() - began < 5


def test_it_runs_as_main_with_pickle_and_dataclasses() -> None:
    program = """
import dataclasses, pickle, sys
@dataclasses.dataclass
class Point:
    x: "int"
assert __name__ == "__main__" and len(sys.argv) == 1
assert pickle.loads(pickle.dumps(Point(3))) == Point(3)
"""
    assert quick(program).passed


def test_a_fresh_folder_each_time() -> None:
    program = "import os\nassert os.listdir() == []\nopen('a', 'w').close()\nassert os.listdir() == ['a']"
    assert [outcome.status for outcome in (quick(program), quick(program))] == ["passed", "passed"]


def test_a_given_folder_is_used_and_kept(tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("7")
    assert quick("open('out.txt', 'w').write(open('in.txt').read() * 2)", cwd=tmp_path).passed
    assert (tmp_path / "out.txt").read_text() == "77"


def test_the_environment_is_scrubbed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DCODE_TEST_KEY", "secret")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    program = "import os, sys\nassert 'DCODE_TEST_KEY' not in os.environ and '/nowhere' not in sys.path"
    assert quick(program).passed


@pytest.mark.parametrize(
    "line",
    [
        "import socket; socket.create_connection(('127.0.0.1', PORT), 2)",
        "import socket; socket.getaddrinfo('localhost', 80)",
        "import socket; socket.socket().bind(('127.0.0.1', 0))",
        "import urllib.request; urllib.request.urlopen('http://127.0.0.1:PORT/', timeout=2)",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.system('true')",
        "import os; os.fork()",
        "import os; os.execv('/bin/true', ['true'])",
        "import os; os.posix_spawn('/bin/true', ['true'], {})",
        "import os; os.kill(os.getppid(), 0)",
    ],
)
def test_network_and_processes_are_refused(line: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        outcome = quick(line.replace("PORT", str(server.getsockname()[1])))
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert outcome.status == "failed"
    assert "refused in the sandbox" in outcome.stderr


@pytest.mark.parametrize(
    "line",
    [
        "open(PATH, 'w')",
        "open(PATH, 'r+b')",
        "import os; os.open(PATH, os.O_WRONLY)",
        "import os; os.remove(PATH)",
        "import os; os.rename(PATH, 'mine')",
        "import os; open('mine', 'w').close(); os.replace('mine', PATH)",
        "import os; os.symlink(PATH, 'link'); open('link', 'a')",
        "import os; os.truncate(PATH, 0)",
        "import pathlib; pathlib.Path(PATH).unlink()",
        "import pathlib; pathlib.Path(PATH).with_name('new').mkdir()",
        "import shutil, os; shutil.rmtree(os.path.dirname(PATH))",
        "import sqlite3; sqlite3.connect(PATH + '.db')",
        "import os; os.chdir(os.path.dirname(PATH)); open('kept.txt', 'w')",
    ],
)
def test_writing_outside_is_refused(line: str, tmp_path: Path) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text("dear")
    outcome = quick(line.replace("PATH", repr(str(kept))))
    assert outcome.status == "failed"
    assert "refused outside the sandbox" in outcome.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]
    assert kept.read_text() == "dear"


def test_writing_inside_works() -> None:
    program = """
import os, pathlib, shutil, sqlite3, tempfile, asyncio, threading
open(os.devnull, "w").write("gone")
os.makedirs("a/b/c"); open("a/b/c/f", "w").close(); shutil.rmtree("a")
pathlib.Path("one").write_text("1"); os.replace("one", "two"); os.remove("two")
with tempfile.TemporaryDirectory() as folder: pathlib.Path(folder, "x").write_text("x")
base = sqlite3.connect("base.db"); base.execute("create table t (x)"); base.close()
sqlite3.connect(":memory:").close()
assert asyncio.run(asyncio.sleep(0, 5)) == 5
threads = [threading.Thread(target=print) for _ in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
"""
    outcome = quick(program)
    assert outcome.passed, outcome.stderr


def test_files_are_limited() -> None:
    outcome = quick("open('big', 'wb').write(bytes(3 << 20))", file_mb=2)
    assert outcome.status == "failed"
    assert "File too large" in outcome.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="macOS does not hold an address-space limit")
def test_memory_is_limited() -> None:
    outcome = quick("x = bytearray(400 << 20)", memory_mb=256)
    assert outcome.status == "failed"
    assert "MemoryError" in outcome.stderr


def test_nothing_of_the_group_survives(tmp_path: Path) -> None:
    # A thread keeps the interpreter alive after its last line; the clock ends it, and the process is gone.
    program = "import os, threading, time\nopen('pid', 'w').write(str(os.getpid()))\n" + (
        "threading.Thread(target=time.sleep, args=(60,)).start()"
    )
    assert run(program, timeout_s=1, cwd=tmp_path).status == "timeout"
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_many_keep_their_order() -> None:
    programs = [f"import time; time.sleep({0.2 if i == 0 else 0}); print({i})" for i in range(4)]
    assert [outcome.stdout for outcome in run_many(programs, workers=2)] == ["0\n", "1\n", "2\n", "3\n"]
