"""The Checker: old faults do not count, new ones do, and what was there is never one."""

import random
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syntax_samples import BROKEN, GOOD

from dcode.syntax.check import NEAREST, GrammarChecker, checker_versions, file_faults
from dcode.syntax.grammar import grammar, languages
from dcode.syntax.identity import filled
from dcode.syntax.witness import trials
from dcode.text.checker import Checker, Draft
from dcode.text.fault import Fault
from dcode.text.span import Span

PYTHON = grammar("python")


def hole_at(view: bytes, text: bytes) -> Span:
    at = view.index(text)
    return Span(at, at + len(text))


def new_faults(view: bytes, old: bytes, new: bytes, language: str = "python") -> list[tuple[str, str]]:
    """Kind and text of the new faults after `old`, once in `view`, is a hole filled with `new`."""
    hole = hole_at(view, old)
    draft = filled(view, [hole], [new])
    found = GrammarChecker(grammar(language), view, [hole]).faults(draft)
    return [(fault.kind, draft.data[fault.span.start : fault.span.end].decode(errors="replace")) for fault in found]


def test_it_is_a_checker() -> None:
    checker: Checker = GrammarChecker(PYTHON, b"x = 1\n", [Span(4, 5)])
    assert checker.witness() == (b"1",)
    assert checker.faults(Draft(b"x = 2\n", (Span(4, 5),))) == ()


@pytest.mark.parametrize("name", languages())
def test_a_sound_fill_passes_and_a_broken_one_does_not(name: str) -> None:
    view = GOOD[name]
    hole = Span(0, len(view))
    checker = GrammarChecker(grammar(name), view, [hole])
    assert checker.witness() == (view,)
    assert checker.faults(Draft(view, (hole,))) == ()
    for text in BROKEN[name]:
        assert checker.faults(Draft(text, (Span(0, len(text)),)))
        assert not checker.parses(Draft(view, (hole,)), hole, text)


@pytest.mark.parametrize("name", languages())
def test_an_empty_file_is_a_hole_with_a_witness(name: str) -> None:
    checker = GrammarChecker(grammar(name), b"", [Span(0, 0)])
    assert checker.witness() == (b"",)
    assert checker.faults(Draft(GOOD[name], (Span(0, len(GOOD[name])),))) == ()


# Faults the file had before

OLD = b"a = 1\n\nb = = 2\n\nc = 3\n\nd = 4]\n\ne = 5\n"


@pytest.mark.parametrize("old", [b"a = 1", b"c = 3", b"e = 5"])
@pytest.mark.parametrize("new", [b"x = 9", b"", b"if x:\n    y = 1\n    z = 2", b"x"])
def test_faults_of_the_users_own_do_not_count(old: bytes, new: bytes) -> None:
    assert new_faults(OLD, old, new) == []


@pytest.mark.parametrize("old", [b"a = 1", b"c = 3", b"e = 5"])
def test_a_new_fault_among_old_ones_counts(old: bytes) -> None:
    assert ("error", "=") in new_faults(OLD, old, b"x = = 9")


@pytest.mark.parametrize("name", ["javascript", "go", "java", "c", "rust"])
def test_old_faults_do_not_count_in_any_language(name: str) -> None:
    view = b"int a ) x;\n" + GOOD[name]
    assert file_faults(grammar(name), view)
    place = GOOD[name].rindex(b"}")
    hole = Span(place + 11, place + 11)
    checker = GrammarChecker(grammar(name), view, [hole])
    assert checker.faults(filled(view, [hole], [b"\n"])) == ()
    assert checker.faults(filled(view, [hole], [b"((("]))


def test_one_hole_over_an_old_fault_mends_it_and_may_not_bring_it_back() -> None:
    hole = hole_at(OLD, b"b = = 2")
    checker = GrammarChecker(PYTHON, OLD, [hole])
    assert checker.witness() not in (None, (b"b = = 2",))
    assert checker.faults(filled(OLD, [hole], [b"b = 2"])) == ()
    assert checker.faults(filled(OLD, [hole], [b"b = = 2"]))


# The strict check


def test_the_compiler_judges_a_file_that_it_accepts() -> None:
    view = b"def f():\n    return 1\n"
    assert new_faults(view, b"return 1", b"break") == [("compile", "break")]
    assert new_faults(view, b"return 1", b"x = 1\n      y = 2")[0][0] == "compile"


