"""Holes filled from the left: where a candidate is cut, which is chosen, and that nothing outside changes."""

from dcode.diffusion.plan import Plan
from dcode.jobs.infill import infill
from dcode.syntax.grammar import grammar
from dcode.text.frame import Frame
from dcode.text.result import Result
from dcode.text.source import Source
from dcode.text.span import Span
from tests.author import Author

PYTHON = grammar("python")
TRUTH = b"""import os


def sizes(paths):
    found = []
    for path in paths:
        found.append(os.stat(path).st_size)
    return found
"""


def hole(first: bytes, last: bytes) -> Span:
    start = TRUTH.index(first)
    return Span(start, TRUTH.index(last, start) + len(last))


def filled(span: Span, author: Author, **more: object) -> list[Result]:
    seen = list(infill(Source.of(TRUTH, "f.py"), [span], author, PYTHON, Plan(), slots=120, **more))  # type: ignore[arg-type]
    assert any(isinstance(one, Frame) for one in seen)
    return [one for one in seen if isinstance(one, Result)]


def test_a_fill_that_runs_on_is_cut_where_the_file_goes_on() -> None:
    span = hole(b"for path", b"st_size)")
    runs_on = (
        b"    for path in paths:\n        found.append(os.stat(path).st_size)\n    return found\n\n\ndef more():\n"
    )
    (result,) = filled(span, Author(TRUTH, [runs_on]))
    assert result.verdict == "verified" and result.view == TRUTH


def test_what_does_not_parse_loses_to_what_does() -> None:
    span = hole(b"for path", b"st_size)")
    (result,) = filled(
        span, Author(TRUTH, [b"    for path in paths:\n        found.append((", b"    found = paths\n    pass"])
    )
    assert result.regions[0].new.startswith(b"found = paths") and result.verdict == "verified"


def test_what_lacks_a_name_loses_to_what_does_not() -> None:
    span = hole(b"found = []", b"found = []")
    (result,) = filled(span, Author(TRUTH, [b"    found = collect()", b"    found = list()"]))
    assert result.regions[0].new == b"found = list()"


def test_a_line_that_follows_is_not_said_again() -> None:
    span = hole(b"found = []", b"found = []")
    author = Author(TRUTH, [b"    found = []\n    for path in paths:\n        found.append(path)"])
    (result,) = filled(span, author)
    assert result.view == TRUTH


def test_a_hole_inside_a_line_ends_where_the_line_goes_on() -> None:
    span = hole(b"os.stat(path)", b"os.stat(path)")
    (result,) = filled(span, Author(TRUTH, [b"(os.stat(path).st_size)\n    return"]))
    assert result.view == TRUTH


def test_further_candidates_are_the_next_best_of_the_same_batch() -> None:
    span = hole(b"found = []", b"found = []")
    author = Author(TRUTH, [b"    found = list()", b"    found = []"])
    first, second = filled(span, author, count=2)
    assert (first.regions[0].new, second.regions[0].new) == (b"found = []", b"found = list()")


def test_holes_see_the_choices_before_them() -> None:
    spans = [hole(b"found = []", b"found = []"), hole(b"return found", b"return found")]
    author = Author(TRUTH, [b"    found = []", b"    found = []"])
    seen = list(infill(Source.of(TRUTH, "f.py"), spans, author, PYTHON, Plan()))  # type: ignore[arg-type]
    (result,) = (one for one in seen if isinstance(one, Result))
    assert [region.span for region in result.regions] == spans and result.regions[0].new == b"found = []"


def test_what_was_not_written_in_time_is_no_answer() -> None:
    (result,) = filled(hole(b"found = []", b"found = []"), Author(TRUTH, [b"    found"]), deadline=0.0)
    assert result.verdict in ("failed", "fallback") and result.view == TRUTH


def test_a_hint_says_nothing_of_the_length() -> None:
    body = b"    found = []\n    for path in paths:\n        found.append(os.stat(path).st_size)\n"
    asked, read = TRUTH.replace(body, b""), TRUTH.replace(body, b"    # all sizes\n" + body)
    span = Span(asked.index(b"return found"), len(asked) - 1)
    author = Author(read, [body + b"    return found"])
    seen = infill(Source.of(asked, "f.py"), [span], author, PYTHON, Plan(), hints=["all sizes"], slots=150)  # type: ignore[arg-type]
    (result,) = (one for one in seen if isinstance(one, Result))
    assert result.view == TRUTH
