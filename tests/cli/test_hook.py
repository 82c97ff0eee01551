"""`dcode hook` in real repositories: what each way to commit records, and that nothing but proposals is left behind."""

import os
from pathlib import Path

import pytest
from hooked import DOCUMENTED, UNDOCUMENTED, Repository

from dcode.cli import hook_run
from dcode.settings import user_file


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository with a first commit and the hook."""
    for name in ("r", "script"):
        (tmp_path / name).mkdir()
    made = Repository.make(tmp_path / "r", tmp_path / "script")
    made.write(a_py=b"x = 1\n")
    made.git("add", ".")
    made.git("commit", "-qm", "1")
    made.install()
    return made


def test_a_commit_goes_through_and_what_is_proposed_can_be_applied_and_undone(repository: Repository) -> None:
    repository.write(b_py=UNDOCUMENTED)
    repository.git("add", ".")
    said = repository.git("commit", "-qm", "2")
    assert "b.py:1-2 public function without a docstring (+1 −0) [docstring: verified; scripted]" in said
    assert " apply 1\n" in said
    assert repository.git("show", "HEAD:b.py") == UNDOCUMENTED.decode()
    assert repository.git("status", "--short") == ""
    assert "public function without" in repository.dcode("apply")
    repository.dcode("hook", "apply")
    assert (repository.folder / "b.py").read_bytes() == DOCUMENTED
    repository.dcode("undo")
    assert (repository.folder / "b.py").read_bytes() == UNDOCUMENTED
    assert not repository.locks()


def test_a_proposal_is_shown_once_for_the_same_hunk(repository: Repository) -> None:
    repository.write(b_py=UNDOCUMENTED)
    repository.git("add", ".")
    assert "docstring" in repository.dcode("hook", "run")
    repository.write(b_py=b"# moved\n" + UNDOCUMENTED)
    repository.git("add", ".")
    assert repository.dcode("hook", "run") == ""
    repository.write(b_py=UNDOCUMENTED.replace(b"height\n", b"height + 1\n"))
    repository.git("add", ".")
    assert "docstring" in repository.dcode("hook", "run")


def test_check_fails_once_and_lets_the_second_try_pass(repository: Repository) -> None:
    repository.write(b_py=UNDOCUMENTED)
    repository.git("add", ".")
    before = repository.tree()
    assert "docstring" in repository.git("commit", "-qm", "2", code=1, DCODE_HOOK_MODE="check")
    assert repository.tree() == before
    repository.git("commit", "-qm", "2", DCODE_HOOK_MODE="check")


def test_worktree_edits_the_file_and_fails_so_that_it_is_added_again(repository: Repository) -> None:
    repository.write(b_py=UNDOCUMENTED)
    repository.git("add", ".")
    assert "git add it again" in repository.git("commit", "-qm", "2", code=1, DCODE_HOOK_MODE="worktree")
    assert (repository.folder / "b.py").read_bytes() == DOCUMENTED
    assert repository.git("show", ":b.py") == UNDOCUMENTED.decode()
    repository.git("commit", "-qam", "2", DCODE_HOOK_MODE="worktree")
    assert repository.git("show", "HEAD:b.py") == DOCUMENTED.decode()


def test_worktree_keeps_what_is_not_staged_or_leaves_the_file_alone(repository: Repository) -> None:
    more = b"".join(b"y%d = 0\n" % number for number in range(9))
    repository.write(b_py=UNDOCUMENTED + more, c_py=UNDOCUMENTED)
    repository.git("add", ".")
    mine = b"".join(b"z%d = 0\n" % number for number in range(9))
    repository.write(b_py=UNDOCUMENTED + more + mine, c_py=UNDOCUMENTED.replace(b"width", b"w"))
    said = repository.git("commit", "-qm", "2", code=1, DCODE_HOOK_MODE="worktree")
    assert "c.py was left alone" in said
    assert repository.tree()["b.py"] == DOCUMENTED + more + mine
    assert repository.tree()["c.py"] == UNDOCUMENTED.replace(b"width", b"w")


def test_the_index_of_each_way_to_commit_is_looked_at(repository: Repository) -> None:
    repository.write(b_py=b"x = 1\n", c_py=b"x = 1\n")
    repository.git("add", ".")
    repository.git("commit", "-qm", "2", DCODE_HOOK="0")
    repository.write(b_py=UNDOCUMENTED, c_py=UNDOCUMENTED)
    assert "b.py:1-2" in (said := repository.git("commit", "-qm", "3", "b.py")) and "c.py" not in said
    assert "c.py:1-2" in repository.git("commit", "-qam", "4")
    repository.write(c_py=UNDOCUMENTED + b"\n\ndef other() -> None:\n    pass\n")
    repository.git("add", ".")
    assert "c.py:5-6" in repository.git("commit", "-q", "--amend", "--no-edit")
    assert not repository.locks()


def test_the_first_commit_and_a_linked_worktree(tmp_path: Path) -> None:
    for name in ("r", "script"):
        (tmp_path / name).mkdir()
    made = Repository.make(tmp_path / "r", tmp_path / "script")
    made.install()
    made.write(a_py=UNDOCUMENTED)
    made.git("add", ".")
    assert "a.py:1-2" in made.git("commit", "-qm", "1")
    made.git("worktree", "add", "-q", "../side")
    (tmp_path / "side/b.py").write_bytes(UNDOCUMENTED)
    made.git("add", ".", cwd=tmp_path / "side")
    assert "b.py:1-2" in made.git("commit", "-qm", "2", cwd=tmp_path / "side")
    made.dcode("hook", "apply", cwd=tmp_path / "side")
    assert (tmp_path / "side/b.py").read_bytes() == DOCUMENTED and made.tree()["a.py"] == UNDOCUMENTED


def test_lines_end_as_they_do_on_disk(repository: Repository) -> None:
    repository.git("config", "core.autocrlf", "true")
    repository.write(b_py=UNDOCUMENTED.replace(b"\n", b"\r\n"))
    repository.git("add", ".")
    assert repository.run("git", "show", ":b.py").stdout == UNDOCUMENTED
    repository.git("commit", "-qm", "2")
    repository.dcode("apply", "1")
    assert (repository.folder / "b.py").read_bytes() == DOCUMENTED.replace(b"\n", b"\r\n")


def test_odd_names_are_shown_safely_and_can_be_applied(repository: Repository) -> None:
    names = ["\x1b[2Jé.py", "with space.py", "new\nline.py", "-rf.py", os.fsdecode(b"\xff.py")]
    for name in names:
        (repository.folder / name).write_bytes(UNDOCUMENTED)
    repository.git("add", ".")
    said = repository.git("commit", "-qm", "2")
    assert "\x1b" not in said and said.count("docstring:") == len(names)
    repository.dcode("hook", "apply")
    assert all((repository.folder / name).read_bytes() == DOCUMENTED for name in names)


def test_a_merge_is_left_in_peace(repository: Repository) -> None:
    repository.git("checkout", "-qb", "side")
    repository.write(a_py=b"x = 2\n", b_py=UNDOCUMENTED)
    repository.git("add", ".")
    repository.git("commit", "-qm", "2", DCODE_HOOK="0")
    repository.git("checkout", "-q", "main")
    repository.write(a_py=b"x = 3\n")
    repository.git("commit", "-qam", "3", DCODE_HOOK="0")
    repository.git("merge", "side", code=1)
    repository.write(a_py=UNDOCUMENTED)
    repository.git("add", ".")
    assert "docstring" not in repository.git("commit", "-qm", "4")


def test_what_is_excluded_or_not_named_is_not_looked_at(repository: Repository) -> None:
    repository.write(b_py=UNDOCUMENTED, c_py=UNDOCUMENTED, pyproject_toml=b'[tool.dcode]\nexclude = ["b.py"]\n')
    repository.git("add", ".")
    assert repository.dcode("hook", "run", "a.py") == ""
    said = repository.dcode("hook", "run")
    assert "c.py" in said and "b.py" not in said


def test_files_are_named_from_where_a_person_is(repository: Repository) -> None:
    sub = repository.folder / "sub"
    sub.mkdir()
    for name in ("b.py", "-c.py", "d.py"):
        (sub / name).write_bytes(UNDOCUMENTED)
    repository.git("add", ".")
    assert repository.dcode("hook", "run", "sub/b.py", cwd=sub) == ""
    said = repository.dcode("hook", "run", "./sub/b.py")
    assert "sub/b.py:1-2" in said and said.count("docstring:") == 1
    said = repository.dcode("hook", "run", "--", "-c.py", cwd=sub)
    assert "sub/-c.py:1-2" in said and said.count("docstring:") == 1


def test_switched_off_it_does_nothing_at_all(repository: Repository) -> None:
    repository.write(b_py=UNDOCUMENTED)
    repository.git("add", ".")
    assert repository.dcode("hook", "run", DCODE_HOOK="0", DCODE_HOOK_MODE="nonsense") == ""


@pytest.mark.parametrize("mode", ["suggest", "check"])
def test_trouble_is_one_line_and_stops_no_suggestion(repository: Repository, mode: str) -> None:
    repository.write(b_py=UNDOCUMENTED, pyproject_toml=b"[tool.dcode]\nhook_mod = 1\n")
    repository.git("add", ".")
    said = repository.dcode("hook", "run", "--mode", mode, code=0 if mode == "suggest" else 2)
    assert said.count("\n") == 1 and "hook_mod" in said


BROKEN = (b"[tool.dcode]\nfoo = 1\n", b"[tool.dcode\n", b"[tool.dcode]\nfoo = " + b"[" * 5000)


@pytest.mark.parametrize("project", BROKEN, ids=["an unknown key", "no TOML", "too deep"])
def test_a_broken_project_file_does_not_switch_off_the_mode_that_a_person_chose(
    repository: Repository, project: bytes
) -> None:
    repository.write(b_py=UNDOCUMENTED, pyproject_toml=project)
    repository.git("add", ".")
    said = repository.dcode("hook", "run", code=0)
    assert said.count("\n") == 1 and said.startswith("dcode: no proposals: ")
    said = repository.git("commit", "-qm", "2", code=1, DCODE_HOOK_MODE="check")
    assert said.count("\n") == 1 and "no proposals" not in said
    assert "no proposals" in repository.dcode("hook", "run", "--mode", "suggest", DCODE_HOOK_MODE="check")


@pytest.mark.parametrize("text", ['hook-mode = "check"', 'unknown = 1\n[tool.dcode]\nhook_mode = "worktree"'])
@pytest.mark.parametrize("is_named", [False, True])
def test_nor_one_that_stands_in_a_file_of_their_own(
    repository: Repository, tmp_path: Path, text: str, is_named: bool
) -> None:
    file = tmp_path / "own.toml" if is_named else user_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    named = {"DCODE_CONFIG": str(file)} if is_named else {}
    repository.write(b_py=UNDOCUMENTED, pyproject_toml=BROKEN[0])
    repository.git("add", ".")
    repository.dcode("hook", "run", code=2, **named)
    repository.dcode("hook", "run", code=0, **named, DCODE_HOOK_MODE="suggest")


@pytest.mark.parametrize("text", [*BROKEN, b"tool = 1", b"[tool]\ndcode = 1", b"hook-mode = 1", b"\xff"])
def test_a_file_of_their_own_that_says_no_mode_refuses_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    user_file().parent.mkdir(parents=True)
    user_file().write_bytes(text)
    assert hook_run.run(None, (), quiet=False, verbose=False) == 0
    assert capsys.readouterr().err.startswith("dcode: no proposals: ")


def test_a_crash_of_the_worker_is_one_line(repository: Repository) -> None:
    repository.write(b_py=UNDOCUMENTED)
    repository.git("add", ".")
    said = repository.git("commit", "-qm", "2", SCRIPTED_CRASH="1")
    assert said.count("\n") == 1 and "dcode hook run -v" in said
    repository.write(c_py=UNDOCUMENTED)
    repository.git("add", ".")
    said = repository.dcode("hook", "run", "-v", "--mode", "check", code=123, SCRIPTED_CRASH="1")
    assert "RuntimeError: scripted" in said


def test_nothing_of_the_repository_runs_and_without_a_match_no_torch_is_loaded(repository: Repository) -> None:
    trap = b"open('trapped', 'w').close()\nraise SystemExit(9)\n"
    for name in ("torch", "typer", "json", "sitecustomize", "tree_sitter"):
        (repository.folder / f"{name}.py").write_bytes(trap)
    (repository.folder / "dcode").mkdir()
    (repository.folder / "dcode/__init__.py").write_bytes(trap)
    (repository.folder / "dcode/__main__.py").write_bytes(trap)
    repository.git("add", ".")
    script = repository.folder.parent / "none"
    script.mkdir()
    (script / "torch.py").write_text("raise RuntimeError('torch was loaded')", encoding="utf-8")
    path = os.pathsep.join((str(script), repository.environment["PYTHONPATH"].split(os.pathsep)[1]))
    assert repository.git("commit", "-qm", "2", DCODE_HOOK_MODE="check", PYTHONPATH=path) == ""
    assert not (repository.folder / "trapped").exists()
    repository.write(b_py=UNDOCUMENTED)
    repository.git("add", ".")
    assert "hook run -v" in repository.git("commit", "-qm", "3", code=1, DCODE_HOOK_MODE="check", PYTHONPATH=path)


def test_what_was_asked_for_in_vain_is_told_and_stops_nothing(repository: Repository) -> None:
    marked = b"def f() -> int:\n    # dcode: return one\n    ...\n"
    repository.write(b_py=marked, c_py=UNDOCUMENTED)
    repository.git("add", ".")
    said = repository.git("commit", "-qm", "2", SCRIPTED_REFUSAL="the model is unsure", DCODE_HOOK_MODE="check")
    assert said == "dcode: b.py:2 a marker asks for code: no proposal, the model is unsure\n"


def test_it_says_where_a_file_does_not_parse_and_not_how_much_of_it_is_new(repository: Repository) -> None:
    broken = UNDOCUMENTED.replace(b"-> int:", b"-> int")
    repository.write(b_py=b'class A:\n    """Of its own."""\n\n' + b"x = 1\n" * 30 + broken + b"y = 1\n" * 9)
    repository.git("add", ".")
    said = repository.dcode("hook", "run", SCRIPTED_REFUSAL="no small change mends it")
    assert said == "dcode: b.py:34 does not parse: no proposal, no small change mends it\n"
    assert "b.py:34 does not parse (+1 −1) [fix: " in repository.dcode("hook", "run")


def test_the_embedded_model_is_asked_for_what_it_can_do(repository: Repository) -> None:
    repository.write(b_py=UNDOCUMENTED, c_py=b"def f() -> int:\n    # dcode: return one\n    ...\n")
    repository.git("add", ".")
    said = repository.git("commit", "-qm", "2", DCODE_MODEL="mini")
    assert "c.py:2-3 a marker asks for code" in said and "b.py" not in said


def test_two_proposals_for_one_file_are_applied_together(repository: Repository) -> None:
    between = b"".join(b"x%d = 0\n" % number for number in range(12))
    repository.write(b_py=UNDOCUMENTED + between + UNDOCUMENTED.replace(b"area", b"more"))
    repository.git("add", ".")
    repository.git("commit", "-qm", "2")
    repository.dcode("hook", "apply")
    assert repository.tree()["b.py"] == DOCUMENTED + between + DOCUMENTED.replace(b"area", b"more")
    assert "applied already" in repository.dcode("hook", "apply")
    repository.dcode("undo")
    assert repository.git("status", "--short") == ""


def test_a_hook_of_all_repositories_is_neither_made_nor_taken_away(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "config").write_text(f"[core]\n\thooksPath = {tmp_path}/shared\n", encoding="utf-8")
    shared = {"GIT_CONFIG_GLOBAL": str(tmp_path / "config")}
    said = repository.dcode("hook", "install", code=4, **shared)
    assert said.count("\n") == 1 and "core.hooksPath" in said and not (tmp_path / "shared").exists()
    (repository.folder / ".git/hooks").rename(tmp_path / "shared")
    said = repository.dcode("hook", "status", **shared)
    assert "installed, for other repositories too" in said
    said = repository.dcode("hook", "uninstall", code=4, **shared)
    assert said.count("\n") == 1 and (tmp_path / "shared/pre-commit").exists()


def test_no_program_that_the_repository_s_configuration_names_runs(repository: Repository) -> None:
    trap = repository.folder / "trap"
    trap.write_text("#!/bin/sh\ntouch trapped\nexit 1\n", encoding="utf-8")
    trap.chmod(0o755)
    repository.write(a_py=UNDOCUMENTED)
    (repository.folder / ".gitattributes").write_text("*.py diff=trap filter=trap\n", encoding="utf-8")
    repository.git("add", ".")
    for key in ("core.fsmonitor", "core.pager", "diff.external", "diff.trap.command", "diff.trap.textconv"):
        repository.git("config", key, str(trap))
    for key in ("filter.trap.clean", "filter.trap.smudge", "alias.rev-parse", "alias.diff-index", "pager.diff-index"):
        repository.git("config", key, f"!{trap}" if key.startswith("alias") else str(trap))
    assert "a.py:1-2" in repository.dcode("hook", "run")
    repository.dcode("hook", "status")
    repository.dcode("hook", "apply")
    assert not (repository.folder / "trapped").exists() and repository.tree()["a.py"] == DOCUMENTED
