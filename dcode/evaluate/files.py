"""Real files changed from a shell: bodies of functions filled in, and changes asked for, each judged by what it left.

Every answer comes from the command line, in a process of its own that starts cold, so seconds and memory are a
person's. A filled body must parse and use no name that nothing brings; a change must pass its own test.
"""

import ast
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from threading import Timer
from time import perf_counter
from typing import IO, Any, TypeVar

import numpy as np

from dcode.errors import InputError
from dcode.evaluate.metrics import Rate, exact_match
from dcode.evaluate.report import percent, read_kept
from dcode.evaluate.sources import Fetch, Place
from dcode.lessons.sandbox import run
from dcode.resources import PACKAGE, data_path
from dcode.syntax.check import file_faults
from dcode.syntax.grammar import grammar
from dcode.syntax.unbound import unbound
from dcode.text.source import Source

LIMIT_S = 600
"""How long one answer may take."""

ACCEPTED, DOUBTED, REFUSED, ERROR = "accepted", "doubted", "refused", "error"
"""accepted: given, parses, brings no undefined name · doubted: given, but not so · refused: none was given · error: the
command failed."""

REFUSAL = 3
"""The exit code of a command that has no answer to give."""

TEST_S, TEST_MB = 20.0, 4096

HARNESS = """
import ast, importlib, sys, types
def load(text, name):
    module = types.ModuleType(name)
    module.__package__, module.__file__ = name.rpartition(".")[0], name
    sys.modules[name] = module
    exec(compile(text, name, "exec", dont_inherit=True), module.__dict__)
    return module
def part(text, path):
    found = ast.parse(text)
    for name in path.split("."):
        found = next(each for each in found.body if getattr(each, "name", None) == name)
    return found
sys.path.insert(0, ROOT)
importlib.import_module(NAME)
old, new = load(OLD, NAME), load(NEW, NAME)
tree = part(NEW, NODE)
text = ast.get_source_segment(NEW, tree)
"""
"""What stands before a change's test: the module as it was and as it is, and the function that was to change."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended: exit code, what it said, wall-clock seconds, and the most memory it held."""

    code: int
    out: str
    err: str
    seconds: float
    peak_mb: float


Shell = Callable[[Sequence[str]], Ran]
"""Arguments of dcode in, how it ended out."""


def cold(arguments: Sequence[str]) -> Ran:
    """This dcode as from a shell: a new interpreter each time."""
    path = os.pathsep.join(filter(None, (str(PACKAGE.parent), os.environ.get("PYTHONPATH", ""))))
    command = [sys.executable, "-P", "-m", "dcode", *arguments]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=err, env=os.environ | {"PYTHONPATH": path})
        watch = Timer(LIMIT_S, process.kill)
        watch.start()
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        finally:
            watch.cancel()
        seconds = perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        return Ran(process.returncode, _read(out), _read(err), seconds, megabytes(used.ru_maxrss))


def megabytes(peak: int) -> float:
    """What the system calls a process's largest memory: kilobytes on Linux, bytes on macOS."""
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def own_peak_mb() -> float:
    """The most memory that this process has held."""
    return megabytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


@dataclass(frozen=True, slots=True)
class Filled:
    """A place whose lines were filled in: the text, what became of it, and the cost.

    `outside`: all bytes outside the lines stayed as they were. `written`: the file got the answer.
    """

    run: str
    task_id: str
    group: str
    outcome: str
    verdict: str
    parses: bool
    missing: str
    outside: bool
    exact: bool
    written: bool
    seconds: float
    peak_mb: float
    text: str
    error: str


@dataclass(frozen=True, slots=True)
class Changed:
    """A change that was asked for: whether its test passed, what it destroyed (""), and the cost."""

    run: str
    task_id: str
    outcome: str
    right: bool
    destroyed: str
    written: bool
    seconds: float
    text: str
    error: str


Row = TypeVar("Row", Filled, Changed)


def each(
    items: Iterable[Any],
    act: Callable[[Any], Row],
    kind: type[Row],
    run: str,
    keep: Path | None = None,
    on_row: Callable[[Row], object] = lambda row: None,
) -> tuple[Row, ...]:
    """A row an item, in order; appended to `keep`, and what it holds of the same `run` is not done again."""
    kept = {row.task_id: row for row in (read_kept(keep, kind) if keep else ()) if row.run == run}
    rows = []
    for item in items:
        row = kept.get(item.task_id) or act(item)
        if keep and item.task_id not in kept:
            with keep.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(row), ensure_ascii=False) + "\n")
        rows.append(row)
        on_row(row)
    return tuple(rows)


