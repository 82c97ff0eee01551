"""A sound file and some broken ones per language. A new language needs a row: test_grammars.py says so."""

GOOD = {
    "bash": b"""\
#!/bin/bash
set -e

f() {
    local x=$1
    if [[ -n "$x" ]]; then
        echo "$x"
    fi
}

f a
""",
    "c": b"""\
#include <stdio.h>

struct s {
    int a;
};

int f(int x) {
    if (x > 0) {
        return x;
    }
    return 0;
}
""",
    "cpp": b"""\
#include <vector>

class A {
 public:
    int f(int x) {
        return x;
    }
};

template <class T>
T g(T x) {
    return x;
}
""",
    "go": b"""\
package main

import "fmt"

type T struct {
\ta int
}

func (t *T) f(x int) int {
\treturn x
}

func main() {
\tfmt.Println(1)
}
""",
    "java": b"""\
class A {
    int x;

    int f(int y) {
        return y;
    }
}
""",
    "javascript": b"""\
import a from "a";

function f(x) {
    return x;
}

class A {
    g() {
        return f(1);
    }
}

const h = (x) => {
    return x;
};
""",
    "json": b"""\
{
  "a": {
    "b": [1, 2]
  },
  "c": "x"
}
""",
    "python": b'''\
import os


def f(x):
    """One line."""
    if x:
        return x
    return os


class A:
    def g(self):
        return f(1)
''',
    "rust": b"""\
use std::fmt;

struct S {
    a: i32,
}

impl S {
    fn f(&self, x: i32) -> i32 {
        x
    }
}

fn main() {
    let y = 1;
}
""",
    "tsx": b"""\
import React from "react";

function F(x: { a: string }) {
    return <p>{x.a}</p>;
}
""",
    "typescript": b"""\
interface I {
    a: string;
}

class A implements I {
    a = "";

    f(x: number): number {
        return x;
    }
}
""",
}

BROKEN = {
    "bash": (b"if true; then\n", b"f() {\n", b"case x in\n", b'echo "a\n', b"x=(\n"),
    "c": (b"int f( {\n}\n", b"int f(void) {\n", b"int x = ;\n", b"return 0\n", b"int f(void) { g(; }\n"),
    "cpp": (b"class A {\n", b"int f( {\n}\n", b"int x = ;\n", b"namespace {\n", b"void f() { x. ; }\n"),
    "go": (b"package main\n\nfunc f( {\n}\n", b"func f() {\n", b"var x = \n", b"x := [}\n", b"import (\n"),
    "java": (b"class A {\n", b"class A { int f( { } }\n", b"class { }\n", b"class A { int x = ; }\n", b"import ;\n"),
    "javascript": (b"function f( {\n}\n", b"f(\n", b"const x = ;\n", b"if (x {\n}\n", b"class A { f( }\n"),
    "json": (b'{"a": }\n', b"[1, 2\n", b'{"a" 1}\n', b"[1,, 2]\n", b'{"a": "b}\n'),
    "python": (b"def f(:\n    pass\n", b"x = = 1\n", b"if x\n    y\n", b"return 1\n", b"x = (1\n"),
    "rust": (b"fn f( {\n}\n", b"fn f() {\n", b"let x = ;\n", b"struct {\n", b"fn f() { x.. .; }\n"),
    "tsx": (b"const x = <p>;\n", b"function F( {\n}\n", b"const x: = 1;\n", b"f(\n", b"const x = <p a=>;\n"),
    "typescript": (b"interface {\n}\n", b"function f(x: ) {\n}\n", b"const x: = 1;\n", b"f(\n", b"class A { f( }\n"),
}
