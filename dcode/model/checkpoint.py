"""What dcode knows of a checkpoint beyond its own files: a row of checkpoints.toml. No torch, no weights."""

import difflib
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from dcode.errors import DcodeError, ModelError, UsageError
from dcode.resources import data_path

DEFAULT = "mini"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`source` is a folder (relative to the package for what ships) or a hub id; `defaults` are sampler settings."""

    name: str
    family: str
    source: str
    licence: str
    note: str
    languages: tuple[str, ...] = ()
    defaults: dict[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where its files lie; ModelError if what ships is not there."""
        try:
            return data_path(self.source)
        except DcodeError as error:
            raise ModelError(error.what, hint=error.hint) from None


def checkpoints() -> dict[str, Checkpoint]:
    """Every row of checkpoints.toml by name, in the file's order."""
    table = tomllib.loads(data_path("checkpoints.toml").read_text(encoding="utf-8"))
    return {name: _row(name, values) for name, values in table.items()}


def find(name: str) -> Checkpoint:
    """The model called `name`: a folder on this machine, else a row; no file of it is read.

    ModelError for a path that leads to no folder, UsageError for an unknown name.
    """
    folder = Path(name).absolute()
    if name and folder.is_dir():
        return Checkpoint(folder.name, "dcode", str(folder), "unknown", "a local folder")
    if (name and folder.is_file()) or len(Path(name).parts) > 1:
        raise ModelError(f"there is no model folder {name}", hint="name one that dcode train export wrote")
    return checkpoint(name)


def checkpoint(name: str) -> Checkpoint:
    """The row called `name`; UsageError with the nearest names if there is none."""
    rows = checkpoints()
    if name not in rows:
        near = difflib.get_close_matches(name, rows, n=1)
        hint = f"did you mean {near[0]}?" if near else "dcode models list shows what there is"
        raise UsageError(f"unknown model {name!r}", hint=hint)
    return rows[name]


def _row(name: str, values: dict[str, Any]) -> Checkpoint:
    known = {item.name for item in fields(Checkpoint)} - {"name"}
    assert set(values) <= known, f"checkpoints.toml: [{name}] has {set(values) - known}"
    return Checkpoint(name=name, **{**values, "languages": tuple(values.get("languages", ()))})
