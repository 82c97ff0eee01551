"""Which files below a folder are somebody's own text: not ignored, vendored, generated, linked or large.

In a repository git itself says what is ignored. Names of languages are not known here: the caller says which file
names it wants. It reads and changes nothing else.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from dcode.errors import InputError
from dcode.repo import git
from dcode.repo.staged import LARGEST_BYTES, is_fit

VENDORED = frozenset(
    {"vendor", "vendored", "_vendor", "third_party", "thirdparty", "3rdparty", "node_modules", "bower_components",
     "site-packages", "dist-packages", "venv", "virtualenv", "__pycache__", "__pypackages__", "build", "dist"}
)  # fmt: skip
"""Folders of others' code, or of what tools made; so is every folder whose name begins with a dot."""


def files(folder: Path, wanted: Callable[[str], bool]) -> list[Path]:
    """The files below `folder` whose names are wanted, in order; `folder` itself may have any name.

    Left out: what git ignores, symbolic links, vendored folders, what says that it is generated, holds NUL or is
    larger than 256 KiB, and what cannot be read. InputError if the folder cannot be listed.
    """
    listed = _of_git(folder)
    found = _of_system(folder) if listed is None else (path for path in listed if not _vendored(path.parent))
    chosen = sorted({path for path in found if wanted(path.name)})
    return [folder / path for path in chosen if _is_own(folder, path)]


def _of_git(folder: Path) -> list[Path] | None:
    """What is tracked or might be, from `folder`; None outside a repository, or where all of it is ignored."""
    if git.top(folder) is None or git.run(folder, ["check-ignore", "-q", "."]) is not None:
        return None
    names = git.run(folder, ["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
    return None if names is None else [Path(os.fsdecode(name)) for name in names.split(b"\0") if name]


def _of_system(folder: Path) -> Iterator[Path]:
    """Every file below, from `folder`; folders of others are not entered, nor is what cannot be listed below it."""
    try:
        os.scandir(folder).close()
    except OSError as error:
        raise InputError(f"cannot list {folder}: {error.strerror}") from None
    for here, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not _vendored(Path(name))]
        yield from (Path(here, name).relative_to(folder) for name in names)


def _vendored(folder: Path) -> bool:
    return any(part in VENDORED or part.startswith(".") for part in folder.parts)


def _is_own(folder: Path, path: Path) -> bool:
    """A regular file that is reached by no link, small, and text written by hand."""
    if any(Path(folder, *path.parts[:count]).is_symlink() for count in range(1, len(path.parts) + 1)):
        return False
    file = folder / path
    try:
        return file.is_file() and file.stat().st_size <= LARGEST_BYTES and is_fit(file.read_bytes())
    except OSError:
        return False
