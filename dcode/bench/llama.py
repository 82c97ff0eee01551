"""dcode beside llama.cpp on one machine: reading, writing, and holes end to end, taken in turns in one run.

llama.cpp is the build that npm's node-llama-cpp ships, in a process of its own, which keeps the model but nothing of
a prompt from one request to the next. Both sides see the same text around a hole, and llama.cpp writes, greedily and
without looking at what it writes, as many bytes as dcode did.
"""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import torch

from dcode.bench.speed import Case, cut
from dcode.diffusion.plan import Plan
from dcode.diffusion.sampler import denoise
from dcode.errors import InputError, ModelError
from dcode.jobs.fill import vocabulary
from dcode.jobs.infill import infill
from dcode.model.load import Model
from dcode.model.tokenizer import Tokenizer
from dcode.syntax.grammar import Grammar
from dcode.text.result import Result
from dcode.text.source import Source
from dcode.text.span import Span

PACKAGE = "node-llama-cpp@3.22.1"

THREADS = (1, 2)
"""Each figure is the better one of these, for two threads that spin on a busy machine collapse."""

READ, WRITTEN = 512, 64
"""Tokens that are read at once, and that are written behind them."""

BEFORE, BEHIND = 700, 200
"""Tokens of the file around a hole."""

HOLES = {"hole of 1 line": 1, "hole of 21 lines": 21}

WRITE_MOST = 768
"""Tokens that llama.cpp writes at most in a hole."""

DRIVER = """
import fs from "node:fs"; import path from "node:path"; import readline from "node:readline";
import {pathToFileURL} from "node:url";
const [folder, file] = process.argv.slice(2);
const {getLlama} = await import(pathToFileURL(path.resolve(folder, "node_modules/node-llama-cpp/dist/index.js")));
const llama = await getLlama({gpu: false, build: "never", logLevel: "error"});
const model = await llama.loadModel({modelPath: file});
const {prefix, suffix, middle} = model.tokens.infill;
let context, sequence;
async function open(threads) {
  if (context) await context.dispose();
  context = await model.createContext({contextSize: 2048, batchSize: 512, threads: {ideal: threads, min: threads}});
  sequence = context.getSequence();
}
async function write(ids, enough) {
  const out = [];
  for await (const id of sequence.evaluate(ids, {temperature: 0, yieldEogToken: true})) {
    out.push(id);
    if (enough(id, out)) break;
  }
  return out;
}
const acts = {
  async open({threads}) { await open(threads); return {}; },
  async read({text, tokens}) {
    const ids = model.tokenize(text).slice(0, tokens);
    if (ids.length < tokens) throw new Error("the text is too short");
    const begun = performance.now();
    await sequence.evaluateWithoutGeneratingNewTokens(ids);
    return {seconds: (performance.now() - begun) / 1000};
  },
  async write({text, tokens, count}) {
    const ids = model.tokenize(text).slice(0, tokens);
    let begun = 0;
    await write(ids, (_, out) => { if (out.length === 1) begun = performance.now(); return out.length > count; });
    return {seconds: (performance.now() - begun) / 1000};
  },
  async hole({before, behind, bytes, most}) {
    if (prefix == null || suffix == null || middle == null) throw new Error("these weights have no tokens for a hole");
    const begun = performance.now();
    const ids = [prefix, ...model.tokenize(before), suffix, ...model.tokenize(behind), middle];
    let written = 0;
    const out = await write(ids, (id, out) => {
      written += Buffer.byteLength(model.detokenize([id]));
      return written >= bytes || out.length >= most;
    });
    return {seconds: (performance.now() - begun) / 1000, tokens: ids.length, written: out.length};
  },
  async memory() { return {peak_mb: process.resourceUsage().maxRSS / 1024}; },
};
for await (const line of readline.createInterface({input: process.stdin})) {
  const {act, ...rest} = JSON.parse(line);
  let answer;
  try {
    if (sequence) await sequence.clearHistory();
    answer = await acts[act](rest);
  } catch (error) { answer = {error: String(error.message ?? error)}; }
  fs.writeSync(1, JSON.stringify(answer) + "\\n");
}
process.exit(0);
"""