def fill(place: Place, shell: Shell, fetch: Fetch, options: Sequence[str]) -> Filled:
    """Have a place's lines written anew in a copy of its file, and look at what is left."""
    known = grammar(place.language)
    original = fetch(place.package) / place.file
    before = Source.read(original, known.cookie)
    lines = before.data.splitlines(keepends=True)
    head, there, tail = (
        b"".join(part) for part in (lines[: place.first - 1], lines[place.first - 1 : place.last], lines[place.last :])
    )
    if not there:
        raise InputError(f"{place.package} has no line {place.first} in {place.file}")
    with _workplace() as folder:
        copy = Path(folder, original.name)
        copy.write_bytes(before.data)
        named = ("--lines", f"{place.first}-{place.last}", "-l", place.language)
        ran = shell(["infill", str(copy), *named, "-w", "--json", "-q", *options])
        disk = copy.read_bytes()
    said = _first_file(ran)
    written = disk != before.data
    after = disk if written or ran.code else _with_edits(before.data, said)
    outside = after.startswith(head) and after.endswith(tail) and len(after) >= len(head) + len(tail)
    text = after[len(head) : len(after) - len(tail)] if outside else after
    view = Source.of(after, place.file, known.cookie).view
    given = ran.code == 0
    parses = given and not file_faults(known, view) and (place.language != "bash" or _suits_bash(after))
    missing = sorted({*unbound(known, view)} - {*unbound(known, before.view)}) if parses else []
    outcome = (
        REFUSED if ran.code == REFUSAL else ERROR if not given else ACCEPTED if parses and not missing else DOUBTED
    )
    shown = text.decode("utf-8", "replace")
    return Filled(
        run=" ".join(options),
        task_id=place.task_id,
        group=f"{place.language}, {place.group}",
        outcome=outcome,
        verdict=said.get("verdict", ""),
        parses=parses,
        missing=" ".join(missing),
        outside=outside,
        exact=given and exact_match(shown, there.decode("utf-8", "replace")),
        written=written,
        seconds=round(ran.seconds, 3),
        peak_mb=round(ran.peak_mb, 1),
        text=shown if given else "",
        error=_last_line(ran.err) if not given else "",
    )


@dataclass(frozen=True, slots=True)
class Change:
    """A row of `edits.toml`: what is to change in which function, and the program that tries the result.

    `plant`: a text in the file and the fault that is put in its place beforehand.
    """

    kind: str
    package: str
    file: str
    node: str
    instruction: str
    test: str
    plant: tuple[str, str] | None = None

    @property
    def task_id(self) -> str:
        """A text that names the change."""
        return f"{self.file}:{self.node}: {self.instruction}"


def read_changes(path: Path | None = None) -> tuple[Change, ...]:
    """The changes of the list."""
    rows = tomllib.loads((path or data_path("evaluate/edits.toml")).read_text("utf-8"))["edit"]
    return tuple(Change(**row | ({"plant": tuple(row["plant"])} if "plant" in row else {})) for row in rows)


def change(asked: Change, shell: Shell, fetch: Fetch, options: Sequence[str]) -> Changed:
    """Have a change made in a copy of its file, try it, and look for what it destroyed."""
    root = fetch(asked.package)
    before = (root / asked.file).read_bytes().decode()
    if asked.plant:
        if before.count(asked.plant[0]) != 1:
            raise InputError(f"{asked.file} has not one place for the fault of {asked.node}")
        before = before.replace(*asked.plant)
    with _workplace() as folder:
        copy = Path(folder, Path(asked.file).name)
        copy.write_bytes(before.encode())
        ran = shell(["edit", str(copy), asked.instruction, "--node", asked.node, "-w", "--json", "-q", *options])
        disk = copy.read_bytes()
    given, written = ran.code == 0, disk != before.encode()
    after = disk if written or not given else _with_edits(before.encode(), _first_file(ran))
    text = after.decode("utf-8", "replace")
    outcome = run(_program(asked, root, before, text), timeout_s=TEST_S, memory_mb=TEST_MB)
    return Changed(
        run=" ".join(options),
        task_id=asked.task_id,
        outcome=ACCEPTED if given else REFUSED if ran.code == REFUSAL else ERROR,
        right=given and outcome.passed,
        destroyed=destroyed(before, text, asked.node) if given else "",
        written=written,
        seconds=round(ran.seconds, 3),
        text=text if given else "",
        error=_last_line(outcome.stderr if given else ran.err),
    )


def destroyed(before: str, after: str, node: str) -> str:
    """What a change to one function has destroyed in a Python file, in words; "" for nothing.

    A function is lost, another than the named one is not what it was, or the named one has an empty body.
    """
    try:
        old, new = _functions(ast.parse(before)), _functions(ast.parse(after))
    except (SyntaxError, ValueError):
        return "the file does not parse"
    for name, function in old.items():
        if name not in new:
            return f"{name} is lost"
        own = f"{name}.".startswith(f"{node}.") or node.startswith(f"{name}.")
        if not own and ast.dump(function) != ast.dump(new[name]):
            return f"{name} is another"
    return f"{node} is emptied" if is_empty(new[node]) and not is_empty(old[node]) else ""


def is_empty(function: Any) -> bool:
    """Whether a function does nothing: a docstring, `pass`, `...`, a NotImplementedError."""

    def idle(one: ast.stmt) -> bool:
        if isinstance(one, ast.Raise):
            return one.exc is not None and "NotImplementedError" in ast.dump(one.exc)
        return isinstance(one, ast.Pass) or (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))

    return all(idle(one) for one in function.body)


