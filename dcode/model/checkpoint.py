"""What dcode knows of a checkpoint beyond its own files: a row of checkpoints.toml. No torch, no weights."""

import difflib
import os
import tomllib
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from dcode.errors import DcodeError, ModelError, UsageError
from dcode.model import registry
from dcode.model.framing import Framing
from dcode.resources import data_path

DEFAULT = "mini"
TRAINED = "mini"
"""The row whose settings suit what `dcode train` makes."""
HUB = "hub:"
FRAMINGS = "framing"
"""The table of checkpoints.toml that is no model."""
GGUF = ".gguf"

Attention = Literal["full", "block-causal", "causal"]
Length = Literal["void", "expand", "search"]
Style = Literal["header", "chat"]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A row: `source` is a folder (relative to the package for what ships), a GGUF file, or `hub:` and a hub id.

    `defaults` are sampler settings, `programs` those that suit whole programs better, `changes` those for what is
    rewritten as an instruction says; `presets`: what --preset sets for holes, in place of what it sets for every model.
    What follows them is what a checkpoint's own files may not say; None: they must. `shift`: row p-1 predicts position
    p. `length`: how a hole finds its length: void slots, tokens that expand and delete, or a search. `prompt`: a
    comment header, or the checkpoint's own chat template; `framing`: a table's name, for left-to-right models, whose
    candidates are drawn and chosen by `policy`. `rules`: what the hook asks it for; none named: everything.
    """

    name: str
    family: str
    source: str
    licence: str
    note: str
    languages: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    defaults: dict[str, Any] = field(default_factory=dict)
    programs: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)
    presets: dict[str, dict[str, Any]] = field(default_factory=dict)
    shift: bool | None = None
    attention: Attention | None = None
    block: int | None = None
    mask_token: str | None = None
    mask_id: int | None = None
    begin_id: int | None = None
    end_id: int | None = None
    expand_token: str | None = None
    expand_id: int | None = None
    delete_id: int | None = None
    length: Length = "void"
    prompt: Style = "header"
    framing: str = ""
    policy: dict[str, Any] = field(default_factory=dict)

    @property
    def hub(self) -> str | None:
        """The hub's name for it; None if it does not come from a hub."""
        return self.source.removeprefix(HUB) if self.source.startswith(HUB) else None

    @property
    def folder(self) -> Path:
        """Where its files lie, or its one file; ModelError if what ships is not there, or is to be pulled."""
        if self.hub is not None:
            record = registry.pulled(self.name)
            if record is None:
                raise ModelError(f"{self.name} is not on this machine", hint=f"dcode models pull {self.name}")
            return Path(record.folder)
        try:
            return data_path(self.source)
        except DcodeError as error:
            raise ModelError(error.what, hint=error.hint) from None


def checkpoints() -> dict[str, Checkpoint]:
    """Every row of checkpoints.toml by name, in the file's order."""
    return {name: _row(name, values) for name, values in _table().items() if name != FRAMINGS}


def framings() -> dict[str, Framing]:
    """How left-to-right models were taught to fill holes and to answer, by name, in the file's order."""
    return {name: Framing.of(name, values) for name, values in _table()[FRAMINGS].items()}


def _table() -> dict[str, Any]:
    return tomllib.loads(data_path("checkpoints.toml").read_text(encoding="utf-8"))


def added() -> dict[str, Checkpoint]:
    """The GGUF files that the person gave names, by name."""
    return {
        name: Checkpoint(name, "", str(record.file), record.licence, f"added: {record.file}")
        for name, record in registry.added().items()
    }


def find(name: str) -> Checkpoint:
    """The model called `name`: a row, an added file, `ROW=PLACE`, or a folder or GGUF file on this machine.

    `ROW=PLACE` is a row whose files lie elsewhere. Rows and added names come first: a repository is full of folders
    that dcode did not name. To mean one that is called like a row, write `./ROW`. No file of it is read. ModelError for
    a path that leads to no model, UsageError for an unknown name.
    """
    rows = added() | checkpoints()
    row, given, place = name.partition("=")
    if name in rows:
        return rows[name]
    if row and given and (row in rows or not (_is_path(row) or Path(name).exists())):
        return replace(checkpoint(row), source=str(_present(place)))
    if name and (_is_path(name) or Path(name).exists()):
        there = _present(name)
        kind = "a GGUF file" if there.is_file() else "a local folder"
        return Checkpoint(there.name, "", str(there), "unknown", kind)
    return checkpoint(name)


def _is_path(name: str) -> bool:
    """Whether it can only mean a path, there or not."""
    return os.sep in name or bool(os.altsep and os.altsep in name)


def _present(name: str) -> Path:
    place = Path(name).absolute()
    if not name or not (place.is_dir() or (place.suffix.lower() == GGUF and place.is_file())):
        hint = "name one with a config.json and safetensors weights, or a GGUF file"
        raise ModelError(f"there is no model folder {name}", hint=hint)
    return place


def checkpoint(name: str) -> Checkpoint:
    """The row or the added file called `name`; UsageError with the nearest names if there is none."""
    rows = added() | checkpoints()
    if name not in rows:
        near = difflib.get_close_matches(name, rows, n=1)
        hint = f"did you mean {near[0]}?" if near else "dcode models list shows what there is"
        raise UsageError(f"unknown model {name!r}", hint=hint)
    return rows[name]


def _row(name: str, values: dict[str, Any]) -> Checkpoint:
    known = {item.name for item in fields(Checkpoint)} - {"name"}
    assert set(values) <= known, f"checkpoints.toml: [{name}] has {set(values) - known}"
    lists = {key: tuple(values.get(key, ())) for key in ("languages", "rules")}
    return Checkpoint(name=name, **{**values, **lists})
