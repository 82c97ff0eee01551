"""What was pulled from a hub, or added from a file: where it lies, with which hashes. No network, no torch.

A record is one JSON file per model in the person's state folder. A pull, `add` and `verify` hash every file; a load
looks at sizes and times and hashes again only what changed (a 7B at 2 GB/s would cost seven seconds each start).
"""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import file_digest
from pathlib import Path

import platformdirs

from dcode.errors import ModelError

LENGTH = ".length"
"""Ends the names of length curves, which lie beside the records."""


@dataclass(frozen=True, slots=True)
class Known:
    """A file as it was when it was hashed: bytes, time of its last change in ns, sha256."""

    size: int
    mtime_ns: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Pulled:
    """A model on this machine: the hub's name for it, the commit, its licence there, its folder and files.

    What a person added is one file of theirs: it has no repository and no commit.
    """

    name: str
    repository: str
    commit: str
    licence: str
    folder: str
    files: Mapping[str, Known]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(known.size for known in self.files.values())

    @property
    def file(self) -> Path | None:
        """The file of a model that was added; None for one that was pulled."""
        return None if self.repository else Path(self.folder, *self.files)


def add(name: str, file: Path, licence: str) -> Pulled:
    """Hash a file and record it under a name."""
    record = Pulled(name, "", "", licence, str(file.parent), {file.name: known(file)})
    keep(record)
    return record


def added() -> dict[str, Pulled]:
    """The models that were added, by name; a record that is damaged is passed over."""
    found: dict[str, Pulled] = {}
    for place in sorted(_place("x").parent.glob("*.json")):
        try:
            record = None if place.stem.endswith(LENGTH) else pulled(place.stem)
        except ModelError:
            continue
        if record is not None and record.file is not None:
            found[record.name] = record
    return found


def pulled(name: str) -> Pulled | None:
    """The record of the model called `name`; None if it was not pulled, ModelError if its record is damaged."""
    place = _place(name)
    try:
        values = json.loads(place.read_bytes())
        files = {file: Known(**known) for file, known in values.pop("files").items()}
        return Pulled(**values, files=files)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        hint = f"dcode models rm {name}, then pull it again"
        raise ModelError(f"the record {place} cannot be read", hint=hint) from None


def keep(record: Pulled) -> None:
    """Write the record, whole or not at all."""
    _write(_place(record.name), asdict(record))


def keep_curve(name: str, curve: Mapping[str, float]) -> Path:
    """Keep a model's length curve (`dcode.diffusion.length`) beside its record; returns where."""
    place = _place(name + LENGTH)
    _write(place, curve)
    return place


def curve(name: str) -> Mapping[str, float] | None:
    """The length curve that was kept for the model called `name`; None if there is none that can be read."""
    try:
        values = json.loads(_place(name + LENGTH).read_bytes())
        return {str(int(length)): float(mean) for length, mean in values.items()} or None
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def forget(name: str) -> bool:
    """Remove the record; whether there was one. Files are not touched."""
    place = _place(name)
    there = place.exists()
    place.unlink(missing_ok=True)
    return there


def delete_files(record: Pulled) -> None:
    """Delete what the pull brought: its files, what they link to in the cache, and folders that are empty then."""
    folder = Path(record.folder)
    for name in record.files:
        path = folder / name
        if path.is_symlink():
            path.resolve().unlink(missing_ok=True)
        path.unlink(missing_ok=True)
    emptied = [folder, *{(folder / name).parent for name in record.files}]
    for empty in sorted(emptied, key=lambda path: -len(path.parts)):
        if empty.is_dir() and not any(empty.iterdir()):
            empty.rmdir()


def known(path: Path) -> Known:
    """A file as it is now, hashed."""
    with path.open("rb") as stream:
        digest = file_digest(stream, "sha256").hexdigest()
    seen = path.stat()
    return Known(seen.st_size, seen.st_mtime_ns, digest)


def verify(record: Pulled, *, thorough: bool = True) -> Pulled:
    """Compare the files with the record: all of them, or without `thorough` those whose size or time changed.

    Returns the record with the times it found. Raises ModelError for a file that is missing or another one.
    """
    now = {name: _verified(record, name, before, thorough) for name, before in record.files.items()}
    return replace(record, files=now)


def _verified(record: Pulled, name: str, before: Known, thorough: bool) -> Known:
    path = Path(record.folder) / name
    takes = f"dcode models add {path} --name {record.name} takes it as it is then"
    again = takes if record.file else f"dcode models pull {record.name} brings it back"
    try:
        seen = path.stat()
        if not thorough and (seen.st_size, seen.st_mtime_ns) == (before.size, before.mtime_ns):
            return before
        now = known(path)
    except OSError:
        raise ModelError(f"{record.name} lacks {name} in {record.folder}", hint=again) from None
    if now.sha256 != before.sha256:
        what = f"{path} is not the file that was {'added' if record.file else 'pulled'}"
        raise ModelError(what, hint=f"sha256 {now.sha256[:12]}…, not {before.sha256[:12]}…: {again}")
    return now


def _place(name: str) -> Path:
    """Where the record of `name` lies; ModelError for a name that leads out of the folder of records."""
    file = f"{name}.json"
    if Path(file).name != file:
        raise ModelError(f"{name!r} is a path, not a model's name", hint="dcode models list shows what there is")
    return platformdirs.user_state_path("dcode", appauthor=False) / "models" / file


def _write(place: Path, value: Mapping[str, object]) -> None:
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(dir=place.parent, prefix=".dcode-", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(value, stream, indent=1)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(place)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise ModelError(f"cannot write {place}: {error.strerror}") from None
