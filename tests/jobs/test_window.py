"""What the model sees of a long file: whole lines, within the window, the marks of the ends only at the ends."""

from hypothesis import given
from hypothesis import strategies as st

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
    assert window.share(LONG, spans, [16, 16, 16], TOK, 256) == [range(2), range(2, 3)]


def test_default_slots() -> None:
    assert window.default_slots(b"  \n", TOK) == 64
    assert window.default_slots(b"x", TOK) == 16
    text = LONG[:400]
    assert window.default_slots(text, TOK) == -(-3 * len(TOK.encode(text)) // 2)
