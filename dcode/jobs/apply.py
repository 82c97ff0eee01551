"""What patches would make of the files of a repository: read, changed in memory and judged. It writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dcode.errors import InputError, NothingPassed
from dcode.repo import atomic, patch
from dcode.repo.entry import digest
from dcode.syntax.compare import faults_brought
from dcode.syntax.grammar import Grammar, grammar_for
from dcode.text.source import Source


@dataclass(frozen=True, slots=True)
class Wanted:
    """A unified diff, and what messages call it; of a proposal also the sha256 of the file on both sides of it."""

    name: str
    patch: bytes
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """One file and what it would become: `path` as patches name it, `language` None if nobody could look."""

    path: str
    file: Path
    before: bytes
    after: bytes
    language: str | None
    encoding: str


def judge(root: Path, wanted: Sequence[Wanted]) -> list[Judged]:
    """Every file under `root` that would change, in the order of the patches, which are applied one after another.

    A proposal whose file is what it would become changes nothing. InputError if a patch is damaged, does not fit
    or names what it may not; NothingPassed if a file would get a fault that it does not have.
    """
    before: dict[Path, tuple[str, bytes]] = {}
    now: dict[Path, bytes] = {}
    for one in wanted:
        for part in patch.parse(one.patch):
            file = patch.target(root, part.path)
            if file not in before:
                now[file] = atomic.read(file)
                before[file] = (part.path, now[file])
            if one.after is None or digest(now[file]) != one.after:
                now[file] = _changed(one, part, now[file])
    return [_judged(path, file, old, now[file]) for file, (path, old) in before.items() if old != now[file]]


def _changed(one: Wanted, part: patch.FilePatch, current: bytes) -> bytes:
    new = patch.apply(current, part.hunks, part.path)
    if one.before is not None and digest(current) == one.before and digest(new) != one.after:
        raise InputError(f"{one.name} is damaged: it does not make of {part.path} what it says")
    return new


def _judged(path: str, file: Path, before: bytes, after: bytes) -> Judged:
    language = _language(path)
    if language is None:
        return Judged(path, file, before, after, None, "utf-8")
    old, new = (Source.of(data, path, language.cookie) for data in (before, after))
    fault = next(iter(faults_brought(language, old.view, new.view)), None)
    if fault is not None:
        line = new.view.count(b"\n", 0, fault.span.start) + 1
        raise NothingPassed(f"{path} would not parse: line {line}, {fault.message}", hint="nothing was written")
    return Judged(path, file, before, after, language.name, new.encoding)


def _language(path: str) -> Grammar | None:
    try:
        return grammar_for(path)
    except InputError:
        return None
