import os
import subprocess
from pathlib import Path

import pytest

from dcode.repo import git


def make_repository(folder: Path) -> None:
    subprocess.run(["git", "init", "-q", folder], check=True)
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *who, "commit", "-q", "--allow-empty", "-m", "start"], cwd=folder, check=True)


def test_places_of_a_repository(tmp_path: Path) -> None:
    folder = tmp_path / "né\nw"
    make_repository(folder)
    (folder / "deep/er").mkdir(parents=True)
    assert git.top(folder / "deep/er") == folder
    for inside in (folder, folder / "deep/er", folder / ".git"):
        found = git.git_path(inside, "dcode/undo")
        assert found and found.resolve() == folder / ".git/dcode/undo"


def test_a_linked_worktree_has_its_own_place(tmp_path: Path) -> None:
    make_repository(tmp_path / "main")
    subprocess.run(["git", "worktree", "add", "-q", tmp_path / "side"], cwd=tmp_path / "main", check=True)
    assert git.git_path(tmp_path / "side", "dcode/undo") == tmp_path / "main/.git/worktrees/side/dcode/undo"
    assert git.top(tmp_path / "side") == tmp_path / "side"


@pytest.mark.parametrize(
    ("here", "name"),
    [
        (".", "./sub/b.py"),
        (".", "sub//x/../b.py"),
        (".", "{top}/sub/b.py"),
        (".", "{link}/sub/b.py"),
        ("sub", "b.py"),
        ("sub", "../sub/b.py"),
    ],
)
def test_a_file_is_called_by_its_path_from_the_top(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, here: str, name: str
) -> None:
    top, link = tmp_path / "top", tmp_path / "link"
    (top / "sub").mkdir(parents=True)
    link.symlink_to(top)
    monkeypatch.chdir(top / here)
    assert git.path_from(top, name.format(top=top, link=link)) == "sub/b.py"


def test_a_file_elsewhere_and_a_link_keep_their_own_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "top").mkdir()
    (tmp_path / "top/b.py").symlink_to(tmp_path / "a.py")
    monkeypatch.chdir(tmp_path / "top")
    assert git.path_from(tmp_path / "top", "../a.py") == "../a.py"
    assert git.path_from(tmp_path / "top", "b.py") == "b.py"


def test_what_a_repository_owns(tmp_path: Path) -> None:
    main, side, bare = tmp_path / "main", tmp_path / "side", tmp_path / "bare"
    make_repository(main)
    subprocess.run(["git", "worktree", "add", "-q", side], cwd=main, check=True)
    subprocess.run(["git", "init", "-q", "--bare", bare], check=True)
    (main / "sub").mkdir()
    (main / "out").symlink_to(tmp_path)
    assert all(git.owns(folder, main / ".git/hooks") for folder in (main, main / "sub", side))
    assert git.owns(main, main / "to come") and git.owns(side, side / "x") and git.owns(bare, bare / "hooks")
    assert not git.owns(main, tmp_path / "main hooks") and not git.owns(main, main / "out/hooks")
    assert not git.owns(side, main / "x") and not git.owns(tmp_path, tmp_path / "x")


def test_no_repository_is_none(tmp_path: Path) -> None:
    assert git.top(tmp_path) is None
    assert git.git_path(tmp_path, "dcode/undo") is None
    assert git.top(tmp_path / "missing") is None


def test_a_bare_repository_has_no_working_tree(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", "--bare", tmp_path], check=True)
    assert git.top(tmp_path) is None
    assert git.git_path(tmp_path, "x") == tmp_path / "x"


def test_no_git_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_repository(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git.top(tmp_path) is None


def test_a_program_called_git_in_the_repository_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "git"
    fake.write_text("#!/bin/sh\necho /fooled\n")
    fake.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", ".")
    assert git.top(tmp_path) is None


def test_the_folder_decides_and_not_the_hook_around_us(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_repository(tmp_path / "ours")
    make_repository(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", os.fspath(tmp_path / "other/.git"))
    monkeypatch.setenv("GIT_INDEX_FILE", "index.lock")
    assert git.git_path(tmp_path / "ours", "x") == tmp_path / "ours/.git/x"
