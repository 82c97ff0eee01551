"""Bodies by name in languages with and without braces."""

import re

import pytest

from dcode.errors import InputError
from dcode.syntax.grammar import grammar
from dcode.syntax.scope import definitions, node_body
from dcode.text.span import Span

PYTHON = b'''\
import a


@decorated(
    "x"
)
def f(x):
    """What it does."""  # why
    # first
    return x


def stub(x):
    r\'\'\'Only
    words.\'\'\'


class A:
    "Doc"
    y = 1

    @property
    async def f(self): return 2

    class B:
        def g(self):
            def inner():
                b"not a docstring"
                return 3
            return inner

        def twice(self):
            pass

        @twice.setter
        def twice(self, x):
            pass


def last():
    return 4  # done
    # and out
'''

JAVASCRIPT = b"""\
export function f(x) {
  return x;
}
const g = (x) => x + 1;
const h = async () => {
  return 2;
};
class A {
  m() { return 3; }
  static n() {}
  p = () => { return 4; };
}
const o = { k: function () { return 5; }, l() { return 6; } };
"""

GO = b"""\
package main

type T struct {
\ta int
}

func (t *T) M() int {
\treturn 1
}

func (t U[K]) M() int {
\treturn 2
}

func f() {}
"""

JAVA = b"""\
class A {
    int f(int x) {
        return x;
    }

    int f() { return 0; }

    class B {
        B() { super(); }

        void g() {

        }
    }
}
"""

CPP = b"""\
namespace n {
class A {
    int f() { return 1; }
};
int &A::g() {
    return x;
}
}
char **h(int a) { return 0; }
"""

RUST = b"""\
impl<T> S<T> {
    fn f(&self) -> i32 {
        1
    }
}
mod m { fn g() { 2 } }
"""

BODIES = [
    ("python", PYTHON, "f", b"# first\n    return x"),
    ("python", PYTHON, "stub", b""),
    ("python", PYTHON, "A", None),
    ("python", PYTHON, "A.f", b"return 2"),
    (
        "python",
        PYTHON,
        "A.B.g",
        b'def inner():\n                b"not a docstring"\n                return 3\n            return inner',
    ),
    ("python", PYTHON, "inner", b'b"not a docstring"\n                return 3'),
    ("python", PYTHON, "B.g.inner", b'b"not a docstring"\n                return 3'),
    ("python", PYTHON, "last", b"return 4  # done\n    # and out"),
    ("javascript", JAVASCRIPT, "f", b"return x;"),
    ("javascript", JAVASCRIPT, "g", b"x + 1"),
    ("javascript", JAVASCRIPT, "h", b"return 2;"),
    ("javascript", JAVASCRIPT, "A.m", b"return 3;"),
    ("javascript", JAVASCRIPT, "n", b""),
    ("javascript", JAVASCRIPT, "A.p", b"return 4;"),
    ("javascript", JAVASCRIPT, "o.k", b"return 5;"),
    ("javascript", JAVASCRIPT, "o.l", b"return 6;"),
    ("go", GO, "T.M", b"return 1"),
    ("go", GO, "U.M", b"return 2"),
    ("go", GO, "f", b""),
    ("go", GO, "T", b"a int"),
    ("java", JAVA, "B.g", b""),
    ("java", JAVA, "A.B.B", b"super();"),
    ("cpp", CPP, "n::A::f", b"return 1;"),
    ("cpp", CPP, "A.g", b"return x;"),
    ("cpp", CPP, "h", b"return 0;"),
    ("rust", RUST, "S::f", b"1"),
    ("rust", RUST, "m.g", b"2"),
    (
        "typescript",
        b"enum E { A }\nabstract class C { abstract z(): void; y(): number { return 1 } }\n",
        "C.y",
        b"return 1",
    ),
    ("c", b"static int *f(void) { return 0; }\nstruct s { int a; };\n", "f", b"return 0;"),
    ("bash", b"f() {\n  echo a\n}\n", "f", b"echo a"),
    ("json", b'{"a": {"b": [1]}}', "a.b", b"[1]"),
]


@pytest.mark.parametrize(("language", "view", "name", "body"), BODIES, ids=[f"{row[0]}-{row[2]}" for row in BODIES])
def test_the_body_of_a_name(language: str, view: bytes, name: str, body: bytes | None) -> None:
    span = node_body(grammar(language), view, name)
    text = view[span.start : span.end]
    assert text == body if body is not None else text.startswith(b"y = 1") and text.endswith(b"pass")


def test_a_stub_with_a_docstring_has_its_body_behind_it() -> None:
    span = node_body(grammar("python"), PYTHON, "stub")
    assert PYTHON[: span.start].endswith(b"words.'''")
    assert PYTHON[span.end :].startswith(b"\n\n\nclass A")


def test_an_empty_body_lies_between_its_brackets() -> None:
    span = node_body(grammar("java"), JAVA, "g")
    assert JAVA[: span.start].endswith(b"void g() {")


@pytest.mark.parametrize(
    ("language", "view", "name", "lines"),
    [("python", PYTHON, "A.B.twice", (32, 36)), ("java", JAVA, "f", (2, 6)), ("go", GO, "M", (7, 11))],
)
def test_an_ambiguous_name_is_an_error_that_lists_the_lines(
    language: str, view: bytes, name: str, lines: tuple[int, ...]
) -> None:
    with pytest.raises(InputError) as error:
        node_body(grammar(language), view, name)
    assert repr(name) in error.value.what
    assert tuple(int(line) for line in re.findall(r"line (\d+)", error.value.what)) == lines
    listed = view.split(b"\n")
    assert all(name.rpartition(".")[2].encode() in listed[line - 1] for line in lines)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("A.B.gg", "A.B.g"), ("stubb", "stub"), ("lst", "last"), ("zzzzzz", "lines"), ("", "lines"), ("import", "lines")],
)
def test_an_unknown_name_is_an_error_with_close_ones(name: str, hint: str) -> None:
    with pytest.raises(InputError, match=re.escape(repr(name))) as error:
        node_body(grammar("python"), PYTHON, name)
    assert hint in error.value.hint


def test_a_file_without_names_says_so() -> None:
    with pytest.raises(InputError) as error:
        node_body(grammar("python"), b"x = 1\n", "f")
    assert "no named" in error.value.hint


def test_a_whole_path_goes_before_the_end_of_one() -> None:
    view = b"class A:\n    def f(self): return 1\n\ndef f(): return 2\n"
    span = node_body(grammar("python"), view, "f")
    assert view[span.start : span.end] == b"return 2"


def test_definitions_come_in_order_without_decorators() -> None:
    found = definitions(grammar("python"), PYTHON)
    assert [one.name for one in found][:4] == ["f", "stub", "A", "A.f"]
    assert PYTHON[found[0].span.start :].startswith(b"def f(x)")
    assert found[0].line == 7


def test_names_survive_a_broken_file() -> None:
    view = b"def f():\n    return 1\n\nx = = (\n\ndef g():\n    return 2\n"
    assert view[slice(*_ends(node_body(grammar("python"), view, "f")))] == b"return 1"


def _ends(span: Span) -> tuple[int, int]:
    return span.start, span.end
