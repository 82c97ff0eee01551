"""The prefix test never cries wolf, and finds what no continuation can mend."""

import ast
import random
import sysconfig
from pathlib import Path

import pytest

from dcode.syntax import prefix
from dcode.syntax.prefix import compile_prefix_at, compile_prefix_fault, compile_prefix_first
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


@pytest.mark.parametrize(
    ("before", "wrong", "after"),
    [
        (b"x = f(1\n", b"y", b" = 2\nz = ]\n"),
        (b"x = ", b"=", b" 1\ny = (]\n"),
        (b"def f", b".", b"g:'a', b)\n    return 1\n"),
        (b"if x:\n", b"y", b" = 1\nelse:\n"),
        ("x = 'é' ".encode(), b"y", b"\nz = )\n"),
    ],
)
def test_of_several_faults_the_first_is_found(before: bytes, wrong: bytes, after: bytes) -> None:
    view = before + wrong + after
    fault = compile_prefix_fault(view, len(view))
    assert fault is not None
    assert view[fault.span.start : fault.span.end] == wrong
    assert fault.span.start == len(before)
    # Whoever knows that much may say so.
    assert compile_prefix_first(view, fault.span.start) == fault.span.start
    assert compile_prefix_at(view, fault.span.start)


def test_a_fault_that_is_none_of_grammar_is_where_the_compiler_says() -> None:
    view = b"def f():\n    x = 1\n    break\n    y = [1, 2]\n    return y\n"
    fault = compile_prefix_fault(view, len(view))
    assert fault is not None
    assert view[fault.span.start : fault.span.end] == b"break"


def test_what_is_taken_to_be_fine_is_not_searched() -> None:
    assert compile_prefix_first(b"x = 1\ny = 2\n", 6) is None
    assert not compile_prefix_at(b"x = 1\ny = = 2\n", 6)
    assert compile_prefix_at(b"x = 1\ny = = 2\n", 10)
    assert compile_prefix_first(b"x = 1\ny = = 2\n", 6) == 10


@pytest.mark.parametrize("name", SHARE)
def test_a_sound_file_can_go_on_behind_every_lexeme(name: str) -> None:
    text = (LIBRARY / name).read_text()
    ends = [match.end() for match in prefix._LEXEME.finditer(text)]
    assert ends[-1] == len(text)
    assert not [end for end in random.Random(0).sample(ends, CUTS) if prefix._hopeless(prefix._cut(text, end))]
