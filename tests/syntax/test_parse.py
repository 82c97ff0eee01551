"""Trees of broken text: every fault is found, where it is, however deep or wild the text."""

import random
import re
import time

import pytest
from syntax_samples import BROKEN, GOOD

from dcode.errors import InputError
from dcode.syntax.check import file_faults
from dcode.syntax.grammar import grammar, languages
from dcode.syntax.parse import broken, parse, path_to, tree_faults
from dcode.text.span import Span


def test_a_missing_and_an_unexpected_node_are_told_apart() -> None:
    (missing,) = tree_faults(grammar("java"), b"class A { int x = 1 }\n")
    assert (missing.kind, missing.span, missing.message) == ("missing", Span(19, 19), "missing ;")
    assert (missing.checker, missing.context) == ("tree-sitter-java", "field_declaration")
    (error,) = tree_faults(grammar("python"), b"x = = 1\n")
    assert (error.kind, error.span, error.message) == ("error", Span(4, 5), "unexpected '='")
    assert error.context == "assignment"


def test_a_message_shows_a_little_and_hides_controls() -> None:
    (fault, *_) = tree_faults(grammar("json"), b"\x1b[31m" + b"a" * 1000 + b"\nb")
    assert len(fault.message) < 60
    assert "\x1b" not in fault.message


@pytest.mark.parametrize("name", languages())
def test_faults_come_in_order_and_agree_with_the_tree(name: str) -> None:
    for text in (*BROKEN[name], GOOD[name][: len(GOOD[name]) // 2], GOOD[name] + GOOD[name][5:]):
        tree = parse(grammar(name), text)
        found = list(broken(tree))
        assert bool(found) == tree.root_node.has_error
        assert [node.start_byte for node, _ in found] == sorted(node.start_byte for node, _ in found)
        assert all((node.parent.type if node.parent else "") == parent for node, parent in found)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("go", b"package main\n\nfunc f() {\n}", b" func g() {\n}\n"),
        ("python", b"def f():\n    x\n    y\n    return", b" return\n"),
        ("c", b"#include <a.h>", b" int x;\n"),
    ],
)
def test_a_missing_end_of_line_is_found_although_no_node_shows_it(name: str, before: bytes, after: bytes) -> None:
    (fault,) = tree_faults(grammar(name), before + after)
    assert (fault.kind, fault.span) == ("missing", Span(len(before), len(before)))


@pytest.mark.parametrize("name", languages())
def test_no_tree_with_an_error_is_taken_for_sound(name: str) -> None:
    rng = random.Random(1)
    lexemes = re.findall(rb"\w+|[^\w\s]|\s+", GOOD[name])
    for _ in range(100):
        damaged = list(lexemes)
        damaged[rng.randrange(len(damaged))] = rng.choice([b"", *lexemes])
        text = b"".join(damaged)
        assert bool(list(tree_faults(grammar(name), text))) == parse(grammar(name), text).root_node.has_error, text


def test_the_path_to_a_place_leads_inwards() -> None:
    view = b"def f():\n    return [1, 22]\n"
    kinds = [node.type for node in path_to(parse(grammar("python"), view), Span(24, 26))]
    assert kinds == ["module", "function_definition", "block", "return_statement", "list", "integer"]


WILD = [
    b"(" * 10_000,
    b"[{(" * 10_000,
    b"(" * 10_000 + b")" * 10_000,
    b"'\"" * 5_000,
    b"-" * 10_000,
    b"a." * 10_000,
    b"`${" * 3_000,
    b"if (x) {" * 1_500,
    b")" * 3_000,
    b"a<" * 1_500,
    b"\n  " * 5_000,
]


@pytest.mark.parametrize("name", languages())
def test_deep_and_wild_text_is_parsed_in_bounded_time(name: str) -> None:
    rng = random.Random(0)
    started = time.monotonic()
    for text in (*WILD, rng.randbytes(10_000), bytes(rng.choices(range(32, 127), k=10_000))):
        assert all(fault.span.end <= len(text) for fault in file_faults(grammar(name), text))
    assert time.monotonic() - started < 60


def test_what_would_take_a_parser_minutes_is_refused() -> None:
    """Here-documents that nothing ends: quadratic."""
    with pytest.raises(InputError, match="the Bash parser takes too long"):
        file_faults(grammar("bash"), b"<<E\n" * 40_000)
