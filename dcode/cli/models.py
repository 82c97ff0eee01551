"""`dcode models`: what checkpoints.toml lists, and bringing, checking, choosing and removing what it names.

A GGUF file that a person has gets a name by `add`. Only `pull` opens connections. No weights are read but to hash them.
"""

import json
import re
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Argument, Option

from dcode.cli.options import Device, Quiet, Verbose, Yes, group
from dcode.cli.progress import progress
from dcode.cli.streams import complain, say_table
from dcode.errors import DcodeError, InputError, ModelError, UsageError
from dcode.model import registry
from dcode.model.checkpoint import DEFAULT, GGUF, Checkpoint, added, checkpoint, checkpoints, find
from dcode.repo import atomic
from dcode.resources import data_path
from dcode.settings import resolve, user_file

TEXTS, LEAST_TEXT_BYTES = 32, 2000
HOLES = "none: it sees nothing behind one"
LONGEST = 80  # characters of a fact that `show` tells
MODEL_LINE = re.compile(r"""^[ \t]*(?:model|"model"|'model')[ \t]*=[^\r\n]*(?P<end>\r?\n|\Z)""", re.MULTILINE)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
SAID = ("shift", "attention", "block", "mask_id", "prompt")
"""What `show` tells of a row beside its name, licence and note."""

File = Annotated[Path, Argument(metavar="FILE", help="A GGUF file; it stays where it is.")]
Folder = Annotated[Path, Option("--out", metavar="FOLDER", help="A new folder for it.")]
Named = Annotated[str | None, Option("--name", metavar="NAME", help="What to call it; else as the file is called.")]
Name = Annotated[str, Argument(metavar="NAME", help="As dcode models list shows it.")]
Revision = Annotated[str | None, Option(metavar="REV", help="A commit, tag or branch; else the newest.")]
Texts = Annotated[Path | None, Option("--files", metavar="FOLDER", help="Python files; else the standard library.")]
Files = Annotated[bool, Option("--files", help="Also delete the files that the pull brought.")]


def list_(verbose: Verbose = False) -> None:
    """List the models; a star marks the one that is the default now."""
    chosen = resolve({}).settings.model
    say_table([_row(row, chosen) for row in (*checkpoints().values(), *added().values())])


def show(name: Name = DEFAULT, verbose: Verbose = False) -> None:
    """Describe a model."""
    row = checkpoint(name)
    folder, record = _folder(row), registry.pulled(row.name)
    facts = {
        "name": row.name,
        "family": row.family,
        "licence": row.licence,
        "languages": ", ".join(row.languages) or "any",
        "note": row.note,
        **{key.replace("_", " "): str(value) for key in SAID if (value := getattr(row, key)) is not None},
        **({} if record and record.file else {"holes": HOLES if row.block else f"length by {row.length}"}),
        "source": row.source,
        **({"commit": record.commit} if record and record.commit else {}),
        "folder": str(folder or "not on this machine"),
        **_card(folder),
        **{f"default {key}": str(value) for key, value in row.defaults.items()},
        **{f"for programs {key}": str(value) for key, value in row.programs.items()},
    }
    say_table(list(facts.items()))


def pull(
    name: Name, revision: Revision = None, yes: Yes = False, quiet: Quiet = False, verbose: Verbose = False
) -> None:
    """Fetch a model from its hub, and record its commit and hashes.

    Only safetensors and tokenizer files are fetched, into the hub's shared cache; a broken pull goes on where it
    stopped. The licence and the size are shown first.
    """
    from dcode.model import hub

    offer = hub.look_up(_repository(checkpoint(name)), revision)
    if not quiet:
        complain(f"{offer.repository} at {offer.commit[:12]}, licence {offer.licence}, {_size(offer.size)}")
    _agree("fetch it?", yes=yes)
    done = 0
    with progress(quiet=quiet) as show:

        def on_bytes(count: int) -> None:
            nonlocal done
            done += count
            show(f"{name}: {_size(min(done, offer.size))} of {_size(offer.size)}")

        record = hub.fetch(name, offer, on_bytes)
    registry.keep(record)
    say_table(_facts(record))


