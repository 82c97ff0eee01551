"""What commands over several files and folders share: which files are meant, and what comes of each. No torch.

What is wrong with one file does not keep the others waiting: it is told, and the worst exit code counts.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from dcode.cli import places, work
from dcode.cli.choice import Rules
from dcode.cli.inplace import Opened, delivered
from dcode.cli.options import Target
from dcode.cli.output import Outcome
from dcode.cli.streams import complain
from dcode.errors import DcodeError, InputError, UsageError
from dcode.repo import walk
from dcode.settings import Settings
from dcode.syntax.grammar import grammar, grammar_for
from dcode.text.result import Result

Finish = Callable[[work.Request, Opened, Result, Outcome, Target], int]
"""Prints, checks or writes one file; the exit code."""


def meant(paths: Sequence[str], target: Target, lang: str | None, settings: Settings) -> dict[str, bool]:
    """Every file to look at, once, and whether it was named itself; UsageError for what cannot be asked of them.

    A file under two names is one: under the first that is its own, else the first that was found.
    """
    found: dict[str, tuple[str, bool]] = {}
    for path in paths:
        if path != places.STDIN and Path(path).is_dir():
            for file in _below(Path(path), lang, settings):
                found.setdefault(_key(str(file)), (str(file), False))
        elif not found.get(key := _key(path), ("", False))[1]:
            found[key] = (path, True)
    files = dict(found.values())
    several = len(paths) > 1 or not any(files.values())
    if several and places.STDIN in files:
        raise UsageError("standard input goes alone", hint="name - or files, not both")
    if several and (target.stdout or target.output is not None):
        raise UsageError(f"{'--stdout' if target.stdout else '--output'} takes one file", hint="try --diff or -w")
    return files


def _key(path: str) -> str:
    """What is the same for all names of a file but links."""
    return path if path == places.STDIN else str(places.absolute(Path(path)))


def _below(folder: Path, lang: str | None, settings: Settings) -> list[Path]:
    """The files of a folder in a known language, or the one asked for, but those that a setting excludes."""
    full = places.absolute(folder)
    root = places.root(full) or full

    def wanted(name: str) -> bool:
        try:
            return grammar(lang).knows(name) if lang else bool(grammar_for(name))
        except InputError:
            return False

    def excluded(file: Path) -> bool:
        return settings.excludes((full / file.relative_to(folder)).relative_to(root).as_posix())

    return [file for file in walk.files(folder, wanted) if not excluded(file)]


def told(error: DcodeError) -> int:
    """Say what is wrong with one of the files; the exit code of that."""
    complain(str(error))
    return error.exit_code


def finish_each(
    asked: work.Request, pairs: Iterable[tuple[Opened, Result]], target: Target, finish: Finish
) -> tuple[list[Outcome], list[int]]:
    """Finish every file with its one candidate, which is chosen if it passes; what came of each, and the exit codes."""
    outcomes, codes = [], []
    for file, result in pairs:
        one = _outcome(asked, file, result, target)
        try:
            codes.append(finish(asked, file, result, one, target))
            one = delivered(one, target)
        except DcodeError as error:
            codes.append(told(error))
        outcomes.append(one)
    return outcomes, codes


def _outcome(asked: work.Request, file: Opened, result: Result, target: Target) -> Outcome:
    rules = Rules(file.source, file.language, asked.settings.allow_fallback, target.write or target.output is not None)
    path = None if file.is_stdin else places.diff_name(Path(file.file))
    chosen = result if rules.refusal(result) is None else None
    return Outcome(file.source, file.source.data, path, file.language.name, (result,), chosen)


def nothing(asked: work.Request) -> work.Work:
    """What came of a run that needed no model."""
    return work.Work(work.Ready(None, None), (), {"load": 0.0, "decode": 0.0, "total": time.monotonic() - asked.begun})
