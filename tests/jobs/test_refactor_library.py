"""Insertions into real functions: what passes the gate is judged again by Python's own syntax trees."""

import ast
import random
import sysconfig
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from dcode.diffusion.plan import Plan
from dcode.jobs.refactor import refactor
from dcode.model.load import load
from dcode.syntax.gate import refusal
from dcode.syntax.grammar import grammar
from dcode.syntax.opportunity import Opportunity, opportunities
from dcode.text.edit import Edit, splice
from dcode.text.source import Source
from dcode.text.span import Span

PYTHON = grammar("python")
GOOD = {"docstring": [b"Say what it does."], "annotate": [b"int", b"str | None", b"list[dict[str, int]]", b"object"]}
BAD = {
    "docstring": [b'A.""" ; x = """', b'A.""" % x + """', b'A.""", """', b"A.\\", b'A.""" "b" """', b"\\x"],
    "annotate": [b"int = 1", b"int, b: int", b"print()", b"lambda: 1", b"Unknown", b"int:\n    pass\ndef x(", b"(int)"],
}


def library(seed: int) -> Iterator[tuple[Path, bytes]]:
    """Files of the standard library, shuffled."""
    folder = Path(sysconfig.get_path("stdlib"))
    files = sorted(path for path in folder.glob("*.py") if path.stat().st_size < 20_000)
    random.Random(seed).shuffle(files)
    yield from ((path, path.read_bytes()) for path in files)


def functions(rule: str, count: int, seed: int) -> Iterator[tuple[Source, Opportunity]]:
    """Up to eight functions of each file for which a rule has something to propose."""
    chance = random.Random(seed)
    for path, data in library(seed):
        source = Source.of(data, path.name, PYTHON.cookie)
        found = opportunities(PYTHON, source.view, [Span(0, len(source.view))])
        mine = [one for one in found if one.rule.name == rule]
        for one in chance.sample(mine, min(8, len(mine), count)):
            count -= 1
            yield source, one
        if count == 0:
            return


class Plain(ast.NodeTransformer):
    """A tree without what the two rules may add."""

    def __init__(self, rule: str) -> None:
        self.rule = rule

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        if self.rule == "docstring" and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
        if self.rule == "annotate":
            node.returns = None
        return node

    visit_AsyncFunctionDef = visit_FunctionDef  # type: ignore[assignment]

    def visit_arg(self, node: ast.arg) -> ast.AST:
        if self.rule == "annotate":
            node.annotation = None
        return node


def plain(data: bytes, rule: str) -> str:
    return ast.dump(Plain(rule).visit(ast.parse(data)))


@pytest.mark.parametrize("count", [8, pytest.param(200, marks=pytest.mark.slow)])
@pytest.mark.parametrize("rule", ["docstring", "annotate"])
def test_no_tree_changes_beyond_its_rule(rule: str, count: int, capsys: pytest.CaptureFixture[str]) -> None:
    chance = random.Random(count)
    passed = refused = beyond = seen = 0
    for source, one in functions(rule, count, seed=count):
        seen += 1
        for fills in (GOOD[rule], BAD[rule]):
            chosen = [chance.choice(GOOD[rule]) for _ in one.gaps]
            chosen[chance.randrange(len(chosen))] = chance.choice(fills)
            pairs = zip(one.gaps, chosen, strict=True)
            edits = [Edit(gap.span, gap.head + fill + gap.tail) for gap, fill in pairs]
            why = refusal(PYTHON, source, one, edits)
            if fills is GOOD[rule]:
                assert why == "", (source.name, source.view[one.about.start : one.about.end])
            refused += why != ""
            if not why:
                passed += 1
                beyond += plain(source.data, rule) != plain(splice(source, edits), rule)
    with capsys.disabled():
        if count == 200:
            print(f"\n{rule}: {seen} functions, {passed} passed, {refused} refused, {beyond} changed beyond the rule")
    assert seen == count and beyond == 0 and refused > 0


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["docstring", "annotate"])
def test_what_the_embedded_model_proposes(rule: str, capsys: pytest.CaptureFixture[str]) -> None:
    """How often the embedded model comes up with something that passes: printed, and none may change the tree."""
    model = load("mini", threads=1)
    plan = Plan.preset("balanced", model.checkpoint.defaults, model.checkpoint.presets)
    said: Counter[str] = Counter()
    begun = time.process_time()
    for source, one in functions(rule, 20, seed=3):
        made = refactor(source, one, model, PYTHON, plan)
        said["refused" if made.refusal else "passed"] += 1
        assert made.refusal or plain(source.data, rule) == plain(splice(source, made.edits), rule)
    with capsys.disabled():
        seconds = (time.process_time() - begun) / said.total()
        print(f"\n{rule} by {model.checkpoint.name}: {dict(said)}, {seconds:.1f} s of CPU time each")
