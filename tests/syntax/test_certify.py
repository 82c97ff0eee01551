"""R1: lexemes, suspects, shells and certified changes, in every language."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syntax_samples import BROKEN, GOOD

from dcode.syntax.certify import advancing, certify
from dcode.syntax.check import GrammarChecker, file_faults
from dcode.syntax.grammar import grammar, languages
from dcode.syntax.identity import filled
from dcode.syntax.lexer import lexemes, unmatched
from dcode.syntax.mend import mended
from dcode.syntax.repairs import advances, repairs
from dcode.syntax.shell import shells
from dcode.syntax.suspects import LEXEMES, detections, fillers, suspects
from dcode.text.checker import Certified, Draft
from dcode.text.span import Span

PYTHON = grammar("python")
CLASS = b"""import os


class Shop:
    def add(self, item):
        for one in self.items:
            if one == item:
                break
        return item

    def total(self):
        return sum(self.items, 1

x = os.name
"""


def texts(view: bytes, spans: tuple[Span, ...]) -> list[bytes]:
    return [view[span.start : span.end] for span in spans]


def lexed(text: bytes, language: str = "python") -> list[bytes]:
    return texts(text, lexemes(grammar(language), text, Span(0, len(text))))


def changed(view: bytes, span: Span, filler: bytes) -> bytes:
    return view[: span.start] + filler + view[span.end :]


# Lexemes


def test_lexemes_are_words_operators_strings_and_single_signs() -> None:
    assert lexed("if x>=1.5 and é: # no\n  y['a b'] = f(\"\")".encode()) == (
        b"if|x|>=|1.5|and|\xc3\xa9|:|y|[|'a b'|]|=|f|(|\"\"|)".split(b"|")
    )


def test_a_string_that_is_not_closed_is_a_bare_quote() -> None:
    assert lexed(b"x = 'abc\ny = 'd'") == b"x|=|'|abc|y|=|'d'".split(b"|")
    assert lexed(b'"""a\n b""" + """c') == [b'"""a\n b"""', b"+", b'"""', b"c"]


def closed(text: bytes, quote: bytes) -> bytes | None:
    """The string that `text` begins with, byte by byte; None if its quote is not closed, in its line if of one byte."""
    at = len(quote)
    while at < len(text) and (len(quote) > 1 or text[at : at + 1] != b"\n"):
        if text.startswith(quote, at):
            return text[: at + len(quote)]
        at += 2 if text[at : at + 1] == b"\\" else 1
    return None


@pytest.mark.parametrize("quote", [b'"""', b"'''", b'"', b"'"])
@given(inside=st.lists(st.sampled_from([b'"', b"'", b'"""', b"\\", b"\n", b"a", b" "]), max_size=12).map(b"".join))
def test_a_string_ends_at_the_first_quote_that_is_not_escaped(quote: bytes, inside: bytes) -> None:
    text = quote + b"a" + inside
    assert lexed(text)[0] == (closed(text, quote) or quote)


@pytest.mark.parametrize("name", languages())
@given(data=st.data())
def test_lexemes_are_in_order_and_cover_all_but_blanks_and_comments(name: str, data: st.DataObject) -> None:
    view = data.draw(st.binary(max_size=40) | st.sampled_from([GOOD[name], *BROKEN[name]]))
    found = lexemes(grammar(name), view, Span(0, len(view)))
    assert all(len(span) for span in found)
    assert all(one.end <= other.start for one, other in pairwise(found))
    if not grammar(name).comment or grammar(name).comment.encode() not in view:
        covered = {at for span in found for at in range(span.start, span.end)}
        assert all(view[at : at + 1].isspace() for at in range(len(view)) if at not in covered)


def test_unmatched_brackets_and_quotes_inner_first() -> None:
    text = b"f(a, [b, 'c', \"d"
    assert texts(text, unmatched(PYTHON, text, lexemes(PYTHON, text, Span(0, len(text))), len(text))) == [
        b'"',
        b"[",
        b"(",
    ]
    text = b"f(a)) + b]"
    assert texts(text, unmatched(PYTHON, text, lexemes(PYTHON, text, Span(0, len(text))), len(text))) == [b"]", b")"]


# Suspects and fillers


def test_suspects_are_near_the_detection_nearest_first_and_grow() -> None:
    faults = file_faults(PYTHON, CLASS)
    at = detections(CLASS, faults)[0]
    assert CLASS[at : at + 1] == b"("
    few, more = (suspects(PYTHON, CLASS, faults, level) for level in (0, 1))
    assert 20 <= len(few) <= 60 and set(few) <= set(more)
    points = detections(CLASS, faults)
    distance = [min(max(point - span.end, span.start - point, 0) for point in points) for span in few]
    assert distance[0] == 0
    assert all(
        len(lexemes(PYTHON, CLASS, Span(span.start, min(points)))) <= LEXEMES[0] for span in few if span.end < at
    )
    end = CLASS.index(b"1\n") + 1
    assert Span(end, end) in few, "the end of the line that leaves a bracket open"


def test_suspects_stay_where_a_change_is_allowed() -> None:
    faults = file_faults(PYTHON, CLASS)
    only = Span(CLASS.index(b"self.items, 1"), CLASS.index(b"\n\nx ="))
    found = suspects(PYTHON, CLASS, faults, within=[only])
    assert found and all(only.start <= span.start and span.end <= only.end for span in found)


def test_a_filler_does_not_grow_together_with_a_word_beside_it() -> None:
    view = b"return=1"
    assert b" x" in fillers(PYTHON, view, Span(6, 6)) and b"x" not in fillers(PYTHON, view, Span(6, 6))
    view = b"a,b"
    assert fillers(PYTHON, view, Span(1, 2))[0] == b" " and b" in " in fillers(PYTHON, view, Span(1, 2))


def test_quotes_are_filled_in_only_where_one_stood() -> None:
    plain, string = b"x = 1", b"x = 'abc"
    assert not {b"'", b'"'} & set(fillers(PYTHON, plain, Span(5, 5)))
    assert b"'" in fillers(PYTHON, string, Span(8, 8))
    assert b'"' in fillers(PYTHON, string, Span(4, 5))


def test_an_indent_is_filled_with_the_depths_around() -> None:
    view = b"def f():\n    a\n      b\n    c\n"
    found = fillers(PYTHON, view, Span(15, 21))
    assert b"    " in found and b"        " in found and b"      " not in found


# Shells


def test_a_shell_is_the_lines_around_in_a_frame() -> None:
    at = CLASS.index(b"return item")
    first = next(iter(shells(PYTHON, CLASS, Span(at, at + 6))))
    part = CLASS[first.part.start : first.part.end]
    assert part == CLASS[CLASS.index(b"        for one") : CLASS.index(b"\n    def total") + 1]
    assert first.parses(Span(at, at + 6), b"yield") and first.parses(Span(at, at + 6), b"await")
    assert not first.parses(Span(at, at + 6), b"return =")
    assert first.rest(Span(at, at + 6), b"return") == 0 < first.rest(Span(at, at + 6), b"return =")


@pytest.mark.parametrize("name", languages())
def test_shells_grow_and_end_with_the_file(name: str) -> None:
    view = GOOD[name]
    found = list(shells(grammar(name), view, Span(len(view) // 2, len(view) // 2)))
    assert found[-1].whole and found[-1].parses(Span(0, 0), b"")
    for one, other in pairwise(found):
        assert other.part.start <= one.part.start and one.part.end <= other.part.end
    for one in found:
        assert one.sound, "what is right parses in its shell"


# Certifying


def test_places_take_turns_and_trials_are_counted() -> None:
    asked: list[tuple[Span, bytes]] = []

    def passes(span: Span, filler: bytes) -> bool:
        asked.append((span, filler))
        return filler == b"b"

    spans = (Span(0, 1), Span(2, 3))
    assert certify(passes, spans, lambda span: (b"a", b"b"), 3) == (Certified(spans[0], (b"b",)),)
    assert asked == [(spans[0], b"a"), (spans[1], b"a"), (spans[0], b"b")]
    assert certify(passes, spans, lambda span: (b"a",)) == ()


def test_where_nothing_is_enough_the_furthest_changes_count() -> None:
    rest = {b"a": 9, b"b": 4, b"c": 4}
    spans = (Span(0, 1),)
    found = advancing(lambda span, filler: rest[filler], spans, lambda span: tuple(rest), 8)
    assert found == (Certified(spans[0], (b"b", b"c")),)
    assert advancing(lambda span, filler: rest[filler], spans, lambda span: tuple(rest), 4) == ()
    (every,) = advancing(lambda span, filler: rest[filler], spans, lambda span: tuple(rest), 10)
    assert every.fillers == (b"b", b"c", b"a")
    (enough,) = advancing(lambda span, filler: rest[filler], spans, lambda span: tuple(rest), 10, 5)
    assert enough.fillers == (b"b", b"c")


def test_an_open_bracket_is_closed_or_taken_away() -> None:
    found = repairs(PYTHON, CLASS, file_faults(PYTHON, CLASS))
    end = CLASS.index(b"1\n") + 1
    assert b")" in {one.span: one for one in found}[Span(end, end)].fillers
    assert all(not file_faults(PYTHON, changed(CLASS, one.span, filler)) for one in found for filler in one.fillers)


def test_of_two_faults_the_first_is_mended_first() -> None:
    view = b"def f(x):\n    y = x +* 1\n    z = (y,\n    return z\n"
    assert repairs(PYTHON, view, file_faults(PYTHON, view)) == ()
    (first, *_) = advances(PYTHON, view, file_faults(PYTHON, view))
    after = changed(view, first.span, first.fillers[0])
    assert min(f.span.start for f in file_faults(PYTHON, after) if f.kind == "compile") > view.index(b"\n    z")


@pytest.mark.parametrize("name", languages())
def test_one_wrong_lexeme_is_certified_in_every_language(name: str) -> None:
    """Of seeded corruptions of a sound file: a change of the very place, or next to it, is among what parses."""
    known, view, chance = grammar(name), GOOD[name], random.Random(name)
    spans, tried, found = lexemes(known, view, Span(0, len(view))), 0, 0
    while tried < 8:
        span, filler = chance.choice(spans), chance.choice(known.lexemes)
        broken = changed(view, span, filler)
        if not (faults := file_faults(known, broken)):
            continue
        tried += 1
        here = Span(span.start, span.start + len(filler))
        certified = repairs(known, broken, faults) or repairs(known, broken, faults, level=1)
        found += any(one.span.start <= here.end and here.start <= one.span.end for one in certified)
    assert found >= 6


# Without a model


def test_a_broken_answer_is_mended_without_a_model() -> None:
    view = b"def f(x):\n    \n    return x\n"
    hole = Span(14, 14)
    checker = GrammarChecker(PYTHON, view, [hole])
    draft = filled(view, [hole], [b"y = (x + 1"])
    after = mended(checker, draft, PYTHON.witnesses)
    assert after is not None and not checker.faults(after)
    assert after.data.startswith(view[:14]) and after.data.endswith(view[14:]) and b"x + 1" in after.data


def test_what_no_change_mends_gives_way_to_a_trivial_statement() -> None:
    view = b"def f(x):\n    \n    return x\n"
    hole = Span(14, 14)
    checker = GrammarChecker(PYTHON, view, [hole])
    draft = filled(view, [hole], [b"a = 1\n    ) ( ] + { : = = class ! ?\n    b = 2"])
    after = mended(checker, draft, PYTHON.witnesses)
    assert after is not None and not checker.faults(after)
    assert b"a = 1" in after.data and b"b = 2" in after.data


def test_a_draft_without_faults_stays() -> None:
    checker = GrammarChecker(PYTHON, b"x = 1\n", [Span(4, 5)])
    draft = Draft(b"x = 2\n", (Span(4, 5),))
    assert mended(checker, draft, PYTHON.witnesses) is draft
