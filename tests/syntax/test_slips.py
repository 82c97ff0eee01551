"""A name that nothing brings gives way to one that is a letter from it, or to an unused one that is alike."""

import pytest

from dcode.syntax.grammar import grammar
from dcode.syntax.slips import reconciled, retyped

PYTHON = grammar("python")


def replaced(text: str, meant: str) -> str:
    """The text with every `old=new` done."""
    for old, new in (pair.split("=") for pair in meant.split()):
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("def sum_all(a):\n    return sum(nested_sum(b) for b in a)\n", "nested_sum=sum_all"),
        ("def f(path, n):\n    return open(extra_path, n)\n", "extra_path=path"),
        ("def é(row, file):\n    é(rows[0], filefile, rows)\n", "rows=row filefile=file"),
        ("class Node:\n    pass\n\n\nx = nodes()\nx\n", "nodes=Node"),
        ("def f(path):\n    return path, extra_path\n", ""),
        ("def f(a_row, b_row):\n    return row, rows\n", ""),
        ("def f(count):\n    return number\n", ""),
        ("def f(ab):\n    return ab_c\n", ""),
        ("def f(path):\n    pass\n\n\ndef g():\n    return paths\n", "paths=path"),
        ("def f(path):\n    return (\n", ""),
        ("# -*- coding: klingon -*-\ndef f(row):\n    print(rows, '\\d')\n", "rows=row"),
    ],
)
def test_a_slip_for_a_name_that_nothing_uses_is_put_right(text: str, meant: str) -> None:
    assert reconciled(PYTHON, text.encode()).decode() == replaced(text, meant)
    assert reconciled(grammar("rust"), text.encode()).decode() == text


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("def f(current):\n    return currnt + current\n", "currnt=current"),
        ("def f(rows):\n    return ros, rwos, rowz, rowss, rows\n", "ros=rows rwos=rows rowz=rows rowss=rows"),
        ("import shutil\nshutli.copy\n", "shutli=shutil"),
        ("def f(lne):\n    return line, lne\n", "line=lne"),
        ("def f(row, rows):\n    return rowx, row, rows\n", ""),
        ("def f(rowa, rowb):\n    return rowc, rowa, rowb\n", ""),
        ("def f(aa):\n    return ab, aa\n", ""),
        ("def f(file):\n    return pile, file\n", ""),
    ],
)
def test_a_mistyped_name_is_put_right_if_one_name_alone_can_be_meant(text: str, meant: str) -> None:
    assert retyped(PYTHON, text.encode()).decode() == replaced(text, meant)
    assert retyped(grammar("rust"), text.encode()).decode() == text


def test_names_in_formatted_strings_are_never_written_elsewhere() -> None:
    text = b'def f(path, mode):\n    return f"{paths} {modes}", paths, modes\n'
    assert reconciled(PYTHON, text).startswith(b'def f(path, mode):\n    return f"')
    compile(reconciled(PYTHON, text), "", "exec")
