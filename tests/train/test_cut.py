"""Documents are cut as inference cuts them, and render to what they were cut from."""

import random

import pytest

from dcode.train.cut import Cutter, cut_spans
from tests.oracle import tokenizer

TOK = tokenizer()
TEXT = "\n".join(f"def f{i}(a, b):\n    total = a + b * {i}\n    return total\n" for i in range(40))
CUTTER = Cutter(TOK, void_anywhere=0.1)


@pytest.mark.parametrize("seed", range(30))
def test_a_document_with_holes_renders_to_its_source(seed: int) -> None:
    document = CUTTER.holes(TEXT, 160, random.Random(seed))
    if document is None:
        return
    assert sum(len(ids) for ids, _ in document) <= 160
    assert b"".join(TOK.decode(ids) for ids, _ in document).decode() in TEXT
    assert any(hole for _, hole in document)


def test_holes_start_and_end_where_line_ranges_do() -> None:
    rng = random.Random(0)
    spans = [span for _ in range(300) for span in cut_spans(TEXT, rng)]
    at_lines = [
        (a, b) for a, b in spans if not TEXT[TEXT.rfind("\n", 0, a) + 1 : a].strip() and TEXT[b : b + 1] in ("\n", "")
    ]
    assert len(at_lines) > 0.6 * len(spans)


def test_a_request_has_its_header_and_voids_behind() -> None:
    cutter = Cutter(TOK, void_anywhere=0)
    document = cutter.request("# add two numbers\n", "def add(a, b):\n    return a + b\n", 200, random.Random(1))
    assert document is not None
    (head, _), (slots, hole), (tail, _) = document
    assert TOK.decode(head) == b"# add two numbers\n" and head[0] == TOK.begin_id
    assert hole and TOK.decode(slots) == b"def add(a, b):\n    return a + b"
    text = [number for number in slots if number != TOK.void_id]
    assert slots == text + [TOK.void_id] * (len(slots) - len(text))
    assert tail == [TOK.end_id]