def test_the_compiler_is_not_asked_about_a_file_that_it_rejects_anyway() -> None:
    view = b"def f():\n    return 1\n\n\nprint 'old'\n"
    assert new_faults(view, b"return 1", b"break") == []
    assert new_faults(view, b"return 1", b"print 'new'") == []
    assert new_faults(view, b"return 1", b"x = = 1") == [("error", "=")]


def test_the_compiler_judges_again_once_the_hole_is_what_was_wrong() -> None:
    view = b"def f():\n    print 'old'\n"
    assert new_faults(view, b"print 'old'", b"break") == [("compile", "break")]
    assert new_faults(view, b"print 'old'", b"print('new')") == []


# The part that the strict check judges

OLD_PYTHON = b"""print 'old'

import os

def f(x):
    return x


def g(x):
    try:
        return f(x)
    except OSError:
        pass
    return x

class A: pass

exec 'old'
"""


def test_in_a_file_that_it_rejects_the_compiler_judges_the_statements_around_the_hole() -> None:
    assert new_faults(OLD_PYTHON, b"return x\n\n", b"break\n\n") == [("compile", "break")]
    assert new_faults(OLD_PYTHON, b"return x\n\n", b"y = x\n    return (y,\n        x)\n\n") == []


def test_that_part_moves_with_what_is_filled_in() -> None:
    view = OLD_PYTHON
    at = view.index(b"return x\n\nclass")
    hole = Span(at, at + 8)
    checker = GrammarChecker(PYTHON, view, [hole])
    for fill in (b"y = 1\n    " * 9 + b"return y", b"x"):
        assert checker.faults(filled(view, [hole], [fill])) == ()
        for bad in (b"break", b"await x", b"def h(:"):
            draft = filled(view, [hole], [fill + b"\n    " + bad])
            (fault, *_) = checker.faults(draft)
            assert draft.holes[0].start <= fault.span.start < draft.holes[0].end
    draft = filled(view, [hole], [b"x = = 1\n    y"])
    fault = checker.prefix_fault(draft, draft.holes[0].end)
    assert fault is not None and draft.data[fault.span.start : fault.span.end] == b"="


def test_a_witness_that_leaves_no_fault_around_goes_first() -> None:
    """Where the hole is what is wrong, the faults of the file as it is are the hole's."""
    view = OLD_PYTHON.replace(b"    except OSError:", b"")
    at = view.index(b"\n        pass")
    hole = Span(at, at)
    checker = GrammarChecker(PYTHON, view, [hole])
    assert checker.witness() not in (None, (b"",))
    assert checker.faults(filled(view, [hole], [b"    except OSError:"])) == ()
    assert checker.faults(filled(view, [hole], [b"    else:"]))
    view = b"i = 1\nwhile i:\n\n        ind = i\n   i += 1\n"
    checker = GrammarChecker(PYTHON, view, [Span(15, 15)])
    assert checker.faults(filled(view, [Span(15, 15)], [b"   if i:"])) == ()
    assert checker.faults(filled(view, [Span(15, 15)], [b"   "]))


# Bytes


@pytest.mark.parametrize("language", ["python", "json", "c"])
@pytest.mark.parametrize("bad", ["\x1b[31m", "\x00", "\x7f", "\x9b", "\u202e", "\u2066", "\u061c", "\r", "\ufeff"])
def test_a_control_character_is_a_fault_even_where_the_language_allows_it(bad: str, language: str) -> None:
    view, old = (b'["aa"]\n', b"aa") if language == "json" else (b'x = "aa";\n', b"aa")
    kinds = {kind for kind, _ in new_faults(view, old, f"a{bad}".encode(), language)}
    assert "control" in kinds


def test_a_control_character_that_the_file_has_may_stay() -> None:
    assert new_faults("x = 'a'  # \u200e\ny = 1\n".encode(), b"'a'", "'\u200e'".encode()) == []
    assert new_faults(b"x = 1\n\x0cy = 1\n", b"1\n\x0c", b"2\n\x0c") == []
    assert new_faults(b"x = 'a'  # \x0c\n", b"'a'", b"'\x0c\x7f'") == [("control", "\x7f")]


