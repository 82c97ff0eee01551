import errno
import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dcode.errors import InputError
from dcode.repo import atomic

OLD, NEW = b"old\r\n" * 50, b"new\n" * 70


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.py"
    path.write_bytes(OLD)
    return path


def spares(folder: Path) -> list[Path]:
    return list(folder.glob(".dcode-*"))


def test_replace(path: Path) -> None:
    os.utime(path, (1e9, 1e9))
    atomic.replace(path, NEW, expected=OLD)
    assert path.read_bytes() == NEW
    assert path.stat().st_mtime > 1e9
    assert not spares(path.parent)


@pytest.mark.parametrize("mode", [0o644, 0o755, 0o600, 0o4751, 0o2666])
def test_the_mode_is_kept(path: Path, mode: int) -> None:
    path.chmod(mode)
    atomic.replace(path, NEW, expected=OLD)
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_the_owner_is_kept(path: Path) -> None:
    os.chown(path, 12345, 54321)
    path.chmod(0o6755)
    atomic.replace(path, NEW, expected=OLD)
    status = path.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (12345, 54321, 0o6755)


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="no extended attributes here")
def test_attributes_are_kept(path: Path) -> None:
    try:
        os.setxattr(path, "user.dcode", b"kept")
    except OSError:
        pytest.skip("the file system has no extended attributes")
    atomic.replace(path, NEW, expected=OLD)
    assert os.getxattr(path, "user.dcode") == b"kept"


def test_an_owner_that_cannot_be_kept_is_a_refusal(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "chown", refuse)
    with pytest.raises(InputError, match=r"cannot write .*: Operation not permitted"):
        atomic.replace(path, NEW, expected=OLD)
    assert path.read_bytes() == OLD and not spares(path.parent)


def test_a_symbolic_link_leads_to_its_file(path: Path) -> None:
    (path.parent / "sub").mkdir()
    link = path.parent / "sub/link.py"
    link.symlink_to("../a.py")
    atomic.replace(link, NEW, expected=OLD)
    assert link.is_symlink() and path.read_bytes() == NEW and not path.is_symlink()


def test_a_hard_link_is_refused(path: Path) -> None:
    (path.parent / "b.py").hardlink_to(path)
    with pytest.raises(InputError, match=r"a\.py has 2 hard links"):
        atomic.replace(path, NEW, expected=OLD)
    assert path.read_bytes() == OLD


def test_a_name_left_by_a_killed_process_is_no_hard_link(path: Path) -> None:
    (path.parent / ".dcode-0123456789abcdef.tmp").hardlink_to(path)
    atomic.replace(path, NEW, expected=OLD)
    assert path.read_bytes() == NEW and not spares(path.parent)


