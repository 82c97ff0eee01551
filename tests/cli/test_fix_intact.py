"""`dcode fix` over files that parse: not one byte changes, and no model is asked."""

import random
import sysconfig
from pathlib import Path

import pytest
from scripted import Run

from dcode.errors import InputError
from dcode.syntax.grammar import grammar
from dcode.text.source import Source

STDLIB = Path(sysconfig.get_path("stdlib"))
ENDS = (b"\n", b"\n", b"\r\n", b"\r")


def intact(data: bytes) -> bool:
    """Whether Python takes it and it can be edited safely."""
    try:
        Source.of(data, "a.py", grammar("python").cookie)
        compile(data, "a.py", "exec", dont_inherit=True)
    except (InputError, SyntaxError, ValueError):
        return False
    return True


@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("count", [15, pytest.param(1000, marks=pytest.mark.slow)])
def test_not_one_byte_changes(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Files of the standard library, also with other newlines and a byte order mark."""
    chance = random.Random(count)
    files = [path for path in sorted(STDLIB.rglob("*.py")) if path.stat().st_size <= 100_000]
    kept: dict[str, bytes] = {}
    for path in chance.sample(files, len(files)):
        data = path.read_bytes().replace(b"\n", chance.choice(ENDS))
        mark = b"\xef\xbb\xbf" if chance.random() < 0.2 and b"coding" not in data[:200] else b""
        if len(kept) < count and intact(mark + data):
            kept[f"{len(kept)}.py"] = mark + data
    for name, data in kept.items():
        (tmp_path / name).write_bytes(data)
    monkeypatch.chdir(tmp_path)
    seen = run("fix", *kept, "-w")
    changed = [name for name, data in kept.items() if (tmp_path / name).read_bytes() != data]
    print(f"{len(kept)} files, {len(changed)} changed, exit code {seen.code}")
    assert len(kept) == count and not changed and seen.code == 0
    assert seen.err == f"dcode: {count} files, nothing to repair\n"
