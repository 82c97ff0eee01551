"""Where the commands of `dcode train` read and write: in a checkout `.work/`, elsewhere as the person says."""

from pathlib import Path

from dcode.errors import InputError, UsageError
from dcode.resources import PACKAGE

INSTALLED = {"site-packages", "dist-packages"}


def place(out: Path | None, name: str) -> Path:
    """Where to write: as asked, else in the checkout's .work; UsageError where packages are installed."""
    chosen = out if out is not None else _work(name)
    if INSTALLED & {*chosen.resolve().parts}:
        raise UsageError(f"{chosen} is inside installed packages", hint="choose a folder of your own")
    return chosen


def made(given: Path | None, name: str) -> Path:
    """What an earlier command made: as named, else where it puts it in a checkout."""
    chosen = given if given is not None else _work(name)
    if not chosen.exists():
        raise InputError(f"there is no {chosen}", hint=f"dcode train {Path(name).stem} makes it")
    return chosen


def fresh(folder: Path, name: str, *, force: bool) -> Path:
    """The folder, if it has no file of this name yet or may lose it."""
    if (folder / name).exists() and not force:
        raise InputError(f"{folder / name} exists", hint="--force overwrites it")
    return folder


def _work(name: str) -> Path:
    checkout = PACKAGE.parent
    if not ((checkout / "pyproject.toml").is_file() and (checkout / ".git").exists()):
        raise UsageError("this is no checkout of dcode, so every place must be named", hint="--out DIR")
    return checkout / ".work" / name
