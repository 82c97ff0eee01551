"""Every folder of grammars/ is complete, and finding a language is cheap and says what it does not find."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from syntax_samples import BROKEN, GOOD
from tree_sitter import Query

from dcode.errors import DcodeError, InputError, UsageError
from dcode.resources import data_path
from dcode.syntax.check import checker_versions, file_faults
from dcode.syntax.grammar import DEFINITIONS, SCHEMA, grammar, grammar_for, languages, load
from dcode.syntax.parse import distribution, language
from dcode.syntax.rules import TABLE, rules
from dcode.syntax.scope import definitions
from dcode.syntax.strict import STRICT

ROOT = Path(__file__).resolve().parents[2]
NOT_EMPTY = {"title", "suffixes", "identify", "brackets", "quotes", "separators", "lexemes", "witnesses"}
NOT_EMPTY |= {"wheel", "function"}


def test_the_languages_are_those_that_have_samples() -> None:
    assert languages() == tuple(sorted(GOOD)) == tuple(sorted(BROKEN))


@pytest.mark.parametrize("name", languages())
def test_a_folder_holds_a_table_rules_queries_and_nothing_else(name: str) -> None:
    files = {path.name for path in (data_path("grammars") / name).iterdir()}
    assert {"grammar.toml", f"{DEFINITIONS}.scm"} <= files
    assert all(file in ("grammar.toml", TABLE) or file.endswith(".scm") for file in files)
    assert bool(rules(grammar(name))) == (TABLE in files)
    for query in (file for file in files if file.endswith(".scm")):
        Query(language(grammar(name)), grammar(name).query(query.removesuffix(".scm")))


@pytest.mark.parametrize("name", languages())
def test_a_table_has_every_key_and_says_something(name: str) -> None:
    table = tomllib.loads((data_path("grammars") / name / "grammar.toml").read_text())
    assert list(table) == list(SCHEMA), "the same keys in the same order, so that tables can be compared"
    facts = grammar(name)
    assert all(getattr(facts, key) for key in NOT_EMPTY)
    assert all(re.fullmatch(r"\.[a-z0-9+]+", suffix) for suffix in facts.suffixes)
    assert all(opening != closing for opening, closing in facts.brackets)
    assert (facts.block == "brace") == bool(facts.block_open) == bool(facts.block_close)
    assert not facts.strict or facts.strict in STRICT
    assert facts.cookie is None or facts.cookie.groups == 1
    assert b"" in facts.witnesses and b"" not in facts.lexemes
    assert facts.quotes == tuple(sorted(facts.quotes, key=len, reverse=True))


@pytest.mark.parametrize("name", languages())
def test_the_kinds_of_a_table_exist_and_the_query_finds_definitions(name: str) -> None:
    facts = grammar(name)
    assert {kind for kind in facts.imports if language(facts).id_for_node_kind(kind, True) is None} == set()
    query = facts.query(DEFINITIONS)
    assert set(re.findall(r"@(\w+)", re.sub(r"(?m)^;.*", "", query))) >= {"definition", "name", "body"}


@pytest.mark.parametrize("name", languages())
def test_a_wheel_is_a_dependency_and_its_version_is_known(name: str) -> None:
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert any(re.match(rf"{distribution(grammar(name))}\b", line) for line in dependencies)
    versions = checker_versions(grammar(name))
    assert {"tree-sitter", distribution(grammar(name))} <= versions.keys()
    assert all(re.search(r"\d+\.\d+", version) for version in versions.values())


def test_no_two_languages_claim_a_file() -> None:
    claims = [claim for name in languages() for claim in (*grammar(name).suffixes, *grammar(name).names)]
    assert len(claims) == len(set(claims))


@pytest.mark.parametrize("name", languages())
def test_a_sound_file_has_no_fault_and_a_broken_one_has(name: str) -> None:
    assert file_faults(grammar(name), GOOD[name]) == ()
    assert definitions(grammar(name), GOOD[name])
    for text in BROKEN[name]:
        assert file_faults(grammar(name), text), text


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("x.py", "python"),
        ("a/b.c/x.PYI", "python"),
        ("x.min.js", "javascript"),
        ("x.d.ts", "typescript"),
        ("x.tsx", "tsx"),
        ("x.h", "c"),
        ("x.c++", "cpp"),
        ("home/.bashrc", "bash"),
        ("SConstruct", "python"),
        ("composer.lock", "json"),
    ],
)
def test_a_file_name_tells_the_language(filename: str, name: str) -> None:
    assert grammar_for(filename).name == name
    assert grammar_for(Path(filename)) is grammar(name)


@pytest.mark.parametrize("filename", ["x.txt", "README", ".py", "x", "", "x.py.orig"])
def test_a_name_that_tells_nothing_is_bad_input(filename: str) -> None:
    with pytest.raises(InputError, match=re.escape(repr(filename))):
        grammar_for(filename)


@pytest.mark.parametrize(("typed", "meant"), [("pyhton", "python"), ("py", "python"), ("JSON", "json"), ("rs", "rust")])
def test_an_unknown_language_is_a_usage_error_with_a_suggestion(typed: str, meant: str) -> None:
    with pytest.raises(UsageError, match=repr(typed)) as error:
        grammar(typed)
    assert error.value.hint == f"did you mean {meant}?"


@pytest.mark.parametrize("typed", ["", "..", "../grammars/python", "zzz", "python/"])
def test_a_name_is_never_a_path(typed: str) -> None:
    with pytest.raises(UsageError):
        grammar(typed)


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ('title = "Python"', "", "title"),
        ('title = "Python"', 'title = "Python"\ncolour = "blue"', "colour"),
        ('title = "Python"', "title = 3", "3"),
        ('block = "indent"', 'block = "tabs"', "tabs"),
        ('suffixes = [".py"', 'suffixes = [".py", ".py"', r"\.py"),
        ('brackets = ["()"', 'brackets = ["("', r"\("),
        ("cookie = '", "cookie = '(", r"\("),
        ("title", "title = =", "line 2"),
        ('openers = { "" = "for x in x:", ', "openers = { ", "openers"),
        ('closers = { try = "except x:" }', 'closers = ["try"]', "table"),
        ('closers = { try = "except x:" }', "closers = { try = 1 }", "1 is not a string"),
    ],
)
def test_a_damaged_table_is_refused(before: str, after: str, complaint: str, tmp_path: Path) -> None:
    text = (data_path("grammars") / "python" / "grammar.toml").read_text()
    assert before in text
    (tmp_path / "grammar.toml").write_text(text.replace(before, after, 1))
    with pytest.raises(DcodeError, match=f"damaged.*{complaint}"):
        load(tmp_path)


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DcodeError, match="damaged"):
        load(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("line", "encoding"),
    [
        (b"# -*- coding: latin-1 -*-", b"latin-1"),
        (b"# vim: set fileencoding=cp1252 :", b"cp1252"),
        (b"\t#coding:utf-8", b"utf-8"),
        (b"x = 1  # coding: latin-1", None),
        (b"# coding latin-1", None),
    ],
)
def test_the_cookie_of_python_is_that_of_pep_263(line: bytes, encoding: bytes | None) -> None:
    cookie = grammar("python").cookie
    assert cookie is not None
    found = cookie.match(line)
    assert (found.group(1) if found else None) == encoding


def test_knowing_a_language_imports_neither_its_parser_nor_torch() -> None:
    code = (
        "import sys; from dcode.syntax.grammar import grammar, grammar_for; grammar('go'); grammar_for('x.rs');"
        "bad = [m for m in sys.modules if m.startswith(('tree_sitter', 'torch', 'numpy'))]; assert not bad, bad;"
        "import dcode.syntax.check, dcode.syntax.scope;"
        "bad = [m for m in sys.modules if m.startswith(('tree_sitter_', 'torch', 'numpy'))]; assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
