"""Our hooks in the pre-commit framework, and the table that it reads."""

import os
import re
import shutil
import subprocess
import sysconfig
import textwrap
from collections.abc import Sequence
from pathlib import Path

import pytest
from hooked import DOCUMENTED, UNDOCUMENTED, Repository
from scripted import REPOSITORY

from dcode.errors import InputError
from dcode.syntax.grammar import grammar, grammar_for, languages
from dcode.syntax.rules import rules

TABLE = REPOSITORY / ".pre-commit-hooks.yaml"
FRAMEWORK = os.environ.get("PRE_COMMIT_COMMAND") or shutil.which("pre-commit")

BORROW = """
import os, sys
if "--prefix" in sys.orig_argv:
    os.environ.pop("PIP_NO_DEPS", None)  # what builds the package is installed in full
if "pip" not in sys.argv[0] and "pip" not in " ".join(sys.orig_argv[:4]):
    sys.path.append({packages!r})
    exec(open({script!r}).read())
"""
"""What every Python under pre-commit reads first: dependencies of ours are borrowed, and no model is asked."""


needs_table = pytest.mark.skipif(not TABLE.is_file(), reason="the table is not part of the wheel")


@needs_table
def test_the_hooks_that_propose_name_every_language_that_has_rules() -> None:
    tags = sorted({tag for name in languages() if rules(grammar(name)) for tag in grammar(name).identify})
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    ids = [line.split()[-1] for line in lines if line.startswith("- id:")]
    assert ids == ["dcode-suggest", "dcode-check", "dcode-fix"]
    for wanted in ("language: python", "require_serial: true", "verbose: true"):
        assert lines.count(f"  {wanted}") == len(ids), wanted
    assert [line for line in lines if "types" in line] == [f"  types_or: [{', '.join(tags)}]"] * 2


def chosen_names() -> str:
    """What `files:` has to be for the hook that repairs: every file name that a grammar knows."""
    grammars = [grammar(name) for name in languages()]
    suffixes = [[re.escape(suffix.removeprefix(".")) for suffix in one.suffixes] for one in grammars]
    names = [[re.escape(name) for name in one.names] for one in grammars]
    ends, whole = ("\n|".join("|".join(of_one) for of_one in every if of_one) for every in (suffixes, names))
    return f"(?x)(\n[^/]\\.(?i:\n{ends}\n)\n|(^|/)(\n{whole}\n))\\Z\n"


@needs_table
def test_the_hook_that_repairs_names_every_file_that_fix_knows() -> None:
    assert TABLE.read_text(encoding="utf-8").endswith(f"  files: >-\n{textwrap.indent(chosen_names(), '    ')}")


STRANGE = ("script", "run.zsh", "run.ksh", "run.bats", "py", ".py", "a.py/b", "a.pyc", "a.py\n", "xPKGBUILD", "a.cc_")


def test_no_other_file_is_chosen_for_it() -> None:
    """pre-commit searches for the pattern in a path; what it finds and `fix` does not know makes that end with 4."""
    pattern = re.compile(chosen_names())
    grammars = [grammar(name) for name in languages()]
    names = [name for one in grammars for name in (*one.names, *(f"a{suffix}" for suffix in one.suffixes))]
    for name in (*names, *STRANGE, "A.PY", "a b.Py", "pkgbuild", "é.c++", "-x.sh", "a.b.rs"):
        for path in (name, f"d.py/{name}"):
            assert bool(pattern.search(path)) == is_known(path), path
    assert not any(map(is_known, STRANGE)) and all(map(is_known, names))


def is_known(path: str) -> bool:
    """Whether `fix` knows the language of a file by its name."""
    try:
        return bool(grammar_for(path))
    except InputError:
        return False


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This checkout as a repository of hooks, whatever of it is committed."""
    folder = tmp_path_factory.mktemp("hooks")
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=REPOSITORY, capture_output=True, check=True).stdout.decode().split("\0")
    for name in filter(None, names):
        if (REPOSITORY / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(REPOSITORY / name, folder / name)
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for command in (["init", "-q"], ["add", "."], [*who, "commit", "-qm", "1"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


@pytest.fixture
def project(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A project with a file that is partly staged, in an environment for pre-commit."""
    for name in ("r", "script", "borrow"):
        (tmp_path / name).mkdir()
    made = Repository.make(tmp_path / "r", tmp_path / "script")
    home = tmp_path_factory.getbasetemp() / "pre-commit"
    script = str(tmp_path / "script/sitecustomize.py")
    text = BORROW.format(packages=sysconfig.get_path("purelib"), script=script)
    (tmp_path / "borrow/sitecustomize.py").write_text(text, encoding="utf-8")
    quiet = {"PRE_COMMIT_HOME": str(home), "PIP_NO_DEPS": "1", "PYTHONPATH": str(tmp_path / "borrow")}
    made.environment.update(quiet)
    made.write(a_py=b"x = 1\n", b_py=b"y = 1\n")
    made.git("add", ".")
    made.git("commit", "-qm", "1")
    made.write(a_py=UNDOCUMENTED)
    made.git("add", ".")
    made.write(a_py=UNDOCUMENTED + b"z = 1\n", b_py=b"y = 2\n")
    return made


