"""Whole bodies of functions in real files, emptied and filled as a person at a shell would, and changes asked for.

Every answer comes from the command line, in a process of its own that starts cold, so seconds and memory are a
person's; what is judged is the file that it leaves. It knows no models.
"""

import ast
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from dcode.errors import DcodeError
from dcode.evaluate.metrics import Rate, exact_match
from dcode.evaluate.report import percent, read_kept
from dcode.evaluate.sources import Fetch, Place, view_of
from dcode.syntax.check import file_faults
from dcode.syntax.grammar import Grammar, grammar
from dcode.syntax.unbound import unbound

LIMIT_S = 600
"""How long one answer may take."""

NO_CANDIDATE = 3
"""The exit code of a command that has nothing to offer; the others but 0 are errors."""

GIVEN, DOUBTED, REFUSED, BROKEN = "accepted", "doubted", "refused", "error"


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended: its exit code, what it said, its wall-clock seconds and its largest memory."""

    code: int
    out: str
    err: str
    seconds: float
    peak_mb: float


Shell = Callable[[Sequence[str]], Ran]
"""Arguments of dcode in, how it ended out."""


def cold(arguments: Sequence[str]) -> Ran:
    """dcode as from a shell: a new interpreter each time."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = perf_counter()
        process = subprocess.Popen([sys.executable, "-m", "dcode", *arguments], stdout=out, stderr=err)
        try:
            code, peak_mb = _waited(process, began + LIMIT_S)
        finally:
            if process.returncode is None:
                process.kill()
        seconds = perf_counter() - began
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read().decode("utf-8", "replace"))
        return Ran(code, texts[0], texts[1], seconds, peak_mb)