@pytest.mark.parametrize("bad", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"a\xe2\x82"])
def test_bytes_that_are_not_utf8_are_a_fault(bad: bytes) -> None:
    view = b"x = 'aa'\n"
    hole = hole_at(view, b"aa")
    (fault,) = [
        fault
        for fault in GrammarChecker(PYTHON, view, [hole]).faults(filled(view, [hole], [bad]))
        if fault.kind == "encoding"
    ]
    assert hole.start <= fault.span.start < hole.start + len(bad)


def test_ordinary_characters_of_any_language_are_none() -> None:
    assert new_faults(b"x = 'aa'\n", b"aa", "é 日本 🙂\t".encode()) == []


# Witnesses


@pytest.mark.parametrize(
    "view",
    [
        b"def f():\n    <FILL>\n",
        b"x = <FILL>\n",
        b"f(1, <FILL>)\n",
        b"<FILL>\n    return 1\n",
        b"if x:\n    y = 1\n<FILL>\n    y = 2\n",
        b"try:\n    x\n<FILL>\n    y\n",
        b"x = {\n    <FILL>\n    'b': 2,\n}\n",
        b"for x in <FILL>:\n    pass\n",
        b"x = (\n    1,\n<FILL>\ny = 2\n",
        b'def f():\n    <FILL>\n    Words.\n    """\n',
    ],
)
def test_a_marker_has_a_witness(view: bytes) -> None:
    checker = GrammarChecker(PYTHON, view, [hole_at(view, b"<FILL>")])
    witness = checker.witness()
    assert witness is not None
    assert file_faults(PYTHON, view.replace(b"<FILL>", witness[0])) == ()


def test_several_markers_of_several_shapes_have_a_witness() -> None:
    view = b"def f(x):\n    <FILL>\n    y = <FILL>\n<FILL>\n    return 1\n"
    holes = [Span(at, at + 6) for at in range(len(view)) if view.startswith(b"<FILL>", at)]
    checker = GrammarChecker(PYTHON, view, holes)
    witness = checker.witness()
    assert witness is not None
    assert checker.faults(filled(view, holes, witness)) == ()


def test_without_a_witness_the_grammar_alone_judges() -> None:
    view = b"x = [1, 2, <FILL>\ny = 3\nz = {\n"
    hole = hole_at(view, b"<FILL>")
    checker = GrammarChecker(PYTHON, view, [hole])
    assert checker.witness() is None
    assert all(fault.checker == "tree-sitter-python" for fault in checker.faults(filled(view, [hole], [b"= ="])))
    assert checker.prefix_fault(filled(view, [hole], [b"= =\n"]), 15) is None


# The rest of the protocol


def test_parses_judges_one_replacement_inside_a_hole() -> None:
    view = b"def f(x):\n    return x + 1\n"
    hole = hole_at(view, b"return x + 1")
    checker = GrammarChecker(PYTHON, view, [hole])
    draft = filled(view, [hole], [b"return x + + +"])
    assert checker.faults(draft)
    assert checker.parses(draft, Span(hole.start + 13, hole.start + 14), b"2")
    assert checker.parses(draft, Span(hole.start + 8, hole.end + 2), b"")
    assert not checker.parses(draft, Span(hole.start, hole.start), b")")


def test_the_prefix_test_speaks_before_the_file_is_full() -> None:
    view = b"def f(x):\n    pass\n"
    hole = hole_at(view, b"pass")
    checker = GrammarChecker(PYTHON, view, [hole])
    draft = filled(view, [hole], [b"if x = = 1:\n        y\n"])
    fault = checker.prefix_fault(draft, len(draft.data))
    assert fault is not None and hole.start <= fault.span.start < draft.holes[0].end
    assert checker.prefix_fault(filled(view, [hole], [b"if x:\n"]), 21) is None