def test_what_a_killed_process_left_long_ago_is_cleared_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = ".dcode-0123456789abcdef.tmp", (".dcode-0123.tmp", "x.dcode-0123456789abcdef.tmp", ".dcode-notes")
    for name in (ours, *theirs):
        (path.parent / name).write_bytes(b"")
    (path.parent / ".dcode-fedcba9876543210.tmp").symlink_to(path)
    (path.parent / ".dcode-fedcba9876543211.tmp").mkdir()
    atomic.replace(path, NEW, expected=OLD)
    assert (path.parent / ours).exists(), "it may be in use"
    monkeypatch.setattr(atomic, "_ABANDONED_AFTER_S", -1)
    atomic.replace(path, OLD, expected=NEW)
    left = {file.name for file in path.parent.iterdir()}
    assert left == {"a.py", *theirs, ".dcode-fedcba9876543210.tmp", ".dcode-fedcba9876543211.tmp"}
    assert path.read_bytes() == OLD


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_what_somebody_else_left_stays(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = path.parent / ".dcode-0123456789abcdef.tmp"
    other.write_bytes(b"")
    os.chown(other, 12345, -1)
    monkeypatch.setattr(atomic, "_ABANDONED_AFTER_S", -1)
    atomic.replace(path, NEW, expected=OLD)
    assert other.exists()


def test_staged_and_not_committed_nothing_changes(path: Path) -> None:
    with atomic.staged(path, NEW, expected=OLD):
        assert [spare.read_bytes() for spare in spares(path.parent)] == [NEW]
    assert path.read_bytes() == OLD and not spares(path.parent)


def test_read_only_is_refused(path: Path) -> None:
    path.chmod(0o444)
    with pytest.raises(InputError, match=r"a\.py is read-only"):
        atomic.replace(path, NEW, expected=OLD)
    assert path.read_bytes() == OLD


def test_what_is_no_file_is_refused(path: Path) -> None:
    dangling = path.parent / "dangling"
    dangling.symlink_to("nowhere")
    loop = path.parent / "loop"
    loop.symlink_to("loop")
    os.mkfifo(path.parent / "pipe")
    for name, message in [
        ("missing.py", "no such file"),
        ("dangling", "no such file"),
        ("loop", "cannot write .*symbolic links"),
        ("pipe", "not a regular file"),
        ("", "is a directory"),
    ]:
        with pytest.raises(InputError, match=message):
            atomic.replace(path.parent / name, NEW, expected=OLD)
    with pytest.raises(InputError, match="not a regular file"):
        atomic.read(path.parent / "pipe")


def test_a_file_that_changed_is_refused(path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.py changed meanwhile"):
        atomic.replace(path, NEW, expected=OLD + b"\n")
    assert path.read_bytes() == OLD


def test_a_file_that_changes_while_we_write_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(spare: Path, data: bytes, *, mode: int) -> None:
        write_new(spare, data, mode=mode)
        path.write_bytes(b"theirs")

    write_new = atomic.write_new
    monkeypatch.setattr(atomic, "write_new", late)
    with pytest.raises(InputError, match="changed meanwhile"):
        atomic.replace(path, NEW, expected=OLD)
    assert path.read_bytes() == b"theirs" and not spares(path.parent)


def test_create(tmp_path: Path) -> None:
    made = tmp_path / "new.py"
    atomic.create(made, NEW)
    umask = os.umask(0)
    os.umask(umask)
    assert made.read_bytes() == NEW
    assert stat.S_IMODE(made.stat().st_mode) == 0o666 & ~umask
    assert made.stat().st_nlink == 1 and not spares(tmp_path)


def test_create_refuses_what_exists_without_force(path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.py already exists \(use --force to replace it\)"):
        atomic.create(path, NEW)
    assert path.read_bytes() == OLD
    path.chmod(0o755)
    atomic.create(path, NEW, force=True)
    assert path.read_bytes() == NEW and stat.S_IMODE(path.stat().st_mode) == 0o755


def test_create_with_force_keeps_the_refusals(path: Path) -> None:
    path.chmod(0o444)
    with pytest.raises(InputError, match="read-only"):
        atomic.create(path, NEW, force=True)
    link = path.parent / "dangling"
    link.symlink_to("nowhere")
    for force, message in [(False, "already exists"), (True, "no such file")]:
        with pytest.raises(InputError, match=message):
            atomic.create(link, NEW, force=force)
    with pytest.raises(InputError, match="there is no folder"):
        atomic.create(path.parent / "no/where.py", NEW)


@pytest.mark.parametrize("taken", [False, True])
def test_create_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: bool) -> None:
    def no_links(*_: Any) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    made = tmp_path / "new.py"
    if taken:
        made.write_bytes(OLD)
        with pytest.raises(InputError, match="File exists"):
            atomic.create(made, NEW)
    else:
        atomic.create(made, NEW)
    assert made.read_bytes() == (OLD if taken else NEW) and not spares(tmp_path)


def test_create_without_hard_links_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(InputError, match="Operation not permitted"):
        atomic.create(tmp_path / "new.py", NEW)
    assert not list(tmp_path.iterdir())


def test_remove(path: Path) -> None:
    with pytest.raises(InputError, match="changed meanwhile"):
        atomic.remove(path, expected=NEW)
    atomic.remove(path, expected=OLD)
    assert not path.exists()


def test_the_bytes_are_on_the_disk_before_the_name_and_the_name_before_the_end(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def watched(name: str) -> Callable[..., Any]:
        call = getattr(os, name)

        def logged(*args: Any) -> Any:
            folder = name == "fsync" and stat.S_ISDIR(os.fstat(args[0]).st_mode)
            seen.append(f"{name} folder" if folder else name)
            return call(*args)

        return logged

    for name in ("write", "fsync", "replace", "link"):
        monkeypatch.setattr(os, name, watched(name))
    atomic.replace(path, NEW, expected=OLD)
    atomic.create(path.with_name("b.py"), NEW)
    assert seen == ["write", "fsync", "replace", "fsync folder", "write", "fsync", "link", "fsync folder"]


def test_short_writes_go_on(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:3]))
    atomic.replace(path, NEW, expected=OLD)
    assert path.read_bytes() == NEW


CALLS = ("open", "write", "fsync", "close", "chown", "utime", "link", "replace")


class Accident:
    """Counts system calls and raises before, or just after, the n-th."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: BaseException, at: int, after: bool) -> None:
        self.left, self.error, self.after = at, error, after
        for name in CALLS:
            monkeypatch.setattr(os, name, self.wrap(getattr(os, name)))

    def wrap(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **named: Any) -> Any:
            self.left -= 1
            if self.left == 0 and not self.after:
                raise self.error
            result = call(*args, **named)
            if self.left == 0:
                raise self.error
            return result

        return counted


ERRORS = [
    (OSError(errno.ENOSPC, "No space left on device"), False),
    (KeyboardInterrupt(), False),
    (KeyboardInterrupt(), True),
]


@pytest.mark.parametrize(("error", "after"), ERRORS)
@pytest.mark.parametrize("exists", [True, False])
def test_any_accident_leaves_old_or_new(tmp_path: Path, error: BaseException, after: bool, exists: bool) -> None:
    path = tmp_path / "a.py"
    for at in range(1, 99):
        path.write_bytes(OLD) if exists else path.unlink(missing_ok=True)
        with pytest.MonkeyPatch.context() as monkeypatch:
            accident = Accident(monkeypatch, error, at, after)
            try:
                atomic.replace(path, NEW, expected=OLD) if exists else atomic.create(path, NEW)
                raised = None
            except (InputError, KeyboardInterrupt) as caught:
                raised = caught
        left = path.read_bytes() if path.exists() else None
        assert left in (NEW, OLD if exists else None)
        assert not spares(tmp_path)
        if isinstance(raised, InputError):
            assert left != NEW and str(raised) == f"cannot write {path}: No space left on device"
        elif raised is None:
            assert left == NEW
        if accident.left > 0:
            assert at > 5
            return
    raise AssertionError("it never ended")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB, where mounting one is allowed."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    if mount is None:
        pytest.skip("there is no mount command")
    done = subprocess.run([mount, "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"mounting is not allowed: {done.stderr.decode().strip()}")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_full_disk_loses_nothing(small_disk: Path) -> None:
    path = small_disk / "a.py"
    path.write_bytes(OLD)
    for write in (
        lambda: atomic.replace(path, b"x" * 100_000, expected=OLD),
        lambda: atomic.create(small_disk / "b.py", b"x" * 100_000),
    ):
        with pytest.raises(InputError, match="No space left on device"):
            write()
    assert [file.name for file in small_disk.iterdir()] == ["a.py"]
    assert path.read_bytes() == OLD
