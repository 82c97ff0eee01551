"""The prefix test never cries wolf, and finds what no continuation can mend."""

import ast
import random
import sysconfig
from pathlib import Path

import pytest

from dcode.syntax import prefix
from dcode.syntax.prefix import compile_prefix_fault
from dcode.text.fault import Fault

LIBRARY = Path(sysconfig.get_paths()["stdlib"])
SHARE = ["abc.py", "bisect.py", "contextlib.py", "dataclasses.py", "enum.py", "fractions.py", "heapq.py", "textwrap.py"]
CUTS = 60
"""Of each file, at most this many, drawn with a seed; all in the slow test."""


def alarms(view: bytes, cuts: int | None) -> list[Fault]:
    ends = [at + 1 for at, byte in enumerate(view) if byte == 10]
    if cuts is not None and len(ends) > cuts:
        ends = random.Random(0).sample(ends, cuts)
    return [fault for end in ends if (fault := compile_prefix_fault(view, end))]


@pytest.mark.parametrize("name", SHARE)
def test_no_prefix_of_a_sound_file_is_hopeless(name: str) -> None:
    assert alarms((LIBRARY / name).read_bytes(), CUTS) == []


@pytest.mark.slow
def test_no_prefix_of_any_library_file_is_hopeless() -> None:
    for path in sorted(LIBRARY.glob("*.py")):
        view = path.read_bytes()
        if b"\r" not in view and len(view) < 60_000:
            ast.parse(view)
            assert alarms(view, None) == [], path


TRICKY = (
    b"def f():\n    def g():\n        nonlocal x\n        x = 1\n    x = 2\n    return g\n",
    b"x = '''\n)\n  y\n'''\n",
    b"x = f'''\n{\nx\n}\n'''\n",
    b"x = \\\n  1 \\\n  + 2\n",
    b"@x\n@y\n\n# c\ndef f(): pass\n",
    b"if x:\n\n    # c\n\n        # d\n    y\n# e\nelif z:\n  w\nelse:\n\ty\n",
    b"try:\n  x\n\nfinally:\n  y\n",
    b"f(\n  a,\n\n  # )\n  b\n)\n",
    b"match x:\n  # c\n  case 1:\n    y\n",
    b"# coding: latin-1\nx = '\xc3\xa9'\n",
    b"class A:\n    '''d\n\n    '''\n\n    x: int\n",
    b"async def f():\n    await x\n    async for y in z:\n        pass\n    else:\n        pass\n",
    b"\x0c\nx = [\n]\n",
    b"with (\n    a as b,\n    c\n):\n    pass\n",
)


@pytest.mark.parametrize("view", TRICKY)
def test_tricky_layout_is_no_alarm(view: bytes) -> None:
    compile(view.decode(), "<view>", "exec")
    assert alarms(view, None) == []


@pytest.mark.parametrize(
    "line",
    [b"x = = 1\n", b"def f(:\n", b"x = )\n", b"  y = 1\n", b"x = 'abc\n", b"a b\n", b"else:\n", b"if x\n", b"return\n"],
)
def test_a_hopeless_line_is_found_where_it_is(line: bytes) -> None:
    before = b"import os\n\nx = 1\n"
    fault = compile_prefix_fault(before + line + b"y = 2\n", len(before + line))
    assert fault is not None
    assert len(before) <= fault.span.start <= len(before + line)


def test_only_complete_lines_before_the_end_are_judged() -> None:
    view = b"x = 1\ny = = 2\nz = = 3\n"
    assert compile_prefix_fault(view, 5) is None
    assert compile_prefix_fault(view, 6) is None
    assert compile_prefix_fault(view, 13) is None
    found = compile_prefix_fault(view, 14)
    assert found is not None and found.span.start == 10
    assert compile_prefix_fault(view, len(view)) == found


def test_what_cannot_be_judged_is_no_alarm() -> None:
    assert compile_prefix_fault(b"x = \xff\n", 6) is None
    assert compile_prefix_fault(b"-" * 10_000 + b"1\n", 10_002) is None
    assert compile_prefix_fault(b"", 0) is None


@pytest.mark.parametrize("flags", [0, ast.PyCF_ONLY_AST, 1 << 30])
def test_flags_that_do_something_else_switch_the_test_off(flags: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefix, "_FLAGS", flags)
    assert not prefix._usable.__wrapped__()


def test_the_flags_are_usable_here() -> None:
    assert prefix._usable()
