"""Every byte outside the named region is as it was, in whatever a file is written: the whole road, but for the model.

What the region is, is worked out here anew, on the bytes themselves.
"""

import os
import random
import re
import sysconfig
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest

from dcode.cli import places
from dcode.errors import InputError
from dcode.repo import atomic
from dcode.syntax.grammar import grammar
from dcode.text.edit import Edit, splice
from dcode.text.ranges import lines_span
from dcode.text.source import Source

ENDS = {"lf": ["\n"], "crlf": ["\r\n"], "cr": ["\r"], "mixed": ["\n", "\r\n", "\r"]}
ENCODINGS = ("utf-8", "iso8859-1", "cp1252", "shift_jis", "gb18030", "koi8-r", "euc-jp", "cp437")
SIGNS = "ab9 \t\f#'\"\\(){}:=\u2028\x85\x0b é→𝕏表ソж€中"
MARK = b"\xef\xbb\xbf"
LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$")
MATRIX = tuple(product(ENDS, (False, True), ENCODINGS, (True, False)))
STDLIB = Path(sysconfig.get_paths()["stdlib"])


@dataclass(frozen=True)
class Case:
    """A file, the lines a person names, and what shall stand there (UTF-8, LF)."""

    data: bytes
    first: int
    last: int
    fill: bytes


def generated(seed: int) -> Case:
    """A file of one corner of the matrix, in turn, with random lines."""
    newline, mark, encoding, final = MATRIX[seed % len(MATRIX)]
    chance = random.Random(seed)
    mark = mark and encoding == "utf-8"
    signs = [sign for sign in SIGNS if can_hold(encoding, sign)]
    texts = ["".join(chance.choices(signs, k=chance.randrange(12))) for _ in range(chance.randrange(1, 9))]
    lines = [f"# coding: {encoding}", *texts] if encoding != "utf-8" or chance.random() < 0.2 else texts
    text = "".join(line + chance.choice(ENDS[newline]) for line in lines)
    if not final:
        text = text.rstrip("\r\n") + " x"
    first = chance.randrange(len(lines) - len(texts), len(lines)) + 1
    fill = "\n".join("".join(chance.choices(signs, k=chance.randrange(9))) for _ in range(chance.randrange(1, 4)))
    data = (MARK if mark else b"") + text.encode(encoding)
    count = len(LINE.findall(data))
    first = min(first, count)
    return Case(data, first, chance.randrange(first, count + 1), fill.encode())


def can_hold(encoding: str, sign: str) -> bool:
    """Whether a file in this encoding can have the character and give it back."""
    try:
        return sign.encode(encoding).decode(encoding) == sign
    except UnicodeError:
        return False


def outside(case: Case) -> tuple[bytes, bytes]:
    """What stands before and behind the region, which goes from its first byte that is not blank to its last newline.

    Where all is blank, it goes from the start of its first line.
    """
    body = len(MARK) * case.data.startswith(MARK)
    lines = LINE.findall(case.data[body:])
    start = body + sum(map(len, lines[: case.first - 1]))
    named = lines[case.first - 1 : case.last]
    end = start + sum(map(len, named))
    end -= len(named[-1]) - len(named[-1].rstrip(b"\r\n"))
    text = case.data[start:end]
    inked = text.lstrip(b" \t\f\v\r\n")
    return case.data[: end - len(inked) if inked else start], case.data[end:]


def journaled(path: Path, before: bytes, after: bytes) -> None:
    places.write(path, before, after, "test", lambda _: None)


def plainly(path: Path, before: bytes, after: bytes) -> None:
    atomic.replace(path, after, expected=before)


def written(case: Case, path: Path, write: Callable[[Path, bytes, bytes], None]) -> bytes | None:
    """The file after the road from naming lines to writing; None if it was refused."""
    path.write_bytes(case.data)
    source = places.read_source(str(path), str(path), grammar("python"))
    span = lines_span(source.view, f"{case.first}-{case.last}", False)
    try:
        after = splice(source, [Edit(span, case.fill)])
    except InputError as error:
        assert source.newline == "mixed" or b"coding" in case.data[:40], error
        return None
    write(path, source.data, after)
    assert Source.read(path, grammar("python").cookie).view == (
        source.view[: span.start] + case.fill + source.view[span.end :]
    )
    return path.read_bytes()


def check(cases: Sequence[Case], path: Path) -> int:
    """How many were written; each with no byte changed outside. One of ten is journaled."""
    done = 0
    for number, case in enumerate(cases):
        after = written(case, path, journaled if number % 10 == 0 else plainly)
        if after is None:
            assert path.read_bytes() == case.data
            continue
        done += 1
        before, behind = outside(case)
        assert after.startswith(before) and after.endswith(behind), case
        assert len(after) >= len(before) + len(behind)
    return done


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which bytes are written is the question here, not when they are safe."""
    monkeypatch.setattr(os, "fsync", lambda file: None)


@pytest.mark.parametrize("part", [0, *(pytest.param(part, marks=pytest.mark.slow) for part in range(1, 34))])
def test_generated_files(tmp_path: Path, part: int) -> None:
    cases = [generated(seed) for seed in range(part * 300, part * 300 + 300)]
    done = check(cases, tmp_path / "a.py")
    print(f"{len(cases)} cases, {done} written, 0 bytes changed outside")
    assert done > 200


@pytest.mark.parametrize("count", [30, pytest.param(1000, marks=pytest.mark.slow)])
def test_real_files(tmp_path: Path, count: int) -> None:
    """Files of the standard library, also turned into CRLF and CR, at random lines."""
    chance = random.Random(count)
    files = chance.sample(sorted(STDLIB.rglob("*.py")), count * 2)
    cases: list[Case] = []
    for file in files:
        data = file.read_bytes().replace(b"\n", chance.choice([b"\n", b"\n", b"\r\n", b"\r"]))
        count_lines = len(LINE.findall(data))
        try:
            Source.of(data, file.name, grammar("python").cookie)
        except InputError:
            continue
        if count_lines > 2 and len(cases) < count:
            first = chance.randrange(3, count_lines + 1)
            cases.append(Case(data, first, min(count_lines, first + chance.randrange(20)), b"pass\nx = 1"))
    done = check(cases, tmp_path / "a.py")
    print(f"{len(cases)} files, {done} written, 0 bytes changed outside")
    assert len(cases) == done == count
