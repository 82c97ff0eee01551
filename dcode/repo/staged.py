"""What a commit is about to record: the staged files that changed, their exact bytes and their changed lines.

It reads git's index and objects only, never the working tree, and it changes neither. Languages and rules are
not known here: the caller says by name which files it wants.
"""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from dcode.repo import git

LARGEST_BYTES = 256 * 1024
MOST_FILES = 100
"""A commit of more files of one's own language is no piece of work by hand: the rest is not looked at."""

_REGULAR = (b"100644", b"100755")
_BUSY = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply", "sequencer")
_LFS = b"version https://git-lfs.github.com/spec/"
_GENERATED = re.compile(rb"@generated\b|\b(?:DO NOT EDIT|do not edit)\b|\b[Aa]uto-?generated (?:by|from|file)\b")
_HEAD_BYTES = 1024  # where generated files say so
_HUNK = re.compile(rb"@@ -[0-9]+(?:,[0-9]+)? \+([0-9]+)(?:,([0-9]+))? @@")


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A file as it is staged: `path` from the root of the working tree, with slashes; `data` the staged blob.

    `changed` are ranges of line numbers from 0 that the commit adds or alters, lines ending at LF only; a place
    where lines were only taken out is an empty range.
    """

    path: str
    data: bytes
    changed: tuple[range, ...]


def index_file(environment: dict[str, str], folder: Path) -> Path | None:
    """The index that git told a hook to use, for git's own paths are relative to `folder`; None: the usual one."""
    named = environment.get("GIT_INDEX_FILE")
    return folder / named if named else None


def is_busy(folder: Path, index: Path | None) -> bool:
    """Whether a merge, rebase, cherry-pick or revert is going on, or paths are unmerged: no time for proposals."""
    head = git.git_path(folder, _BUSY[0])  # all of them are beside each other
    if head is not None and any(head.with_name(name).exists() for name in _BUSY):
        return True
    return bool(git.run(folder, ["ls-files", "--unmerged", "-z"], index=index))


def paths(top: Path, index: Path | None) -> list[str]:
    """The regular files that the index of the working tree `top` adds or modifies: all that `staged` may look into."""
    return [entry.path for entry in _entries(top, index, _base(top))]


def staged(top: Path, index: Path | None, wanted: Callable[[str], bool]) -> list[StagedFile]:
    """The regular text files called as wanted that the index of the working tree `top` adds or modifies, in order.

    Left out: symbolic links, submodules, LFS pointers, files that hold NUL, are larger than 256 KiB or say that
    they are generated.
    """
    base = _base(top)
    named = [entry for entry in _entries(top, index, base) if wanted(entry.path)][:MOST_FILES]
    blobs = _blobs(top, [entry.blob for entry in named]) if named else {}
    fit = [entry for entry in named if is_fit(blobs.get(entry.blob))]
    modified = [entry.path for entry in fit if not entry.is_new]
    hunks = dict(zip(modified, _hunks(top, index, base, modified), strict=True)) if modified else {}
    files = []
    for entry in fit:
        data = blobs[entry.blob]
        everything = (range(data.count(b"\n") + (not data.endswith(b"\n"))),)
        files.append(StagedFile(entry.path, data, everything if entry.is_new else hunks[entry.path]))
    return files


@dataclass(frozen=True, slots=True)
class _Entry:
    path: str
    blob: bytes
    is_new: bool


def _base(top: Path) -> str:
    """What the index is compared with: the last commit, or before the first one the empty tree."""
    head = git.run(top, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])
    empty = head or git.run(top, ["hash-object", "-t", "tree", "--stdin"])
    return (empty or b"HEAD").decode().strip()


def _entries(top: Path, index: Path | None, base: str) -> Iterator[_Entry]:
    args = ["diff-index", "--cached", "--raw", "-z", "--no-abbrev", "--no-renames", "--diff-filter=AM", base, "--"]
    parts = (git.run(top, args, index=index) or b"").split(b"\0")
    for head, path in zip(parts[::2], parts[1::2], strict=False):
        _, mode, _, blob, status = head.split(b" ")
        if mode in _REGULAR:
            yield _Entry(os.fsdecode(path), blob, status.startswith(b"A"))


def _blobs(top: Path, names: Sequence[bytes]) -> dict[bytes, bytes]:
    """The contents of blobs that are not too large."""
    sizes = git.run(top, ["cat-file", "--batch-check"], given=b"".join(name + b"\n" for name in names)) or b""
    rows = [line.split(b" ") for line in sizes.splitlines()]
    small = [row[0] for row in rows if len(row) == 3 and int(row[2]) <= LARGEST_BYTES]
    data = git.run(top, ["cat-file", "--batch"], given=b"".join(name + b"\n" for name in small)) or b""
    found, at = {}, 0
    while (end := data.find(b"\n", at)) >= 0:
        name, _, size = data[at:end].split(b" ")
        found[name] = data[end + 1 : end + 1 + int(size)]
        at = end + int(size) + 2
    return found


def is_fit(data: bytes | None) -> bool:
    """Whether this is text that somebody wrote by hand: no NUL, no LFS pointer, nothing that says it is generated."""
    if data is None or b"\0" in data or data.startswith(_LFS):
        return False
    return not _GENERATED.search(data[:_HEAD_BYTES])


def _hunks(top: Path, index: Path | None, base: str, paths: Sequence[str]) -> list[tuple[range, ...]]:
    """The changed lines of modified files, in the order of `paths`, which is git's own.

    Without context a line of the patch can begin a file's part only if it says so: content has a sign in front.
    """
    plain = ["-p", "-U0", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color", "-O/dev/null"]
    args = ["--literal-pathspecs", "diff-index", "--cached", *plain, "--inter-hunk-context=0", base, "--", *paths]
    lines = (git.run(top, args, index=index) or b"").split(b"\n")
    starts = [number for number, line in enumerate(lines) if line.startswith(b"diff --git ")]
    if len(starts) != len(paths):  # the index moved on while we looked
        return [()] * len(paths)
    return [tuple(_ranges(lines[start:end])) for start, end in pairwise([*starts, len(lines)])]


def _ranges(lines: Sequence[bytes]) -> Iterator[range]:
    for match in filter(None, map(_HUNK.match, lines)):
        start, count = int(match[1]), 1 if match[2] is None else int(match[2])
        first = start - 1 if count else start  # git names the line before an empty range
        yield range(first, first + count)