def says_nothing(text: str) -> bool:
    """Whether a filled body has no word in it but `pass`."""
    return set(re.findall(r"\w+", text)) <= {"pass"}


def fill_figures(rows: Sequence[Filled]) -> dict[str, dict[str, Any]]:
    """By group: what share parses, brings no undefined name, was accepted, doubted or refused, and the cost."""
    found: dict[str, dict[str, Any]] = {}
    for group in dict.fromkeys(row.group for row in rows):
        own = [row for row in rows if row.group == group]
        counts = {
            "parse": sum(row.parses for row in own),
            "no new undefined name": sum(row.parses and not row.missing for row in own),
            **{name: sum(row.outcome == name for row in own) for name in (ACCEPTED, DOUBTED, REFUSED, ERROR)},
            "written by -w": sum(row.written for row in own),
            "bytes outside identical": sum(row.outside for row in own),
            "empty answers": sum(row.outcome in (ACCEPTED, DOUBTED) and says_nothing(row.text) for row in own),
            "as it stood there": sum(row.exact for row in own),
        }
        rates = {name: asdict(Rate(count, len(own))) | _bounds(Rate(count, len(own))) for name, count in counts.items()}
        found[group] = {"places": len(own), **rates, **_seconds(own), "peak_mb": max(row.peak_mb for row in own)}
    return found


def change_figures(rows: Sequence[Changed]) -> dict[str, Any]:
    """How many are right, and how many of those written destroyed something, as plain values."""
    hurt = [row for row in rows if row.destroyed]
    counts = {
        "right": sum(row.right for row in rows),
        **{name: sum(row.outcome == name for row in rows) for name in (ACCEPTED, REFUSED, ERROR)},
        "destructive": len(hurt),
        "destructive and written": sum(row.written for row in hurt),
    }
    rates = {name: asdict(Rate(count, len(rows))) | _bounds(Rate(count, len(rows))) for name, count in counts.items()}
    return {"changes": len(rows), **rates, **_seconds(rows)}


def table(figures: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """A block of rows a group, for whoever draws the table; rates with their 95 % interval."""
    lines: list[tuple[str, ...]] = [("", "", "")]
    for group, values in figures.items():
        lines.append((group, "", ""))
        for name, value in values.items():
            if isinstance(value, Mapping):
                lines.append((f"  {name}", str(value["hits"]), percent(Rate(value["hits"], value["total"]))))
            else:
                lines.append((f"  {name}", str(value), ""))
    return lines


def _suits_bash(data: bytes) -> bool:
    """Whether the shell itself reads it, where there is one: tree-sitter takes a bracket too many for a word."""
    if shutil.which("bash") is None:
        return True
    return subprocess.run(["bash", "-O", "extglob", "-n"], input=data, capture_output=True, check=False).returncode == 0


def _read(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode("utf-8", "replace")


def _workplace() -> tempfile.TemporaryDirectory[str]:
    """A folder with a repository of its own, so that the copies made for undo go with it."""
    folder = tempfile.TemporaryDirectory(prefix="dcode-")
    with suppress(OSError):
        subprocess.run(["git", "init", "-q", folder.name], check=False, capture_output=True)
    return folder


def _first_file(ran: Ran) -> dict[str, Any]:
    try:
        return dict(json.loads(ran.out)["files"][0])
    except (ValueError, LookupError, TypeError):
        return {}


def _with_edits(data: bytes, said: Mapping[str, Any]) -> bytes:
    """The file with an answer that was given and not written."""
    for edit in reversed(said.get("edits", [])):
        start, end = edit["start"]["byte"], edit["end"]["byte"]
        data = data[:start] + edit["new"].encode() + data[end:]
    return data


def _program(asked: Change, root: Path, before: str, after: str) -> str:
    name = asked.file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    values = {"ROOT": str(root.resolve()), "NAME": name, "NODE": asked.node, "OLD": before, "NEW": after}
    return "".join(f"{key} = {value!r}\n" for key, value in values.items()) + HARNESS + asked.test


def _functions(tree: ast.AST, path: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for node in ast.iter_child_nodes(tree):
        name = f"{path}{node.name}" if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else ""
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found[name] = node
        found |= _functions(node, f"{name}." if name else path)
    return found


def _seconds(rows: Sequence[Filled] | Sequence[Changed]) -> dict[str, float]:
    seconds = [row.seconds for row in rows]
    if not seconds:
        return {}
    return {"seconds, median": round(median(seconds), 2), "seconds, p95": round(float(np.quantile(seconds, 0.95)), 2)}


def _bounds(rate: Rate) -> dict[str, float]:
    return dict(zip(("low", "high"), (round(bound, 4) for bound in rate.interval), strict=True))


def _last_line(text: str) -> str:
    return text.rstrip().rpartition("\n")[2][:200]
