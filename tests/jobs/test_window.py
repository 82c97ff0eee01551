"""What the model sees of a long file: whole lines, within the window, the marks of the ends only at the ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcode.errors import InputError
from dcode.jobs import window
from dcode.text.span import Span
from tests.oracle import tokenizer

TOK = tokenizer()
LONG = b"".join(b"line_%d = call(%d)\n" % (i, i) for i in range(300))


@given(at=st.integers(0, 299), size=st.integers(64, 400), slots=st.integers(1, 30), context=st.integers(20, 500))
def test_a_view_fits_and_shows_whole_lines(at: int, size: int, slots: int, context: int) -> None:
    start = LONG.index(b"line_%d " % at)
    before, after = LONG[:start], LONG[start:]
    ahead, behind = window.look(before, [], after, slots, TOK, size, context)
    assert len(ahead) + slots + len(behind) <= size
    assert len(ahead) + len(behind) <= context
    shown = TOK.decode(ahead), TOK.decode(behind)
    assert before.endswith(shown[0]) and after.startswith(shown[1])
    assert (ahead[0] == TOK.begin_id) == (shown[0] == before) or not shown[0]
    assert (TOK.end_id in behind) == (shown[1] == after)
    if shown[0] != before and b"\n" in shown[0]:
        assert before[: -len(shown[0])].endswith(b"\n")


def test_a_short_file_is_seen_whole() -> None:
    ahead, middle, behind = window.look(b"a = 1\n", [b"\nb = "], b"\n", 8, TOK, 256, 200)
    assert [TOK.decode(ids) for ids in (ahead, middle, behind)] == [b"a = 1\n", b"\nb = ", b"\n"]
    assert ahead[0] == TOK.begin_id and behind[-1] == TOK.end_id


def test_one_endless_line_is_cut_between_characters() -> None:
    ahead, behind = window.look("é".encode() * 5000, [], "é".encode() * 5000, 8, TOK, 128, 100)
    assert len(ahead) + len(behind) <= 100


def test_neighbours_share_a_window_and_others_do_not() -> None:
    spans = [Span(LONG.index(b"line_%d " % n), LONG.index(b"line_%d " % n) + 4) for n in (1, 3, 250)]
    assert window.share(LONG, spans, [16, 16, 16], [""] * 3, TOK, 256) == [range(2), range(2, 3)]


def test_default_slots() -> None:
    assert window.default_slots(b"  \n", TOK) == 64
    assert window.default_slots(b"x", TOK) == 16
    text = LONG[:400]
    assert window.default_slots(text, TOK) == -(-3 * len(TOK.encode(text)) // 2)


def test_where_a_file_does_not_fit_its_outline_comes_before_near_lines() -> None:
    before = b"import os\n" + b"".join(b"x%d = %d\n" % (n, n) for n in range(200)) + b"def f(a):\n"
    spans = [Span(before.index(b"def"), len(before)), Span(0, 10), Span(10, 17)]
    ahead, _ = window.look(before, [], b"", 8, TOK, 96, 96, spans)
    plain, _ = window.look(before, [], b"", 8, TOK, 96, 96)
    assert TOK.decode(list(ahead)).startswith(b"import os\nx0 = 0\nx") and TOK.decode(list(ahead)).endswith(
        b"def f(a):\n"
    )
    assert TOK.decode(list(ahead)).count(b"def f") == 1
    assert not TOK.decode(list(plain)).startswith(b"import") and len(ahead) <= 96 - 8
    whole, _ = window.look(b"import os\n", [], b"", 8, TOK, 96, 96, spans[1:2])
    assert TOK.decode(list(whole)) == b"import os\n"


def test_a_note_is_always_seen_with_the_line_below_it() -> None:
    before = b"x = 1\n" * 400 + b"    y = "
    ahead, _ = window.look(before, [], b"\n" * 400, 8, TOK, 256, 64, note="# say what\n" * 8)
    seen = TOK.decode(ahead)
    assert seen.endswith(b"    # say what\n" * 8 + b"    y = ")
    assert seen.startswith(b"x = 1\n")


def test_notes_of_one_line_stand_above_it_in_order() -> None:
    note, between = window.with_notes([b" + ", b"\n    z = "], ["# a\n", "# b\n", "# c\n"])
    assert note == "# a\n# b\n" and between == [b" + ", b"\n    # c\n    z = "]
    assert window.with_notes([], ["# a\n"]) == ("# a\n", [])


def test_holes_share_a_window_with_their_notes() -> None:
    text = b"a = \n" * 16
    spans = [Span(6 * n + 4, 6 * n + 4) for n in range(16)]
    bare = window.share(text, spans, [4] * 16, [""] * 16, TOK, 256)
    noted = window.share(text, spans, [4] * 16, ["# walk over all rows and keep some of them\n"] * 16, TOK, 256)
    assert bare == [range(16)]
    assert len(noted) > 2 and [n for group in noted for n in group] == list(range(16))


def test_a_note_too_long_for_the_window_is_told() -> None:
    with pytest.raises(InputError, match=r"line 2 needs 8 slots and \d+ tokens for what is asked; .* 224 at most"):
        window.check_fits([8], [Span(2, 2)], ["# word\n" * 200], b"a\n\n", TOK, 256)
