"""What every door does, as files to read in a diff: `tests/cases/*.txt`, run inside this process and compared whole.

A file is a comment, then steps in one folder. A step is a line `$ dcode …` (or `$ git …`, to set the scene) and its
sections, each below `--- TITLE`: what is given (`NAME`: a file; `stdin`; `oracle`: what the network answers at a hole;
`slips`: lines `SLOT TEXT`, answered there at first; `random N`: a network of random weights, with that seed) and what
is seen (`stdout`, `stderr`, `exit N`, `file NAME` for each file that changed, `gone NAME`, `trace`: what `--trace FILE`
kept). Without `oracle` or `random` the model that the line names is loaded. The hook's worker runs in this process.

In text `␍` is a carriage return, `␄` an end without newline, `⟨ff⟩` a byte that is no UTF-8, `⟨bom⟩` a byte order mark.
Of JSON some keys are shown. Of a frame: candidate, phase, forward, open slots, faults; then for each hole its slots
(`_` masked, `+` fresh, `=` taken, `x` dropped) and their texts, and how sure the fresh ones are, to three digits.

`python -m tests.cases record [NAME…]` writes what is seen anew; it says how many files changed, and in what.
"""

import io
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, chdir
from dataclasses import dataclass, field
from difflib import unified_diff
from functools import lru_cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import oracle
import pytest

import dcode.model.load
from dcode.cli import hook_lines, hook_work
from dcode.cli.app import main
from dcode.cli.supervise import Ended
from dcode.model.load import Model
from dcode.text.frame import Frame
from dcode.text.record import Trace

FOLDER = Path(__file__).resolve().parent / "cases"
NAMES = sorted(path.stem for path in FOLDER.glob("*.txt"))
FRESH_PLACES = ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")
TITLE = re.compile(r"(?m)^(?=--- (?![^\n]*\n\+\+\+ ))")
"""Where a section begins; the head of a diff, which `+++` follows, is no title."""

SEEN = re.compile(r"stdout$|stderr$|exit \d+$|file |gone |trace$")
SURE = re.compile(r"(?<![\d.])[01]\.\d{3}(?!\d)")
"""How sure the network is in a trace; the last digit depends on the machine."""

STATES = {"masked": "_", "fresh": "+", "taken": "=", "dropped": "x"}
ENVIRONMENT = {"COLUMNS": "80", "DCODE_HOOK_SOFT_MS": "60000", "DCODE_HOOK_HARD_MS": "90000"}
GIVEN = re.compile(r"stdin$|oracle$|slips$|random \d+$")
JSON_KEYS = re.compile(
    "schema|command|exit_code|files|path|language|verdict|accepted|written|edits|start|old|new|faults_before|kind|message"
    "|stopped|repairs|unbound|alternatives"
)

real_load = lru_cache(dcode.model.load.load)


@dataclass
class Step:
    """A command, what it is given, and what is seen of it: each a title and its text."""

    line: str
    given: list[tuple[str, str]] = field(default_factory=list)
    seen: list[tuple[str, str]] = field(default_factory=list)

    def __str__(self) -> str:
        return f"$ {self.line}\n" + "".join(f"--- {title}\n{text}" for title, text in self.given + self.seen)

    def answers(self) -> list[bytes]:
        """What the oracle says, hole by hole."""
        return [to_bytes(text).removesuffix(b"\n") for title, text in self.given if title == "oracle"]