def add(file: File, name: Named = None, verbose: Verbose = False) -> None:
    """Give a GGUF file on this machine a name, so that -m NAME finds it; its header is judged and its hash recorded."""
    from dcode.model import gguf

    row = find(str(file.absolute()))
    name = name or file.stem
    if not NAME.fullmatch(name) or name.endswith(registry.LENGTH):
        raise UsageError(f"{name!r} cannot be a model's name", hint="choose another with --name")
    if name in checkpoints():
        raise UsageError(f"{name} is a model of dcode's own list", hint="choose another with --name")
    header = gguf.Gguf(row.folder)
    gguf.tokenizer(header, row, masks=gguf.network(header, row).attention != "causal")
    record = registry.add(name, row.folder, str(header.facts.get("general.license", row.licence)))
    say_table(_facts(record))


def convert(file: File, out: Folder, verbose: Verbose = False) -> None:
    """Make the embedded store of `coder` from its publisher's file, byte for byte; takes an hour of one core."""
    from dcode.model.convert import SOURCE, convert
    from dcode.model.load import load
    from dcode.model.weights import digest

    if out.exists():
        raise InputError(f"{out} is there already", hint="name a new folder")
    if digest(find(str(file.absolute())).folder) != SOURCE:
        raise ModelError(f"{file} is not the file that coder is made from", hint=f"its sha256 is {SOURCE}")
    own = data_path("weights/coder")
    with progress(quiet=False) as told:
        told("reading the source")
        source = load(str(file.absolute()), precision="float32")
        calibration = (own / "calibration.txt").read_text(encoding="utf-8")
        convert(source, calibration, out, lambda layer: told(f"layer {layer + 1} of {source.net.config.layers}"))


def verify(name: Name, verbose: Verbose = False) -> None:
    """Hash every file of a pulled or added model and compare it with the record."""
    record = _pulled(name)
    registry.keep(registry.verify(record))
    say_table([*_facts(record), ("verified", f"{len(record.files)} files")])


def rm(name: Name, files: Files = False, yes: Yes = False, verbose: Verbose = False) -> None:
    """Forget a pulled or added model; with --files delete what the pull brought, and nothing else."""
    row = checkpoint(name)
    if files:
        record = _pulled(name)
        if record.file:
            raise UsageError(f"{record.file} is yours: dcode did not bring it", hint="delete it yourself")
        complain(f"{_size(record.size)} in {record.folder}")
        if not yes and not _asks():
            raise UsageError("--files deletes, and there is nobody to ask", hint="add --yes")
        _agree("delete these files?", yes=yes)
        registry.delete_files(record)
    if not registry.forget(row.name):
        raise InputError(f"{row.name} was not pulled")
    complain(f"forgot {row.name}{' and its files' if files else '; its files stay'}")


def fit(name: Name, files: Texts = None, device: Device = None, verbose: Verbose = False) -> None:
    """Fit how sure a model is of holes by their length alone, and keep the curve for its searches."""
    from dcode.jobs.lengths import fit_lengths
    from dcode.model.load import load

    row = find(name)
    folder = files or Path(sysconfig.get_path("stdlib"))
    paths = sorted(path for path in folder.glob("*.py") if path.stat().st_size > LEAST_TEXT_BYTES)[:TEXTS]
    if not paths:
        raise InputError(f"{folder} has no Python files of {LEAST_TEXT_BYTES} bytes", hint="name another with --files")
    curve = fit_lengths(load(name, device=device or "cpu"), [path.read_bytes() for path in paths])
    place = registry.keep_curve(row.name, curve.to_json())
    rows = [(length, f"{mean:.3f}") for length, mean in curve.to_json().items()]
    say_table([("slots", "mean top probability"), *rows, ("kept", str(place))])


def use(name: Name, verbose: Verbose = False) -> None:
    """Make a model the default in your own configuration file."""
    row = checkpoint(name)
    file = user_file()
    if file.exists():
        before = atomic.read(file)
        atomic.replace(file, _with_model(before, row.name, file), expected=before)
    else:
        file.parent.mkdir(parents=True, exist_ok=True)
        atomic.create(file, _with_model(b"", row.name, file))
    say_table([("model", row.name), ("file", str(file))])