Ask = Callable[..., dict[str, Any]]
"""An act of the driver and its arguments in, its answer out."""


class Llama:
    """A GGUF file in llama.cpp, in a process of its own; `ask` it for acts of the driver, `close` it at the end."""

    def __init__(self, gguf: Path, folder: Path) -> None:
        """The package is installed in `folder` if it is not there; InputError says what is missing or wrong."""
        if not gguf.is_file():
            raise InputError(f"there is no file {gguf}", hint="--gguf takes the weights that llama.cpp shall run")
        if shutil.which("node") is None or shutil.which("npm") is None:
            raise InputError("there is no node with npm to run llama.cpp", hint="install nodejs and npm")
        if not (folder / "node_modules/node-llama-cpp").is_dir():
            _install(folder)
        driver = folder / "driver.mjs"
        driver.write_text(DRIVER, encoding="utf-8")
        self._process = subprocess.Popen(
            ["node", str(driver), str(folder.resolve()), str(gguf.resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ask(self, act: str, **arguments: Any) -> dict[str, Any]:
        """The driver's answer; ModelError if it could not do it."""
        assert self._process.stdin and self._process.stdout and self._process.stderr
        try:
            self._process.stdin.write(json.dumps({"act": act, **arguments}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass
        line = self._process.stdout.readline()
        answer = json.loads(line) if line else {"error": self._process.stderr.read().strip().rpartition("\n")[2]}
        if "error" in answer:
            raise ModelError(f"llama.cpp failed: {answer['error'] or 'it ended'}")
        return dict(answer)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin and self._process.stdout and self._process.stderr
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            stream.close()


def _install(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", PACKAGE]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InputError(f"npm cannot install {PACKAGE}: {done.stderr.strip().rpartition(chr(10))[2]}")


@dataclass(frozen=True, slots=True)
class Pair:
    """A figure of both sides by threads, each the median over runs; seconds, or tokens a second if `per_s`."""

    name: str
    per_s: bool
    dcode: dict[int, float]
    llama: dict[int, float]

    def best(self, figures: dict[int, float]) -> float:
        """The better one over threads."""
        return max(figures.values()) if self.per_s else min(figures.values())

    @property
    def ratio(self) -> float:
        """How many times as fast dcode is."""
        ours, theirs = self.best(self.dcode), self.best(self.llama)
        return ours / theirs if self.per_s else theirs / ours


def compare(
    model: Model,
    plan: Plan,
    grammar: Grammar,
    text: bytes,
    ask: Ask,
    set_threads: Callable[[int], object],
    *,
    runs: int = 3,
    threads: Sequence[int] = THREADS,
) -> Iterator[Pair]:
    """Both sides in turns, run by run: one reads, then the other does; `text` is a file of code.

    What is too long for the model's window is left out.
    """
    shown = text.decode()
    ids = model.tokenizer.encode(text * (1 + READ * 8 // len(text)))
    if model.window >= READ + WRITTEN:
        reads = _turns(
            lambda: READ / _read_s(model, ids),
            lambda: READ / float(ask("read", text=shown * 8, tokens=READ)["seconds"]),
            ask,
            set_threads,
            runs,
            threads,
        )
        yield Pair("read 512 tokens, tokens/s", True, *reads)
        writes = _turns(
            lambda: _written_per_s(model, plan, ids),
            lambda: WRITTEN / float(ask("write", text=shown * 8, tokens=READ, count=WRITTEN)["seconds"]),
            ask,
            set_threads,
            runs,
            threads,
        )
        yield Pair("write 64 behind them, tokens/s", True, *writes)
    for name, lines in HOLES.items():
        before, there, behind = around(text, lines, model.tokenizer)
        source = Source.of(before + there + behind, "bench.py")
        span = Span(len(before), len(before) + len(there.rstrip(b"\n")))
        sizes: list[int] = []

        def ours() -> float:
            begun = time.perf_counter()
            events = infill(source, [span], model, grammar, plan)  # noqa: B023
            result = next(event for event in events if isinstance(event, Result))
            sizes.append(len(result.regions[0].new))  # noqa: B023
            return time.perf_counter() - begun

        def theirs() -> float:
            asked = {"before": before.decode(), "behind": behind.decode(), "most": WRITE_MOST}  # noqa: B023
            return float(ask("hole", **asked, bytes=max(1, sizes[-1]))["seconds"])  # noqa: B023

        try:
            yield Pair(f"{name}, s", False, *_turns(ours, theirs, ask, set_threads, runs, threads))
        except InputError:
            continue


def around(text: bytes, count: int, tokenizer: Tokenizer) -> tuple[bytes, bytes, bytes]:
    """What a hole of so many lines in the middle of a file has before it, what stood there, and what is behind it.

    Whole lines, as many as have 700 tokens before it, and 200 behind it.
    """
    lines = text.splitlines(keepends=True)
    first = next(at for at in range(len(lines) // 2, len(lines)) if lines[at].strip())
    before = _within([*reversed(lines[:first])], BEFORE, tokenizer)
    behind = _within(lines[first + count :], BEHIND, tokenizer)
    return b"".join(reversed(before)), b"".join(lines[first : first + count]), b"".join(behind)


def _within(lines: Sequence[bytes], most: int, tokenizer: Tokenizer) -> list[bytes]:
    kept: list[bytes] = []
    for line in lines:
        most -= len(tokenizer.encode(line))
        if most < 0:
            break
        kept.append(line)
    return kept


def _turns(
    ours: Callable[[], float],
    theirs: Callable[[], float],
    ask: Ask,
    set_threads: Callable[[int], object],
    runs: int,
    threads: Sequence[int],
) -> tuple[dict[int, float], dict[int, float]]:
    """The medians of both sides by threads, after a run of each that does not count."""
    found: dict[int, tuple[list[float], list[float]]] = {}
    for count in threads:
        set_threads(count)
        ask("open", threads=count)
        pairs = [(ours(), theirs()) for _ in range(runs + 1)][1:]
        found[count] = ([one for one, _ in pairs], [other for _, other in pairs])
    return tuple({count: median(both[side]) for count, both in found.items()} for side in (0, 1))  # type: ignore[return-value]


@torch.inference_mode()
def _read_s(model: Model, ids: Sequence[int]) -> float:
    row_1L = torch.tensor([ids[:READ]])
    want_1L = torch.zeros_like(row_1L, dtype=torch.bool)
    want_1L[0, -1] = True
    begun = time.perf_counter()
    model.predict(row_1L, want_1L)
    return time.perf_counter() - begun


def _written_per_s(model: Model, plan: Plan, ids: Sequence[int]) -> float:
    """Tokens a second behind a context, whose own reading is not counted."""
    canvas = cut(Case("", READ, (WRITTEN,), block=32), ids, vocabulary(model))
    begun = time.perf_counter()
    for _ in denoise([canvas], model.predict, replace(plan, block=32), [None]):
        pass
    seconds = time.perf_counter() - begun
    return WRITTEN / max(seconds - _read_s(model, ids), seconds / 100)


def table(pairs: Sequence[Pair]) -> list[tuple[str, ...]]:
    """A head and a row a figure, for whoever draws the table; `faster` compares the better of the threads."""
    counts = [*pairs[0].dcode] if pairs else []
    rows = [("", *(f"{who} {count}" for who in ("dcode", "llama.cpp") for count in counts), "faster")]
    for one in pairs:
        figures = [f"{side[count]:.2f}" for side in (one.dcode, one.llama) for count in counts]
        rows.append((one.name, *figures, f"{one.ratio:.2f}x"))
    return rows
