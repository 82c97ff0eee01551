import os
import stat
import subprocess
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from dcode.errors import InputError
from dcode.repo import proposals
from dcode.repo.proposals import Proposal, Proposals, seen_key

BEFORE, AFTER = b"a\r\n\xff\n", b"a\r\n\xff\nb\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", tmp_path / "repo"], check=True)
    return tmp_path / "repo"


@pytest.fixture
def store(folder: Path) -> Proposals:
    return Proposals.locate(folder)


def proposal(**changes: Any) -> Proposal:
    facts = {"path": "d/a.py", "before": BEFORE, "after": AFTER, "rule": "fix", "why": "é", "verdict": "verified"}
    return Proposal.of(**facts | changes)


def test_what_is_kept_comes_back(store: Proposals, folder: Path) -> None:
    first = store.add(proposal())
    second = store.add(proposal(path=os.fsdecode(b"\xff.py")))
    assert [first.id, second.id] == ["1", "2"]
    assert store.read("1") == first and store.entries() == [second, first]
    assert (first.before, first.after) == (sha256(BEFORE).hexdigest(), sha256(AFTER).hexdigest())
    assert first.patch.startswith(b"diff --git a/d/a.py b/d/a.py\n") and first.patch.endswith(b"+b\n")
    assert time.time() - 60 < first.created <= time.time()
    assert store.folder == folder / ".git/dcode/proposals"


def test_it_is_for_its_owner_only(store: Proposals) -> None:
    store.add(proposal())
    store.remember("0" * 64)
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in store.folder.iterdir()} == {0o600}


def test_outside_a_repository_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is in no repository"):
        Proposals.locate(tmp_path)


def test_a_linked_worktree_has_its_own(store: Proposals, folder: Path) -> None:
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", *who, "commit", "-q", "--allow-empty", "-m", "x"], cwd=folder, check=True)
    subprocess.run(["git", "worktree", "add", "-q", "../linked"], cwd=folder, check=True)
    store.add(proposal())
    assert Proposals.locate(folder.parent / "linked").entries() == []


def test_forgotten_is_gone_and_its_number_is_not_used_again(store: Proposals) -> None:
    store.add(proposal())
    store.add(proposal())
    store.forget("1")
    assert [one.id for one in store.entries()] == ["2"]
    assert store.add(proposal()).id == "3"


@pytest.mark.parametrize("id", ["1", "", "x", "../1", "1.proposal", "٣"])
def test_an_id_that_is_none(store: Proposals, id: str) -> None:
    with pytest.raises(InputError, match="there is no proposal"):
        store.read(id)


def test_old_and_many_are_removed(store: Proposals) -> None:
    small = Proposals(store.folder, keep_bytes=3000)
    for _ in range(12):
        small.add(proposal(after=b"x" * 400 + b"\n"))
    assert 2 <= len(small.entries()) <= 4 and small.entries()[0].id == "12"
    long_ago = time.time() - proposals.KEEP_S - 9
    os.utime(store.folder / "11.proposal", (long_ago, long_ago))
    small.add(proposal())
    assert "11" not in [one.id for one in small.entries()]


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: whole[:20],
        lambda whole: b"[]\n",
        lambda whole: whole.replace(b'"id": "1"', b'"id": "7"'),
        lambda whole: whole.replace(b'"rule": "fix"', b'"rule": 3'),
        lambda whole: whole.replace(b'"rule"', b'"role"'),
    ],
)
def test_a_damaged_one_is_none(store: Proposals, damage: Any) -> None:
    store.add(proposal())
    file = store.folder / "1.proposal"
    file.write_bytes(damage(file.read_bytes()))
    assert store.entries() == []
    with pytest.raises(InputError):
        store.read("1")


def test_a_secret_is_not_kept() -> None:
    with pytest.raises(InputError, match="looks like a secret"):
        proposal(after=b'key = "AKIA' + b"Z7" * 8 + b'"\n')
    old = b'  key = "AKIA' + b"Z7" * 8 + b'"\n'
    proposal(before=old, after=b"if x:\n  " + old)


def test_what_was_shown_is_remembered(store: Proposals) -> None:
    one, other = (seen_key("fix", "a.py", hunk) for hunk in (b"+a\n", b"+b\n"))
    assert not store.seen(one)
    store.remember(one)
    store.remember(one)
    assert store.seen(one) and not store.seen(other)
    assert len({one, other, seen_key("fill", "a.py", b"+a\n"), seen_key("fix", "b.py", b"+a\n")}) == 4


def test_a_torn_line_harms_no_other(store: Proposals) -> None:
    store.remember("a" * 64)
    file = store.folder / "seen"
    file.write_bytes(file.read_bytes() + b"b" * 20 + b"\n\xff\n" + b"c" * 64 + b"\n")
    assert store.seen("a" * 64) and store.seen("c" * 64) and not store.seen("b" * 20)


def test_the_memory_does_not_grow_for_ever(store: Proposals, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proposals, "_SEEN_LINES", 5)
    keys = [sha256(b"%d" % number).hexdigest() for number in range(40)]
    for key in keys:
        store.remember(key)
        assert store.seen(key)
    assert (store.folder / "seen").stat().st_size <= 11 * 65
    assert [file.name for file in store.folder.iterdir()] == ["seen"]


def test_a_memory_that_is_a_link_is_not_written_through(store: Proposals, tmp_path: Path) -> None:
    """A repository that came as an archive may bring one."""
    store.add(proposal())
    (tmp_path / "profile").write_bytes(b"")
    (store.folder / "seen").symlink_to(tmp_path / "profile")
    store.remember("a" * 64)
    assert (tmp_path / "profile").read_bytes() == b""


def test_where_nothing_can_be_kept_a_proposal_is_refused_and_a_memory_is_not(store: Proposals) -> None:
    store.folder.parent.mkdir()
    store.folder.write_bytes(b"")
    with pytest.raises(InputError):
        store.add(proposal())
    store.remember("a" * 64)
    assert not store.seen("a" * 64)
