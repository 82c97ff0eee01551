"""A training run on disk: the last state, whole or not at all, and the log. It does not know how training works."""

import fcntl
import hashlib
import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from dcode.errors import InputError, ModelError

RECORD, STATE, LOG = "config.json", "state.pt", "log.jsonl"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: steps taken, tokens seen, seconds spent training."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0


def save(folder: Path, progress: Progress, parts: dict[str, Any]) -> None:
    """Write the state beside the old one and swap; a full disk leaves the old one and is an InputError."""
    buffer = io.BytesIO()
    torch.save({"progress": asdict(progress), **parts}, buffer)
    data = buffer.getvalue()
    # The hash comes first, so a torn file is noticed when it is read.
    _swap(folder / STATE, hashlib.sha256(data).digest() + data, "the training state")


def restore(folder: Path) -> tuple[Progress, dict[str, Any]] | None:
    """The last state, or None if there is none; ModelError if it is damaged."""
    path = folder / STATE
    if not path.is_file():
        return None
    raw = path.read_bytes()
    stated, data = raw[:32], raw[32:]
    if hashlib.sha256(data).digest() != stated:
        raise ModelError(f"{path} is damaged", hint="delete it to start from --start-from or from nothing")
    parts = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    return Progress(**parts.pop("progress")), parts


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a run's folder; InputError while another process trains in it. A lock ends with its process, however."""
    held = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"another run is training in {folder}", hint="wait for it, or give --out") from None
        yield
    finally:
        os.close(held)


def record(folder: Path, values: dict[str, Any]) -> None:
    """Write down what is run, whole or not at all."""
    _swap(folder / RECORD, f"{json.dumps(values, indent=2)}\n".encode(), "what is run")


def note(folder: Path, values: dict[str, Any]) -> None:
    """Append one line to the run's log."""
    with (folder / LOG).open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(values) + "\n")


def last_held(folder: Path) -> dict[str, float]:
    """The last held-out figures in the run's log, in nats; empty if there are none."""
    if not (folder / LOG).is_file():
        return {}
    lines = (folder / LOG).read_text(encoding="utf-8").splitlines()
    scored = (json.loads(line).get("held") for line in reversed(lines))
    return next((held for held in scored if held), {})


def _swap(path: Path, data: bytes, what: str) -> None:
    beside = path.with_suffix(".part")
    try:
        with beside.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
    except OSError as error:
        raise InputError(f"{what} could not be written: {error.strerror}") from None
    finally:
        beside.unlink(missing_ok=True)
