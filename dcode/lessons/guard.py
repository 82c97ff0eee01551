"""The inside of the sandbox: a script that fences itself in and then runs one program as `__main__`.

`dcode.lessons.sandbox` starts it as `python -I -P -B guard.py PROGRAM CPU_S MEMORY_BYTES FILE_BYTES`. It
imports nothing of dcode. How a program ended is said by exit codes of our own: a program that leaves early,
even with 0, did not reach its last line and must not be taken for one that passed.
"""
# ruff: noqa: PTH109, PTH123
# Importing pathlib would cost a third of the time that an empty program takes.

import ctypes
import os
import resource
import sys
import types
from collections.abc import Callable, Sequence
from contextlib import suppress
from os.path import realpath

DONE, FAILED, LEFT = 70, 71, 72
"""The program ran to its end · ended with an exception or a false exit status · left by `sys.exit(0)`."""

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
PROCESSES = 1024

FORBIDDEN = frozenset(
    (
        *("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"),
        *("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"),
        *("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn"),
        *("pty.spawn", "os.kill", "os.killpg", "signal.pthread_kill"),
    )
)

WRITES: dict[str, tuple[tuple[int, int | None], ...]] = {
    "os.remove": ((0, 1),),
    "os.rmdir": ((0, 1),),
    "os.mkdir": ((0, 2),),
    "os.rename": ((0, 2), (1, 3)),
    "os.link": ((0, 2), (1, 3)),
    "os.symlink": ((1, 2),),
    "os.truncate": ((0, None),),
    "os.chmod": ((0, 2),),
    "os.chown": ((0, 3),),
    "os.utime": ((0, 3),),
    "sqlite3.connect": ((0, None),),
}
"""Audit events that change files: the indices of the path and of the folder descriptor it is relative to."""

WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def main(path: str, cpu_s: int, memory_bytes: int, file_bytes: int) -> int:
    """Fence this process in, run the program at `path`, and return the exit code that tells how it ended."""
    with open(path, "rb") as file:
        program = file.read()
    leave_network()
    limit(cpu_s, memory_bytes, file_bytes)
    sys.addaudithook(fence([os.getcwd(), os.environ["TMPDIR"]]))
    return execute(program, path)


def execute(program: bytes, path: str) -> int:
    """Run `program` as a script would run: own `__main__`, own `argv`, tracebacks without our frames."""
    module = types.ModuleType("__main__")
    module.__file__ = path
    sys.modules["__main__"], sys.argv = module, [path]
    try:
        exec(compile(program, path, "exec", dont_inherit=True), module.__dict__)
    except SystemExit as left:
        return LEFT if left.code in (None, 0) else FAILED
    except BaseException as error:
        ours = error.__traceback__
        theirs = ours.tb_next if ours else None
        sys.excepthook(type(error), error.with_traceback(theirs), theirs)
        return FAILED
    return DONE


def leave_network() -> None:
    """Move into an empty network where the kernel lets ordinary users do that; elsewhere the hook must do."""
    user, group = os.getuid(), os.getgid()
    with suppress(OSError, AttributeError):
        if ctypes.CDLL(None).unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
            return
        # Without the maps the process would be nobody, and a file of its own would look foreign to it.
        maps = (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1"))
        for name, text in maps:
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
        # Counted for this namespace alone (Linux 5.14); outside it would count all else this user runs.
        lower(resource.RLIMIT_NPROC, PROCESSES)


def limit(cpu_s: int, memory_bytes: int, file_bytes: int) -> None:
    """Set the limits of this process and all it starts."""
    lower(resource.RLIMIT_CORE, 0)
    lower(resource.RLIMIT_CPU, cpu_s)
    lower(resource.RLIMIT_FSIZE, file_bytes)
    lower(resource.RLIMIT_AS, memory_bytes)


def lower(kind: int, value: int) -> None:
    """Lower one limit for good; a system that does not know it, or has a lower one, keeps its own."""
    hard = resource.getrlimit(kind)[1]
    bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
    with suppress(ValueError, OSError):
        resource.setrlimit(kind, (bound, bound))


def fence(folders: Sequence[str]) -> Callable[[str, tuple[object, ...]], None]:
    """An audit hook that refuses the network, other processes, and writes outside `folders`."""
    roots = tuple(realpath(folder) for folder in folders)

    def hook(event: str, args: tuple[object, ...]) -> None:
        if event in FORBIDDEN:
            raise PermissionError(f"{event} is refused in the sandbox")
        for path, base in written(event, args):
            if not inside(path, base, roots):
                raise PermissionError(f"{event} is refused outside the sandbox: {path!r}")

    return hook


def written(event: str, args: tuple[object, ...]) -> list[tuple[object, object]]:
    """The paths that an event would change, each with the folder descriptor it is relative to, or -1."""
    if event == "open":
        flags = args[2]
        return [(args[0], -1)] if isinstance(flags, int) and flags & WRITE_FLAGS else []
    return [(args[path], -1 if base is None else args[base]) for path, base in WRITES.get(event, ())]


def inside(path: object, base: object, roots: tuple[str, ...]) -> bool:
    """Whether `path` lies below one of `roots`; open descriptors and the null device count as inside."""
    if not isinstance(path, str | bytes | os.PathLike):
        return True
    folder = f"/proc/self/fd/{base}/" if isinstance(base, int) and base >= 0 else ""
    name = os.fsdecode(path)
    place = realpath(name if name.startswith("/") else folder + name)
    # Without /proc a descriptor has no name to judge; the folder it stands for was opened inside.
    nameless = place.startswith("/proc/self/fd/")
    return nameless or place == os.devnull or any(f"{place}/".startswith(f"{root}/") for root in roots)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], *map(int, sys.argv[2:5])))
