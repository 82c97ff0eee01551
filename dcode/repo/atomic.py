"""Writing a whole file so that it is the old one or the new one at every moment, and after every accident.

The new bytes go to a temporary file beside the target, which then takes its name. This file knows neither git
nor the journal. Every refusal is an InputError, and then the target is as it was.
"""

import errno
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dcode.errors import InputError

_PREFIX, _SUFFIX = ".dcode-", ".tmp"
_SPARE = re.compile(re.escape(_PREFIX) + "[0-9a-f]{16}" + re.escape(_SUFFIX))
_ABANDONED_AFTER_S = 3600.0
_NO_FOLDER_FSYNC = (errno.EINVAL, errno.ENOTSUP, errno.EBADF)


def replace(path: Path, data: bytes, *, expected: bytes) -> None:
    """Give the file at `path` new bytes if it still has the `expected`; mode, owner and attributes stay.

    A symbolic link at `path` is followed. Refused: what is missing, not a regular file, read-only,
    hard-linked or changed meanwhile.
    """
    with staged(path, data, expected=expected) as commit:
        commit()


@contextmanager
def staged(path: Path, data: bytes, *, expected: bytes) -> Iterator[Callable[[], None]]:
    """As `replace` in two steps: the new bytes are on the disk beside the file, and take its name when called.

    What can fail for want of space has happened by then. Without the call nothing changes.
    """
    target = check(path, expected)

    def commit() -> None:
        with _one_line(path):
            if check(path, expected) != target:
                raise InputError(f"{path} changed meanwhile", hint="try again")
            spare.replace(target)
            _settle(target.parent)

    with _temporary(target) as spare:
        with _one_line(path):
            write_new(spare, data, mode=0o600)
            _copy_attributes(target, spare)
        yield commit


def create(path: Path, data: bytes, *, force: bool = False) -> None:
    """Make a new file at `path`; one that exists is refused, or with `force` replaced."""
    if force and os.path.lexists(path):
        replace(path, data, expected=read(path))
        return
    with _one_line(path), _temporary(path) as spare:
        if not path.parent.is_dir():
            raise InputError(f"cannot write {path}: there is no folder {path.parent}")
        write_new(spare, data, mode=0o666)
        try:
            os.link(spare, path)  # unlike a rename, it never takes the place of a file
        except FileExistsError:
            raise InputError(f"{path} already exists", hint="use --force to replace it") from None
        except OSError:  # a file system without hard links
            _claim(spare, path)
        _settle(path.parent)


def remove(path: Path, *, expected: bytes) -> None:
    """Delete the file at `path` if its bytes are still `expected`."""
    target = check(path, expected)
    with _one_line(path):
        target.unlink()
        _settle(target.parent)


def read(path: Path) -> bytes:
    """The bytes of a regular file."""
    with _one_line(path, doing="read"):
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would block
            raise InputError(f"{path} is not a regular file")
        return path.read_bytes()


def check(path: Path, expected: bytes) -> Path:
    """The real path of the file at `path`, if it may be replaced and its bytes are `expected`."""
    with _one_line(path):
        target = Path(os.path.realpath(path, strict=True))
        status = target.stat()
        if stat.S_ISDIR(status.st_mode):
            raise InputError(f"{path} is a directory")
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{path} is not a regular file")
        if status.st_nlink > 1:
            _drop_leftovers(target)
            if target.stat().st_nlink > 1:
                raise InputError(f"{path} has {status.st_nlink} hard links", hint="copy it to a file of its own")
        if not status.st_mode & stat.S_IWUSR or not os.access(target, os.W_OK):
            raise InputError(f"{path} is read-only", hint="make it writable first")
        if target.read_bytes() != expected:
            raise InputError(f"{path} changed meanwhile; nothing was written", hint="try again")
        return target


def write_new(path: Path, data: bytes, *, mode: int) -> None:
    """Make a file that must not exist, and return when it is on the disk; raises OSError."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), mode)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(file, rest) :]
        os.fsync(file)
    finally:
        os.close(file)


def fsync_folder(folder: Path) -> None:
    """Return when the names in `folder` are on the disk, where the system can say so; raises OSError."""
    if os.name == "nt":  # there, folders cannot be opened
        return
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    except OSError as error:
        if error.errno not in _NO_FOLDER_FSYNC:
            raise
    finally:
        os.close(file)


def _settle(folder: Path) -> None:
    """The new name stands already: if the folder cannot be synced, the write has happened all the same."""
    with suppress(OSError):
        fsync_folder(folder)


def _copy_attributes(target: Path, spare: Path) -> None:
    """Owner first, because a change of owner clears the set-id bits; the times are those of this write."""
    status = target.stat()
    if hasattr(os, "chown"):
        os.chown(spare, status.st_uid, status.st_gid)
    shutil.copystat(target, spare)
    os.utime(spare)


def _claim(spare: Path, path: Path) -> None:
    """Where a name cannot be linked: take an empty file of that name, then put the full one in its place."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
    try:
        spare.replace(path)
    except BaseException:
        path.unlink()
        raise


def _drop_leftovers(target: Path) -> None:
    """A process killed between linking a new file and dropping its temporary name leaves it with two."""
    for spare in target.parent.glob(f"{_PREFIX}*{_SUFFIX}"):
        with suppress(OSError):
            if spare.samefile(target):
                spare.unlink()


def _drop_abandoned(folder: Path) -> None:
    """Remove what processes of this person that were killed long ago left in a folder, and nothing else.

    The age is that of the last change to the inode: for a moment a name in use has the times of its target.
    """
    with suppress(OSError):
        for spare in folder.iterdir():
            if not _SPARE.fullmatch(spare.name):
                continue
            status = spare.lstat()
            mine = not hasattr(os, "geteuid") or status.st_uid == os.geteuid()
            if mine and stat.S_ISREG(status.st_mode) and time.time() - status.st_ctime > _ABANDONED_AFTER_S:
                spare.unlink()


@contextmanager
def _temporary(target: Path) -> Iterator[Path]:
    """A name beside `target` that is free again afterwards; chosen first, so that no accident can hide it."""
    _drop_abandoned(target.parent)
    spare = target.parent / f"{_PREFIX}{secrets.token_hex(8)}{_SUFFIX}"
    try:
        yield spare
    finally:
        with suppress(OSError):
            spare.unlink()


@contextmanager
def _one_line(path: Path, doing: str = "write") -> Iterator[None]:
    """What the system refuses, in the user's words."""
    try:
        yield
    except FileNotFoundError:
        raise InputError(f"no such file: {path}") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        why = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"cannot {doing} {path}: {why}") from None