def _with_model(data: bytes, name: str, file: Path) -> bytes:
    """The configuration with another model and nothing else changed; InputError if that is not sure."""
    line = f'model = "{name}"'
    hint = f"write {line} into it yourself"
    try:
        text = data.decode("utf-8")
        before = tomllib.loads(text)
    except UnicodeDecodeError:
        raise InputError(f"{file} is not UTF-8 text", hint=hint) from None
    except (tomllib.TOMLDecodeError, RecursionError):
        raise InputError(f"{file} is not TOML", hint=hint) from None
    if any(isinstance(value, dict) for value in before.values()):
        raise InputError(f"{file} has tables", hint=hint)
    changed, count = MODEL_LINE.subn(lambda found: line + (found["end"] or "\n"), text, count=1)
    changed = changed if count else f"{line}\n{text}"
    if not _says(changed, {**before, "model": name}):
        raise InputError(f"{file} cannot be changed safely", hint=hint)
    return changed.encode("utf-8")


def _says(text: str, values: dict[str, Any]) -> bool:
    """Whether it is TOML for exactly these values."""
    try:
        return tomllib.loads(text) == values
    except (tomllib.TOMLDecodeError, RecursionError):
        return False


def _repository(row: Checkpoint) -> str:
    if row.hub is None:
        where = "is a file of yours" if row.name in added() else "ships with dcode"
        raise UsageError(f"{row.name} {where}", hint="there is nothing to pull")
    return row.hub


def _pulled(name: str) -> registry.Pulled:
    record = registry.pulled(checkpoint(name).name)
    if record is None:
        hint = f"dcode models pull {name}" if checkpoint(name).hub else "it ships with dcode"
        raise InputError(f"{name} was not pulled", hint=hint)
    return record


def _facts(record: registry.Pulled) -> list[tuple[str, str]]:
    facts = {"repository": record.repository, "commit": record.commit, "licence": record.licence}
    facts |= {"size": _size(record.size), "folder": record.folder}
    if record.file:
        facts["sha256"] = record.files[record.file.name].sha256
    return [(key, value) for key, value in {"name": record.name, **facts}.items() if value]


def _size(count: int) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def _asks() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _agree(question: str, *, yes: bool) -> None:
    """Ask, where there is somebody to ask; a no ends the command."""
    if not yes and _asks() and not typer.confirm(question, err=True):
        raise ModelError("nothing was done", hint="--yes does not ask")


def _row(row: Checkpoint, chosen: str) -> tuple[str, ...]:
    star = "*" if row.name == chosen else ""
    state = "here" if _folder(row) else "to pull" if row.hub else "missing"
    return row.name + star, row.family or GGUF[1:], row.licence, state, row.note


def _folder(row: Checkpoint) -> Path | None:
    """Where its files lie, if they are there."""
    try:
        place = row.folder
        return place if place.is_file() or (place / "config.json").is_file() else None
    except DcodeError:
        return None


def _card(folder: Path | None) -> dict[str, str]:
    """What its config.json says, flattened: network.width, trained.tokens, …"""
    if folder is None:
        return {}
    if folder.is_file():
        return _header(folder)
    size = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    try:
        return {"weights": _size(size), **_flat(json.loads((folder / "config.json").read_text(encoding="utf-8")))}
    except (ValueError, OSError, RecursionError) as error:
        raise ModelError(f"{folder / 'config.json'} cannot be read: {error}") from None


def _header(file: Path) -> dict[str, str]:
    """What a GGUF file says of itself, but for its lists and its chat template."""
    from dcode.model.gguf import Gguf

    facts = {key: str(value) for key, value in Gguf(file).facts.items() if not isinstance(value, list)}
    return {"weights": _size(file.stat().st_size), **{key: one for key, one in facts.items() if len(one) < LONGEST}}


def _flat(value: Any, name: str = "") -> dict[str, str]:
    if not isinstance(value, dict):
        return {name: str(value)}
    rows: dict[str, str] = {}
    for key, inner in value.items():
        rows |= _flat(inner, f"{name}.{key}" if name else key)
    return rows


app = group(list_, show, pull, add, convert, verify, rm, fit, use, help="List, describe, pull, add and choose models.")
