"""The JSON object of a run, `dcode.result/1`, for programs. Its schema is dcode/schemas/result.json.

It turns what a job returned into values; it decides nothing and prints nothing.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dcode.errors import InputError
from dcode.text.edit import splice, unified_diff
from dcode.text.fault import Fault
from dcode.text.result import Region, Result
from dcode.text.secrets import brings_secret
from dcode.text.source import Source
from dcode.text.span import Span

SCHEMA = "dcode.result/1"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A file and its candidates, best first; `chosen` is the one to use, None if none may be used.

    `source` is what the edits are made to, `before` what they replace on disk (None: no file); `path` is None
    for what came from stdin or goes to stdout. `written`: whether a file got the chosen one.
    """

    source: Source
    before: bytes | None
    path: str | None
    language: str
    results: tuple[Result, ...]
    chosen: Result | None
    written: bool = False

    def after(self, result: Result) -> bytes:
        """The whole file with this candidate; InputError if its encoding or newlines cannot hold it."""
        return splice(self.source, result.edits)

    def diff(self, after: bytes) -> bytes:
        """What changes on disk, as a unified diff."""
        return unified_diff(self.before or b"", after, self.path or self.source.name)


@dataclass(frozen=True, slots=True)
class Run:
    """What was run: the command, the model, every parameter, and how long the parts took."""

    command: str
    version: str
    model: str
    model_sha256: str | None
    parameters: Mapping[str, Any]
    seconds: Mapping[str, float]


def document(run: Run, outcomes: Sequence[Outcome], exit_code: int) -> str:
    """The JSON text: ASCII only, so that nothing in it can steer a terminal."""
    results = [result for outcome in outcomes for result in outcome.results]
    value = {
        "schema": SCHEMA,
        "command": run.command,
        "version": run.version,
        "model": {"id": run.model, "sha256": run.model_sha256},
        "parameters": dict(run.parameters),
        "files": [_file(outcome) for outcome in outcomes],
        "forwards": sum(result.forwards for result in results),
        "seconds": dict(run.seconds),
        "stopped": results[0].stopped if results else None,
        "exit_code": exit_code,
    }
    return json.dumps(_finite(value), indent=2, allow_nan=False) + "\n"


def _file(outcome: Outcome) -> dict[str, Any]:
    first, *others = sorted(outcome.results, key=lambda result: result is not outcome.chosen)
    return {
        "path": outcome.path,
        "language": outcome.language,
        "encoding": outcome.source.encoding,
        "bom": outcome.source.bom,
        "newline": outcome.source.newline,
        "sha256_before": None if outcome.before is None else _sha256(outcome.before),
        "faults_before": [_fault(fault, outcome.source.view) for fault in first.faults_before],
        "written": outcome.written,
        "accepted": outcome.chosen is not None,
        **_candidate(outcome, first),
        "alternatives": [_candidate(outcome, other) for other in others],
    }


def _candidate(outcome: Outcome, result: Result) -> dict[str, Any]:
    """One candidate; of one that looks like a secret everything but its text."""
    secret = brings_secret(outcome.source.view, result.view)
    try:
        after: bytes | None = None if secret else outcome.after(result)
    except InputError:
        after = None
    diff = b"" if after is None else outcome.diff(after)
    return {
        "verdict": result.verdict,
        "sha256_after": None if after is None else _sha256(after),
        "edits": [] if secret else [_edit(outcome.source, region) for region in result.regions],
        "faults_after": [_fault(fault, result.view) for fault in result.faults_after],
        "diff": diff.decode(outcome.source.encoding, "replace"),
        "forwards": result.forwards,
        "repairs": result.repairs,
        "seconds": dict(result.seconds),
        "stopped": result.stopped,
        "unbound": list(result.unbound),
    }


def _edit(source: Source, region: Region) -> dict[str, Any]:
    return {
        "start": _place(source, region.span.start),
        "end": _place(source, region.span.end),
        "old": _text(region.old),
        "new": _text(region.new),
        "verdict": region.verdict,
        "confidence": region.confidence,
    }


def _place(source: Source, at: int) -> dict[str, int]:
    """A view offset as line, column (1-based, characters) and byte offset in the file as it was on disk."""
    return {**_line_column(source.view, at), "byte": source.to_data(Span(at, at)).start}


def _fault(fault: Fault, view: bytes) -> dict[str, Any]:
    return {
        "kind": fault.kind,
        "message": fault.message,
        "checker": fault.checker,
        "start": _line_column(view, fault.span.start),
        "end": _line_column(view, fault.span.end),
    }


def _line_column(view: bytes, at: int) -> dict[str, int]:
    before = view[:at]
    line_start = before.rfind(b"\n") + 1
    return {"line": before.count(b"\n") + 1, "column": len(_text(before[line_start:])) + 1}


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _finite(value: Any) -> Any:
    """The value with numbers that JSON cannot say as null, and tuples as lists."""
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool | None) else str(value)