def configured(project: Repository, hooks: Path, hook: str, *args: str, options: Sequence[str] = ()) -> tuple[int, str]:
    """`pre-commit run` with one hook of ours, with arguments as a project may give them."""
    rev = subprocess.run(["git", "rev-parse", "HEAD"], cwd=hooks, capture_output=True, check=True).stdout.decode()
    one = f"{{id: {hook}, args: [{', '.join(args)}]}}"
    config = project.folder.parent / "config.yaml"
    config.write_text(f"repos: [{{repo: {hooks}, rev: {rev.strip()}, hooks: [{one}]}}]\n", encoding="utf-8")
    return ended(project.run(str(FRAMEWORK), "run", "-c", str(config), *options))


def ended(done: subprocess.CompletedProcess[bytes]) -> tuple[int, str]:
    return done.returncode, (done.stdout + done.stderr).decode()


@pytest.mark.slow
@pytest.mark.skipif(FRAMEWORK is None, reason="pre-commit is not installed")
@pytest.mark.parametrize(("hook", "code"), [("dcode-suggest", 0), ("dcode-check", 1)])
def test_on_a_partly_staged_file_nothing_changes(project: Repository, hooks: Path, hook: str, code: int) -> None:
    before, index = project.tree(), project.git("ls-files", "--stage", "-v")
    # try-repo installs into a place of its own each time, so only one of them is tried like that.
    trial = hook == "dcode-suggest"
    got = (
        ended(project.run(str(FRAMEWORK), "try-repo", str(hooks), hook)) if trial else configured(project, hooks, hook)
    )
    assert got[0] == code and "a.py:1-2" in got[1] and "-P -m dcode apply 1" in got[1], got[1]
    assert project.tree() == before and project.git("ls-files", "--stage", "-v") == index
    assert not project.locks()


@pytest.mark.slow
@pytest.mark.skipif(FRAMEWORK is None, reason="pre-commit is not installed")
@pytest.mark.parametrize("conflicts", [False, True])
def test_in_worktree_mode_what_is_not_staged_survives(project: Repository, hooks: Path, conflicts: bool) -> None:
    mine = UNDOCUMENTED.replace(b"return", b"print(1); return") if conflicts else LONG + b"z = 1\n"
    project.write(a_py=LONG if not conflicts else UNDOCUMENTED)
    project.git("add", "a.py")
    project.write(a_py=mine)
    code, said = configured(project, hooks, "dcode-suggest", "--mode", "worktree")
    assert code == 1 and "a.py:1-2" in said, said
    expected = mine if conflicts else LONG.replace(UNDOCUMENTED, DOCUMENTED) + b"z = 1\n"
    assert project.tree() == {"a.py": expected, "b.py": b"y = 2\n"}, said
    assert project.git("show", ":a.py") == (UNDOCUMENTED if conflicts else LONG).decode()


@pytest.mark.slow
@pytest.mark.skipif(FRAMEWORK is None, reason="pre-commit is not installed")
def test_the_hook_that_repairs_leaves_scripts_without_a_known_suffix_alone(project: Repository, hooks: Path) -> None:
    (project.folder.parent / "script/sitecustomize.py").write_text("", encoding="utf-8")  # nothing is proposed here
    for name, program in (("tool", "python3"), ("run.zsh", "zsh"), ("run.ksh", "ksh"), ("run.bats", "bats")):
        (project.folder / name).write_text(f"#!/usr/bin/env {program}\n", encoding="utf-8")
        (project.folder / name).chmod(0o755)
    project.git("add", ".")
    before = project.tree()
    code, said = configured(project, hooks, "dcode-fix", options=("--hook-stage", "manual", "--all-files"))
    assert code == 0 and "2 files, nothing to repair" in said, said
    assert project.tree() == before


LONG = UNDOCUMENTED + b"".join(b"w%d = 0\n" % number for number in range(9))