def test_candidates_are_parts_of_the_holes() -> None:
    view = b"def f(x):\n    a\n    b\n    c\n"
    hole = hole_at(view, b"a\n    b\n    c")
    checker = GrammarChecker(PYTHON, view, [hole])
    draft = filled(view, [hole], [b"a\n    b = = 1\n    c"])
    (fault, *_) = checker.faults(draft)
    levels = [checker.candidates(draft, fault, level) or () for level in range(len(NEAREST) + 3)]
    texts = [[draft.data[span.start : span.end] for span in spans] for spans in levels]
    assert b"=" in texts[0] and len(texts[0]) == NEAREST[0]
    assert set(levels[0]) <= set(levels[1]) <= set(levels[2])
    assert texts[3:] == [[b"    b = = 1\n"], [b"a\n    b = = 1\n    c"], [b"a\n    b = = 1\n    c"]]
    assert checker.candidates(draft, fault, len(NEAREST) + 3) is None


def test_versions_name_every_checker_that_may_report() -> None:
    faults = file_faults(PYTHON, b"return = =\n")
    assert {fault.checker for fault in faults} <= checker_versions(PYTHON).keys()
    assert "CPython" in checker_versions(PYTHON)["compile"] or "PyPy" in checker_versions(PYTHON)["compile"]


# What was there is never a new fault

SOUND = [(Path(sysconfig.get_paths()["stdlib"]) / name).read_bytes() for name in ("bisect.py", "textwrap.py")]


@st.composite
def holes_in(draw: st.DrawFn, view: bytes) -> list[Span]:
    cuts = sorted(draw(st.lists(st.integers(0, len(view)), min_size=2, max_size=6)))
    return [Span(*pair) for pair in zip(cuts[::2], cuts[1::2], strict=False)]


@given(st.data(), st.sampled_from([(PYTHON, view) for view in SOUND] + [(grammar(name), GOOD[name]) for name in GOOD]))
def test_the_original_bytes_of_a_sound_file_are_no_fault(data: st.DataObject, case: tuple) -> None:  # type: ignore[type-arg]
    language, view = case
    holes = data.draw(holes_in(view))
    checker = GrammarChecker(language, view, holes)
    assert checker.witness() == tuple(view[hole.start : hole.end] for hole in holes)
    assert checker.faults(Draft(view, tuple(holes))) == ()


@given(st.data(), st.sampled_from(sorted(GOOD)), st.integers(0, 2**32))
def test_the_original_bytes_of_any_file_bring_no_fault_from_outside(data: st.DataObject, name: str, seed: int) -> None:
    view = _damaged(GOOD[name], random.Random(seed))
    holes = data.draw(holes_in(view))
    checker = GrammarChecker(grammar(name), view, holes)
    found = checker.faults(Draft(view, tuple(holes)))
    if checker.witness() in (None, tuple(view[hole.start : hole.end] for hole in holes)):
        assert all(any(hole.start <= fault.span.start < hole.end for hole in holes) for fault in found)
    if checker.witness() == tuple(view[hole.start : hole.end] for hole in holes):
        assert found == ()


@given(st.data(), st.sampled_from(sorted(GOOD)), st.integers(0, 2**32))
def test_a_witness_never_has_a_fault(data: st.DataObject, name: str, seed: int) -> None:
    view = _damaged(GOOD[name], random.Random(seed))
    holes = data.draw(holes_in(view))
    checker = GrammarChecker(grammar(name), view, holes)
    witness = checker.witness()
    assert witness is None or checker.faults(filled(view, holes, witness)) == ()


def _damaged(view: bytes, rng: random.Random) -> bytes:
    """The text with a few of its bytes struck out or doubled."""
    data = bytearray(view)
    for _ in range(rng.randrange(4)):
        at = rng.randrange(len(data))
        data[at : at + 1] = b"" if rng.random() < 0.5 else bytes([data[at]]) * 2
    return bytes(data)


# Trivial statements


@pytest.mark.parametrize("lines", [10, 50_000])
def test_in_a_long_text_few_statements_are_tried(lines: int, monkeypatch: pytest.MonkeyPatch) -> None:
    view = b"[\n" + b"1234567,\n" * lines + b"0\n]\n"
    hole = Span(2, 11)
    checker, asked = GrammarChecker(grammar("json"), view, [hole]), []
    monkeypatch.setattr(checker, "parses", lambda *_: asked.append(1))
    assert checker.statements(Draft(view, (hole,)), Fault(hole, "error", "", "c")) is None
    assert bool(asked) and len(asked) <= trials(view)
    assert (len(asked) > trials(b" " * 450_000)) == (lines == 10)
