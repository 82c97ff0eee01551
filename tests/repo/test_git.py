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
