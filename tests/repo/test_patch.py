import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcode.errors import InputError
from dcode.repo.patch import apply, parse, target
from dcode.text.edit import unified_diff

HEAD = b"--- a/x.py\n+++ b/x.py\n"
LINES = st.sampled_from([b"\n", b"a\n", b"b\r\n", b"c\rd\n", b"\\ No newline at end of file\n", b"--- \n", b"+++ \n"])


@settings(max_examples=200)
@given(st.lists(LINES, max_size=20), st.lists(LINES, max_size=4), st.data(), st.sampled_from([b"", b"z", b"a\r"]))
def test_our_own_diffs_come_back_byte_for_byte(
    lines: list[bytes], new: list[bytes], data: st.DataObject, end: bytes
) -> None:
    first, last = sorted(data.draw(st.tuples(*[st.integers(0, len(lines))] * 2)))
    before, after = b"".join(lines) + end, b"".join([*lines[:first], *new, *lines[last:]]) + end
    diff = unified_diff(before, after, "d/é \t.py")
    if before == after:
        return
    (part,) = parse(diff)
    assert part.path == "d/é \t.py"
    assert apply(before, part.hunks, "x") == after


@pytest.mark.parametrize("context", [1, 3, 10])
def test_what_git_prints_is_understood(tmp_path: Path, context: int) -> None:
    old = b"".join(b"%d\n" % number for number in range(60))
    new = old.replace(b"\n7\n", b"\n7\nseven\n").replace(b"\n30\n", b"\n").replace(b"59\n", b"59")
    for name, data in (("old", old), ("new", new)):
        (tmp_path / name).mkdir()
        (tmp_path / name / 'tab\t"q" é.py').write_bytes(data)
    command = ["git", "diff", "--no-index", f"-U{context}", "old", "new"]
    diff = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).stdout
    diff = b"From: me\n\n--- \n rename it\n" + diff.replace(b"a/old/", b"a/").replace(b"b/new/", b"b/") + b"-- \n2.39\n"
    (part,) = parse(diff)
    assert part.path == 'tab\t"q" é.py'
    assert apply(old, part.hunks, "x") == new


def test_a_patch_of_several_files() -> None:
    diff = unified_diff(b"a\n", b"b\n", "one") + unified_diff(b"x\n", b"y\n", "two/deep")
    assert [part.path for part in parse(diff)] == ["one", "two/deep"]


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        (b"", "no change in the patch"),
        (b"print(1)\n", "no change in the patch"),
        (b"diff --git a/x b/x\nold mode 100644\nnew mode 100755\n", "line 2 of the patch: 'old mode 100644'"),
        (b"diff --git a/x b/x\nnew file mode 120000\n", "only the content of files may change"),
        (b"diff --git a/x b/x\ndeleted file mode 100644\n", "only the content"),
        (b"diff --git a/x b/y\nsimilarity index 90%\nrename from x\nrename to y\n", "only the content"),
        (b"diff --git a/x b/x\nindex 1234567..89abcde 120000\n", "only the content"),
        (b"diff --git a/x b/x\nGIT binary patch\n", "only the content"),
        (b"--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+a\n", "makes or removes a file"),
        (b"--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n", "makes or removes a file"),
        (b"--- a/x\n+++ b/y\n@@ -1 +1 @@\n-a\n+b\n", "'a/x' and 'b/y' are not a/PATH and b/PATH"),
        (b"--- src/x\n+++ src/x\n@@ -1 +1 @@\n-a\n+b\n", "are not a/PATH"),
        (HEAD + b"@@ -1,2 +1,2 @@\n-a\n+b\n", "damaged or cut short"),
        (HEAD + b"@@ -1 +1 @@\n-a\n+b", "damaged or cut short"),
        (HEAD + b"@@ -1 +1,2 @@\n-a\n a\n a\n", "not as many as it says"),
        (HEAD + b"@@ -5 +5 @@\n-a\n+b\n@@ -1 +1 @@\n-a\n+b\n", "out of order"),
    ],
)
def test_what_is_no_change_of_content_is_refused(patch: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse(patch)


def changed(data: bytes, hunks: bytes) -> bytes:
    return apply(data, parse(HEAD + hunks)[0].hunks, "x.py")


def test_a_part_is_found_where_its_lines_moved_to() -> None:
    assert changed(b"new\na\nb\nc\n", b"@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n") == b"new\na\nB\nc\n"
    assert changed(b"a\nb\na\nb\n", b"@@ -3,2 +3,2 @@\n a\n-b\n+B\n") == b"a\nb\na\nB\n"


@pytest.mark.parametrize(
    ("data", "hunks", "message"),
    [
        (b"a\nX\nc\n", b"@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n", "does not fit x.py at line 1"),
        (b"a\nb \nc\n", b"@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n", "does not fit"),
        (b"a\r\nb\r\n", b"@@ -1,2 +1,2 @@\n a\n-b\n+B\n", "does not fit"),
        (b"a\nb", b"@@ -1,2 +1,2 @@\n a\n-b\n+B\n", "does not fit"),
        (b"0\na\nb\na\nb\n", b"@@ -1,2 +1,2 @@\n a\n-b\n+B\n", "line 1 fits 2 places"),
        (b"a\n", b"@@ -1,0 +2 @@\n+b\n", "a part without context"),
        (b"a\nb\n", b"@@ -1 +1 @@\n-a\n+A\n\\ No newline at end of file\n", "join two lines"),
        (b"", b"@@ -1 +1 @@\n-a\n+A\n", "does not fit"),
    ],
)
def test_where_the_context_is_not_there_nothing_is_guessed(data: bytes, hunks: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        changed(data, hunks)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    for folder in (".git/hooks", "sub/.hidden", "vendored/.git"):
        (root / folder).mkdir(parents=True)
    for name in ("a.py", "sub/b.py", "sub/.hidden/c.py", ".git/config", ".git/hooks/pre-commit", "vendored/d.py"):
        (root / name).write_bytes(b"")
    (tmp_path / "outside.py").write_bytes(b"")
    (root / "link.py").symlink_to("a.py")
    (root / "away").symlink_to(tmp_path)
    return root


@pytest.mark.parametrize("path", ["a.py", "sub/b.py", "sub/.hidden/c.py", "sub//b.py", "./a.py"])
def test_files_of_the_repository_can_be_meant(root: Path, path: str) -> None:
    assert target(root, path) == root / path


@pytest.mark.parametrize(
    "path",
    [
        "../outside.py",
        "sub/../a.py",
        "/etc/passwd",
        "away/outside.py",
        "link.py",
        ".git/config",
        ".git/hooks/pre-commit",
        ".GIT/config",
        ".git./config",
        "vendored/d.py",
        "vendored/.git",
        "missing.py",
        "sub",
        "",
        ".",
        "sub\\..\\..\\outside.py",
        "a.py\0",
    ],
)
def test_nothing_else_can(root: Path, path: str) -> None:
    with pytest.raises(InputError, match="the patch names"):
        target(root, path)


def test_a_repository_behind_a_link_is_one_all_the_same(root: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(root)
    assert target(tmp_path / "alias", "a.py") == root / "a.py"
