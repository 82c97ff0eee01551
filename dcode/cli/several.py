"""What commands over several files and folders share: which files are meant, and what comes of each. No torch.

What is wrong with one file does not keep the others waiting: it is told, and the worst exit code counts.
"""

import time
from collections.abc import Sequence
from pathlib import Path

from dcode.cli import places, work
from dcode.cli.choice import Rules
from dcode.cli.inplace import Opened
from dcode.cli.options import Target
from dcode.cli.output import Outcome
from dcode.cli.streams import complain
from dcode.errors import DcodeError, InputError, UsageError
from dcode.repo import walk
from dcode.settings import Settings
from dcode.syntax.grammar import grammar, grammar_for
from dcode.text.result import Result


def meant(paths: Sequence[str], target: Target, lang: str | None, settings: Settings) -> dict[str, bool]:
    """Every file to look at, once, and whether it was named itself; UsageError for what cannot be asked of them."""
    found: dict[str, bool] = {}
    for path in paths:
        if path != places.STDIN and Path(path).is_dir():
            found |= {str(file): False for file in _below(Path(path), lang, settings) if str(file) not in found}
        else:
            found[path] = True
    several = len(paths) > 1 or not any(found.values())
    if several and places.STDIN in found:
        raise UsageError("standard input goes alone", hint="name - or files, not both")
    if several and (target.stdout or target.output is not None):
        raise UsageError(f"{'--stdout' if target.stdout else '--output'} takes one file", hint="try --diff or -w")
    return found


def _below(folder: Path, lang: str | None, settings: Settings) -> list[Path]:
    """The files of a folder in a known language, or the one asked for, but those that a setting excludes."""
    root = places.root(folder.absolute()) or folder.absolute()

    def wanted(name: str) -> bool:
        try:
            return grammar(lang).knows(name) if lang else bool(grammar_for(name))
        except InputError:
            return False

    files = walk.files(folder, wanted)
    return [file for file in files if not settings.excludes(file.absolute().relative_to(root).as_posix())]


def told(error: DcodeError) -> int:
    """Say what is wrong with one of the files; the exit code of that."""
    complain(str(error))
    return error.exit_code


def outcome(asked: work.Request, file: Opened, result: Result, target: Target) -> Outcome:
    """A file and its one candidate, chosen if it passes."""
    rules = Rules(file.source, file.language, asked.settings.allow_fallback, target.write or target.output is not None)
    path = None if file.is_stdin else places.diff_name(Path(file.file))
    chosen = result if rules.refusal(result) is None else None
    return Outcome(file.source, file.source.data, path, file.language.name, (result,), chosen)


def nothing(asked: work.Request) -> work.Work:
    """What came of a run that needed no model."""
    return work.Work(work.Ready(None, None), (), {"load": 0.0, "decode": 0.0, "total": time.monotonic() - asked.begun})
