"""Asking git about a folder. It changes nothing, and no git or no repository is an answer, not an error."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

_LIMIT_S = 10
_SAFE = ("--no-pager", "-c", "core.fsmonitor=false")  # a repository's configuration names programs to run
_ABOUT_ANOTHER_REPOSITORY = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
)
_ABOUT_ANOTHER_OUTPUT = (
    "GIT_DIFF_OPTS",
    "GIT_EXTERNAL_DIFF",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
)


def run(folder: Path, args: Sequence[str], *, index: Path | None = None, given: bytes = b"") -> bytes | None:
    """What `git ARGS` prints when run in `folder`; None if it fails, takes over 10 s or there is no git.

    The repository is the one the folder lies in, also inside a hook, where the environment names another way.
    `index` is read in place of the repository's own index; `given` is what git reads on stdin.
    """
    git = shutil.which("git")
    if git is None or not Path(git).is_absolute():  # a relative PATH entry would be looked up in the repository
        return None
    unwanted = (*_ABOUT_ANOTHER_REPOSITORY, *_ABOUT_ANOTHER_OUTPUT)
    environment = {name: value for name, value in os.environ.items() if name not in unwanted}
    environment |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}
    if index is not None:
        environment["GIT_INDEX_FILE"] = os.fspath(index)
    try:
        done = subprocess.run(
            [git, *_SAFE, *args],
            cwd=folder,
            env=environment,
            input=given,
            capture_output=True,
            timeout=_LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def top(folder: Path) -> Path | None:
    """The working tree that `folder` lies in."""
    return _path(folder, "--show-toplevel")


def git_path(folder: Path, name: str) -> Path | None:
    """Where `name` belongs in the git directory of `folder`'s repository; a linked worktree has its own."""
    return _path(folder, "--git-path", name)


def owns(folder: Path, place: Path) -> bool:
    """Whether `place` is in `folder`'s repository, links followed: in its working tree or its git directory."""
    roots = (top(folder), _path(folder, "--git-dir"), common(folder))
    return any(root is not None and place.resolve().is_relative_to(root.resolve()) for root in roots)


def common(folder: Path) -> Path | None:
    """The git directory that all working trees of `folder`'s repository share."""
    return _path(folder, "--git-common-dir")


def path_from(top: Path, name: str) -> str:
    """What git calls the file `name`, as one types it in the current folder: its path from `top`, with slashes.

    The file itself may be a link, for git records links.
    """
    file = Path(os.path.abspath(name))  # noqa: PTH100 - unlike absolute() it knows ".."
    if not file.is_relative_to(top):
        file = file.parent.resolve() / file.name
    return Path(os.path.relpath(file, top)).as_posix()


def _path(folder: Path, *question: str) -> Path | None:
    answer = run(folder, ["rev-parse", *question])
    return Path(folder, os.fsdecode(answer.removesuffix(b"\n"))).absolute() if answer else None