@dataclass
class Case:
    """A golden file."""

    comment: str
    steps: list[Step]

    @classmethod
    def read(cls, text: str) -> "Case":
        """The file's steps, an empty line between them; what a step is given comes before what is seen."""
        comment, *parts = re.split(r"(?m)^(?=\$ (?:dcode|git) )", text)
        steps = []
        for part in [*(part.removesuffix("\n") for part in parts[:-1]), *parts[-1:]]:
            command, *sections = TITLE.split(part)
            steps.append(Step(command[2:].removesuffix("\n")))
            for section in sections:
                title, _, body = section[4:].partition("\n")
                (steps[-1].seen if SEEN.match(title) else steps[-1].given).append((title, body))
        return cls(comment, steps)

    def __str__(self) -> str:
        return self.comment + "\n".join(map(str, self.steps))

    def run(self) -> "Case":
        """The same steps with what is seen of them now."""
        with ExitStack() as stack:
            folder, home = (Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2))
            stack.enter_context(chdir(folder))
            stack.enter_context(patch.dict(os.environ, dict.fromkeys(FRESH_PLACES, str(home)) | ENVIRONMENT))
            stack.enter_context(patch("dcode.cli.hook_run.supervise", worker))
            stack.enter_context(patch.object(oracle, "tokenizer", tokenizer))
            return Case(self.comment, [Step(s.line, s.given, list(run(s, folder))) for s in self.steps])


@lru_cache(maxsize=1)
def tokenizer() -> Any:
    """The embedded model's: the doubles' own is learned from the tests, so every new test would change the cases."""
    return real_load("mini").tokenizer


def run(step: Step, folder: Path) -> Iterator[tuple[str, str]]:
    """Run a step in a folder; what is seen of it."""
    stdin = b""
    for title, text in step.given:
        if title == "stdin":
            stdin = to_bytes(text)
        elif not GIVEN.match(title):
            (folder / title).parent.mkdir(parents=True, exist_ok=True)
            (folder / title).write_bytes(to_bytes(text))
    program, *words = shlex.split(step.line)
    if program == "git":
        subprocess.run(["git", *words], check=True, capture_output=True)
        return
    before = contents(folder)
    streams = [io.TextIOWrapper(io.BytesIO(data), "utf-8", write_through=True) for data in (stdin, b"", b"")]
    model = network(step)
    with ExitStack() as stack:
        for name, stream in zip(("stdin", "stdout", "stderr"), streams, strict=True):
            stack.enter_context(patch.object(sys, name, stream))
        stack.enter_context(patch.object(dcode.model.load, "load", (lambda *_, **__: model) if model else real_load))
        code = main(words)
    out, err = (stream.buffer.getvalue() for stream in streams[1:])
    if out.startswith(b"{\n"):
        out = f"{json.dumps(shown(json.loads(out)), indent=1)}\n".encode()
    out = out.replace(f"{shlex.quote(sys.executable)} -P -m dcode".encode(), b"dcode")
    err = re.sub(rb"\b\d+(\.\d+)? s\b", b"N s", err.replace(str(folder).encode(), b"FOLDER"))
    yield from ((title, to_text(data)) for title, data in (("stdout", out), ("stderr", err)) if data)
    yield f"exit {code}", ""
    after = contents(folder)
    kept = words[words.index("--trace") + 1] if "--trace" in words else ""
    old, trace = before.pop(kept, b""), after.pop(kept, b"")
    yield from ((f"file {name}", to_text(after[name])) for name in after if after[name] != before.get(name))
    yield from ((f"gone {name}", "") for name in before if name not in after)
    if trace != old:
        yield "trace", "".join(map(drawn, Trace.of(trace.decode("ascii")).frames))
    assert not model or not getattr(model, "answers", None), "the oracle was not asked about every hole"


def network(step: Step) -> Model | oracle.Oracle | None:
    """The double that a step names, if it does."""
    seeds = [int(title.split()[1]) for title, _ in step.given if title.startswith("random ")]
    if seeds or not (answers := step.answers()):
        return oracle.random_model(*seeds) if seeds else None
    slips = (line.split(" ", 1) for title, text in step.given if title == "slips" for line in text.splitlines())
    return oracle.Oracle(answers, slips={int(slot): tokenizer().encode(text.encode())[0] for slot, text in slips})


