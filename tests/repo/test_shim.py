"""The hook's file: a foreign one is never lost, ours comes and goes, and a commit works whatever is gone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dcode.errors import InputError
from dcode.repo.shim import KEPT, NAME, Shim

FOREIGN = b"#!/bin/sh\necho foreign \xff\n"
WHO = ("-c", "user.name=a", "-c", "user.email=a@example.org")


@pytest.fixture
def shim(tmp_path: Path) -> Shim:
    """The place for hooks in a new repository, and an interpreter that says that it was run."""
    subprocess.run(["git", "init", "-q", "--template=", tmp_path / "r"], check=True)
    python = tmp_path / "py thon's"
    python.write_text('#!/bin/sh\necho "ran $*"\n', encoding="utf-8")
    python.chmod(0o755)
    (tmp_path / "package").mkdir()
    return Shim.locate(tmp_path / "r")


def install(shim: Shim, *, chain: bool = False) -> None:
    base = next(place for place in shim.folder.parents if (place / "package").exists())
    shim.install(base / "py thon's", base / "package", chain=chain)


def names(shim: Shim) -> list[str]:
    return sorted(path.name for path in shim.folder.iterdir())


def commit(shim: Shim, **environment: str) -> tuple[int, str]:
    command = ["git", *WHO, "commit", "-q", "--allow-empty", "-m", "x"]
    where = {"cwd": shim.folder.parents[1], "env": {**os.environ, **environment}}
    done = subprocess.run(command, **where, capture_output=True, check=False)  # type: ignore[call-overload]
    return done.returncode, (done.stdout + done.stderr).decode(errors="replace")


def test_it_is_installed_run_and_taken_away(shim: Shim) -> None:
    assert shim.state == "none" and not shim.uninstall()
    install(shim)
    assert shim.state == "ours" and shim.is_alive
    assert commit(shim) == (0, "ran -P -m dcode hook run\n")
    install(shim)
    assert commit(shim, DCODE_HOOK="0") == (0, "")
    assert shim.uninstall() and names(shim) == []


def test_a_foreign_hook_is_refused_or_kept_run_first_and_given_back(shim: Shim) -> None:
    shim.folder.mkdir()
    shim.file.write_bytes(FOREIGN)
    shim.file.chmod(0o751)
    with pytest.raises(InputError, match="--chain"):
        install(shim)
    with pytest.raises(InputError, match="not dcode's"):
        shim.uninstall()
    install(shim, chain=True)
    install(shim, chain=True)
    assert commit(shim) == (0, "foreign \ufffd\nran -P -m dcode hook run\n")
    assert commit(shim, DCODE_HOOK="0") == (0, "foreign \ufffd\n")
    assert shim.uninstall()
    assert shim.file.read_bytes() == FOREIGN and shim.file.stat().st_mode & 0o777 == 0o751
    assert names(shim) == [NAME]


def test_a_foreign_hook_that_says_no_is_heard(shim: Shim) -> None:
    shim.folder.mkdir()
    shim.file.write_bytes(b"#!/bin/sh\nexit 3\n")
    shim.file.chmod(0o755)
    install(shim, chain=True)
    assert commit(shim) == (1, "")


def test_a_link_is_kept_as_a_link(shim: Shim, tmp_path: Path) -> None:
    (tmp_path / "theirs").write_bytes(FOREIGN)
    shim.folder.mkdir()
    shim.file.symlink_to(tmp_path / "theirs")
    install(shim, chain=True)
    shim.uninstall()
    assert shim.file.readlink() == tmp_path / "theirs" and (tmp_path / "theirs").read_bytes() == FOREIGN


def test_what_was_interrupted_is_finished_or_taken_back(shim: Shim) -> None:
    shim.folder.mkdir()
    (shim.folder / KEPT).write_bytes(FOREIGN)
    install(shim)
    assert shim.state == "ours" and shim.has_kept
    shim.file.unlink()
    assert shim.uninstall() and shim.file.read_bytes() == FOREIGN


@pytest.mark.parametrize("gone", ["py thon's", "package"])
def test_without_its_interpreter_or_package_the_commit_goes_on(shim: Shim, tmp_path: Path, gone: str) -> None:
    install(shim)
    (tmp_path / gone).rename(tmp_path / "elsewhere")
    code, said = commit(shim)
    assert code == 0 and said.count("\n") == 1 and "dcode hook install" in said
    assert not shim.is_alive


def test_the_folder_that_is_configured_is_used(shim: Shim, tmp_path: Path) -> None:
    repository = shim.folder.parents[1]
    subprocess.run(["git", "config", "core.hooksPath", "my hooks"], cwd=repository, check=True)
    install(found := Shim.locate(repository))
    assert found.folder == repository / "my hooks" and commit(shim)[1] == "ran -P -m dcode hook run\n"
    with pytest.raises(InputError, match="no git repository"):
        Shim.locate(tmp_path)


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of hooks that the person's configuration names for every repository."""
    folder = tmp_path / "every one's"
    (tmp_path / "config").write_text(f'[core]\n\thooksPath = "{folder}"\n', encoding="utf-8")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    return folder


def test_a_folder_of_all_repositories_is_refused_and_the_hint_helps(shim: Shim, tmp_path: Path, shared: Path) -> None:
    repository = shim.folder.parents[1]
    found = Shim.locate(repository)
    assert found.folder == shared and found.is_shared
    with pytest.raises(InputError, match="every one's") as refused:
        install(found)
    assert not shared.exists()
    subprocess.run(refused.value.hint.partition(" gives")[0], shell=True, cwd=repository, check=True)
    install(own := Shim.locate(repository))
    assert own == shim and commit(shim)[1] == "ran -P -m dcode hook run\n" and not shared.exists()


@pytest.mark.parametrize("is_kept", [False, True])
def test_nor_is_the_hook_of_all_repositories_taken_away(shim: Shim, shared: Path, is_kept: bool) -> None:
    found = Shim.locate(shim.folder.parents[1])
    assert not found.uninstall()
    install(shim)
    shim.folder.rename(shared)
    if is_kept:
        (shared / KEPT).write_bytes(FOREIGN)
    before = names(found)
    assert found.state == "ours"
    with pytest.raises(InputError, match="other repositories"):
        found.uninstall()
    assert names(found) == before


def test_a_link_to_a_shared_folder_is_refused_and_the_hint_helps(shim: Shim, tmp_path: Path) -> None:
    repository = shim.folder.parents[1]
    (tmp_path / "hooks").mkdir()
    shim.folder.symlink_to(tmp_path / "hooks")
    with pytest.raises(InputError, match="outside") as refused:
        install(Shim.locate(repository))
    subprocess.run(refused.value.hint.partition(" gives")[0], shell=True, cwd=repository, check=True)
    install(Shim.locate(repository))
    assert commit(shim)[1] == "ran -P -m dcode hook run\n" and not list((tmp_path / "hooks").iterdir())


def test_the_real_interpreter_is_quoted_whole(shim: Shim) -> None:
    shim.install(Path(sys.executable), Path(__file__).parent, chain=False)
    assert os.access(shim.file, os.X_OK) and shim.is_alive
