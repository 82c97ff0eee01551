"""`dcode models`: what checkpoints.toml lists and whether its files are there. It reads no weights."""

import json
from pathlib import Path
from typing import Annotated, Any

from typer import Argument

from dcode.cli.options import Verbose, group
from dcode.cli.streams import say_table
from dcode.errors import DcodeError
from dcode.model.checkpoint import DEFAULT, Checkpoint, checkpoint, checkpoints

Name = Annotated[str, Argument(metavar="NAME", help="As dcode models list shows it.")]


def list_(verbose: Verbose = False) -> None:
    """List the models, the default first marked with a star."""
    say_table([_row(row) for row in checkpoints().values()])


def show(name: Name = DEFAULT, verbose: Verbose = False) -> None:
    """Describe a model."""
    row = checkpoint(name)
    folder = _folder(row)
    facts = {
        "name": row.name,
        "family": row.family,
        "licence": row.licence,
        "languages": ", ".join(row.languages) or "any",
        "note": row.note,
        "folder": str(folder or f"{row.source} (not installed)"),
        **_card(folder),
        **{f"default {key}": str(value) for key, value in row.defaults.items()},
    }
    say_table(list(facts.items()))


def _row(row: Checkpoint) -> tuple[str, ...]:
    star = "*" if row.name == DEFAULT else ""
    return row.name + star, row.family, row.licence, "here" if _folder(row) else "missing", row.note


def _folder(row: Checkpoint) -> Path | None:
    """Where its files lie, if they are there."""
    try:
        return row.folder if (row.folder / "config.json").is_file() else None
    except DcodeError:
        return None


def _card(folder: Path | None) -> dict[str, str]:
    """What its config.json says, flattened: network.width, trained.tokens, …"""
    if folder is None:
        return {}
    size = (folder / "model.safetensors").stat().st_size if (folder / "model.safetensors").is_file() else 0
    try:
        card = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise DcodeError(f"{folder / 'config.json'} cannot be read: {error}") from None
    return {"weights": f"{size / 1e6:.1f} MB", **_flat(card)}


def _flat(value: Any, name: str = "") -> dict[str, str]:
    if not isinstance(value, dict):
        return {name: str(value)}
    rows: dict[str, str] = {}
    for key, inner in value.items():
        rows |= _flat(inner, f"{name}.{key}" if name else key)
    return rows


app = group(list_, show, help="List and describe models.")