def worker(command: Sequence[str], limit_s: float) -> Ended:
    """In place of the hook's `supervise`: the same lines, from this process and without its alarm."""
    lines = hook_work.propose(Path.cwd(), frozenset(command[6:]), time.monotonic() + limit_s)
    return Ended(b"".join(map(hook_lines.encoded, lines)), b"", 0, late=False, asked=0)


def drawn(frame: Frame) -> str:
    """A frame as a person reads it."""
    at = f"{frame.index}/{frame.limit}, {frame.masked} open, {frame.faults} faults"
    rows = [f"{frame.attempt} {frame.phase} {at}"]
    for hole in frame.holes:
        texts = "|".join(slot.text.replace("\n", "⏎").replace("\t", "⇥") for slot in hole if slot.text)
        rows.append(f"  {''.join(STATES[slot.state] for slot in hole)} |{texts}|")
        rows.append(" ".join(["  sure", *(f"{slot.confidence:.3f}" for slot in hole if slot.state == "fresh")]))
    return "".join(f"{row}\n" for row in rows)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder but git's."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and ".git" not in path.parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def shown(value: Any) -> Any:
    """Of a JSON value what a person wants to read and no machine changes."""
    if isinstance(value, dict) and {"line", "column"} <= {*value}:
        return f"{value['line']}:{value['column']}"
    if isinstance(value, dict):
        return {key: shown(one) for key, one in value.items() if JSON_KEYS.fullmatch(key)}
    return [shown(one) for one in value] if isinstance(value, list) else value


def to_text(data: bytes) -> str:
    """Bytes as text that ends in a newline, from which `to_bytes` gets them back."""
    text = data.decode("utf-8", "surrogateescape").replace("\r", "␍").replace("\ufeff", "⟨bom⟩")
    text = re.sub("[\udc80-\udcff]", lambda byte: f"⟨{ord(byte[0]) - 0xDC00:02x}⟩", text)
    return text if text.endswith("\n") or not text else f"{text}␄\n"


def to_bytes(text: str) -> bytes:
    """The bytes that a section stands for."""
    text = re.sub("⟨([0-9a-f]{2})⟩", lambda byte: chr(0xDC00 + int(byte[1], 16)), text).removesuffix("␄\n")
    return text.replace("␍", "\r").replace("⟨bom⟩", "\ufeff").encode("utf-8", "surrogateescape")


def same(old: str, new: str) -> bool:
    """Whether two runs of a case are one: how sure the network is may differ in the last digit."""
    pairs = zip(SURE.findall(old), SURE.findall(new), strict=False)
    return SURE.sub("", old) == SURE.sub("", new) and all(abs(float(a) - float(b)) < 0.0015 for a, b in pairs)


@pytest.mark.parametrize("name", NAMES)
def test_case(name: str) -> None:
    text = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    now = str(Case.read(text).run())
    changes = unified_diff(text.splitlines(), now.splitlines(), "recorded", "now", lineterm="")
    assert same(text, now), "\n".join(changes)


def test_text_stands_for_every_byte() -> None:
    for data in (b"", b"\n", b"a\r\nb", "é\n\n".encode(), bytes(range(256))):
        assert to_bytes(to_text(data)) == data


def test_a_diff_is_no_title() -> None:
    text = "What it shows.\n$ dcode fix a.py\n--- a.py\nx\n--- stdout\n--- a/a.py\n+++ b/a.py\n--- exit 0\n"
    case = Case.read(text)
    assert [title for title, _ in case.steps[0].seen] == ["stdout", "exit 0"] and str(case) == text


def test_only_the_last_digit_of_a_share_may_differ() -> None:
    assert same("+ |a|\n  sure 0.990 1.000\n", "+ |a|\n  sure 0.991 0.999\n")
    assert not same("+ |a|\n  sure 0.990\n", "+ |a|\n  sure 0.993\n")
    assert not same("+ |a|\n  sure 0.990\n", "+ |b|\n  sure 0.990\n")
    assert not same("+ |a|\n  sure 0.990\n", "+ |a|\n  sure 0.990 0.990\n")
