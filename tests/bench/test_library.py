"""Functions of the standard library: whole, sound, drawn by a seed, and never from files that were counted."""

from pathlib import Path

import pytest

from dcode.bench.library import LEFT_OUT, LINES, functions, halves, standard_library, texts
from dcode.errors import InputError
from dcode.syntax.check import file_faults
from tests.bench.damage import FUNCTION, PYTHON


def test_the_halves_are_all_files_and_share_none() -> None:
    folder = standard_library()
    one, other = halves(folder, 0)
    assert not set(one) & set(other)
    assert abs(len(one) - len(other)) <= 1 and len(one) > 50
    assert not any(LEFT_OUT & set(path.relative_to(folder).parts) for path in one + other)
    assert halves(folder, 0) == (one, other) != halves(folder, 1)


def test_functions_parse_alone_and_begin_with_their_head() -> None:
    _, files = halves(standard_library(), 0)
    found = functions(PYTHON, files, 12, 0)
    for function in found:
        assert not file_faults(PYTHON, function.view)
        assert function.view.count(b"\n") in LINES
        assert b"def " in function.view[: function.head] and function.view[function.head :].startswith((b" ", b"\t"))
    assert functions(PYTHON, files, 5, 0) == found[:5]


def test_short_files_get_their_turn(tmp_path: Path) -> None:
    (tmp_path / "long.py").write_bytes(FUNCTION * 5)
    (tmp_path / "short.py").write_bytes(FUNCTION)
    (tmp_path / "broken.py").write_bytes(b"def f(:\n")
    files = sorted(tmp_path.glob("*.py"))
    assert {one.name.partition(".")[0] for one in functions(PYTHON, files, 2, 0)} == {"long", "short"}
    with pytest.raises(InputError, match="7 functions were wanted, the library has 6"):
        functions(PYTHON, files, 7, 0)


def test_texts_stop_when_there_is_enough(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / f"{name}.py").write_bytes(b"x" * 100)
    (tmp_path / "d.py").write_bytes(b"\xff")
    files = sorted(tmp_path.glob("*.py"))
    assert len(list(texts(files, 150))) == 2
    assert len(list(texts(files, 1000))) == 3
    with pytest.raises(InputError, match="no Python files"):
        halves(tmp_path / "none", 0)
