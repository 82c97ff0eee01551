"""The file that git runs before a commit: putting ours there, keeping a foreign one beside it, taking ours away.

What the hook does is not known here: only its file, in the folder where git looks for hooks. A foreign hook is
moved, never read or rewritten, and comes back byte for byte. A folder that is not the repository's own is left alone.
"""

import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dcode.errors import InputError
from dcode.repo import atomic, git

NAME = "pre-commit"
KEPT = f"{NAME}.before-dcode"

State = Literal["none", "ours", "foreign"]

_MARK = b"# This hook belongs to dcode: made by `dcode hook install`, taken away by `dcode hook uninstall`.\n"
_TEXT = """#!/bin/sh
{mark}\
if [ -x "$0{suffix}" ]; then
    "$0{suffix}" "$@" || exit
fi
if [ "$DCODE_HOOK" = 0 ]; then exit 0; fi
python={python}
package={package}
if [ ! -x "$python" ] || [ ! -d "$package" ]; then
    echo "dcode: $python has no dcode any more; run dcode hook install again, or rm $0" >&2
    exit 0
fi
exec "$python" -P -m dcode hook run
"""


@dataclass(frozen=True, slots=True)
class Shim:
    """The place of the pre-commit hook in a folder of hooks.

    `own` is set where that folder lies outside of the repository, so that others may share it: nothing is put there
    or taken away. It is the one that the repository could have for itself.
    """

    folder: Path
    own: Path | None = None

    @staticmethod
    def locate(folder: Path) -> "Shim":
        """That of the repository that `folder` lies in, also where its configuration names another folder of hooks."""
        found, common = git.git_path(folder, "hooks"), git.common(folder)
        if found is None or common is None:
            raise InputError(f"{folder} is in no git repository", hint="git init makes one")
        if git.owns(folder, found):
            return Shim(found)
        usual = common / "hooks"
        return Shim(found, common / "own-hooks" if usual.is_symlink() else usual)

    @property
    def file(self) -> Path:
        """What git runs."""
        return self.folder / NAME

    @property
    def kept(self) -> Path:
        """Where a foreign hook is kept, which ours runs first."""
        return self.folder / KEPT

    @property
    def state(self) -> State:
        """Whose hook is there."""
        if not os.path.lexists(self.file):
            return "none"
        return "ours" if _MARK in _content(self.file) else "foreign"

    @property
    def is_shared(self) -> bool:
        """Whether other repositories may look for their hooks in this folder."""
        return self.own is not None

    @property
    def has_kept(self) -> bool:
        """Whether a foreign hook is kept."""
        return os.path.lexists(self.kept)

    @property
    def is_alive(self) -> bool:
        """Whether the interpreter and the package that our hook names are there."""
        lines = os.fsdecode(_content(self.file)).splitlines()
        named = dict(line.split("=", 1) for line in lines if line.startswith(("python=", "package=")))
        return bool(named) and all(Path(*shlex.split(value)).exists() for value in named.values())

    def install(self, python: Path, package: Path, *, chain: bool) -> None:
        """Make git run `python -P -m dcode hook run`; a foreign hook is refused, or with `chain` kept and run first."""
        if self.own is not None:
            what = f"git looks for hooks in {self.folder.resolve()}, outside of this repository"
            hint = f"git config core.hooksPath {shlex.quote(str(self.own))} gives it hooks of its own"
            raise InputError(what, hint=hint)
        text = _text(python, package)
        if self.state == "ours":
            atomic.replace(self.file, text, expected=_content(self.file))
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.state == "foreign":
            self._keep(chain)
        atomic.create(self.file, text)
        self.file.chmod(0o755)

    def uninstall(self) -> bool:
        """Take our hook away and put the kept one back; False if there was nothing to do."""
        state, has_kept = self.state, self.has_kept
        if state == "foreign":
            raise InputError(f"{self.file} is not dcode's; it was left alone")
        if self.is_shared and (state == "ours" or has_kept):
            file, kept = (shlex.quote(str(path)) for path in (self.file, self.kept))
            hint = f"{f'mv {kept} {file}' if has_kept else f'rm {file}'} takes it away for all"
            raise InputError(f"{self.file} is outside of this repository: other repositories may run it", hint=hint)
        if has_kept:
            self.kept.replace(self.file)
        elif state == "ours":
            atomic.remove(self.file, expected=_content(self.file))
        return state == "ours" or has_kept

    def _keep(self, chain: bool) -> None:
        if not chain:
            raise InputError(f"there is another hook: {self.file}", hint="--chain keeps it and runs it first")
        if self.has_kept:
            raise InputError(f"two foreign hooks: {self.file} and {self.kept}", hint="remove one of them")
        self.file.rename(self.kept)


def _text(python: Path, package: Path) -> bytes:
    suffix = KEPT.removeprefix(NAME)
    quoted = {name: shlex.quote(os.fspath(path)) for name, path in (("python", python), ("package", package))}
    return os.fsencode(_TEXT.format(mark=_MARK.decode(), suffix=suffix, **quoted))


def _content(file: Path) -> bytes:
    """What our hook would be read as; nothing for a link or a folder, which ours never is."""
    return file.read_bytes() if file.is_file() and not file.is_symlink() else b""
