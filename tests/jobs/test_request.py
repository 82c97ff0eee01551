"""Programs and changes on request, by a left-to-right double."""

from collections.abc import Callable

import pytest

from dcode.diffusion.plan import Plan
from dcode.errors import InputError, ModelError, UsageError
from dcode.jobs.edit import edit
from dcode.jobs.generate import generate
from dcode.jobs.request import asked
from dcode.model.checkpoint import framings
from dcode.syntax.grammar import grammar
from dcode.text.result import Result
from dcode.text.source import Source
from dcode.text.span import Span
from tests.author import Author

PYTHON = grammar("python")
FILE = b"""class Reader:
    def size(self):
        return 0

    def name(self):
        return ""
"""


def programs(author: Author, **more: object) -> list[Result]:
    seen = generate("halve a number", author, PYTHON, Plan(), **more)  # type: ignore[arg-type]
    return [one for one in seen if isinstance(one, Result)]


def changes(author: Author, **more: object) -> list[Result]:
    start, end = FILE.index(b"def size"), FILE.index(b"return 0") + len(b"return 0")
    source = Source.of(FILE, "r.py")
    seen = edit(source, Span(start, end), "say one", author, PYTHON, Plan(), **more)  # type: ignore[arg-type]
    return [one for one in seen if isinstance(one, Result)]


def test_a_program_ends_where_its_fence_closes() -> None:
    (result,) = programs(Author(b"", [b"def halve(x):\n    return x / 2\n```\nThis halves."]))
    assert result.view == b"def halve(x):\n    return x / 2\n" and result.verdict == "verified"


def test_imports_that_are_certain_are_written_above_it() -> None:
    (result,) = programs(Author(b"", [b"def read(path):\n    return json.load(open(path))\n"]))
    assert result.view.startswith(b"import json\n") and result.unbound == ()


def test_where_none_passes_more_are_drawn_and_the_failure_is_told() -> None:
    author = Author(b"", [b"def halve(x:\n"])
    (result,) = programs(author)
    assert result.verdict == "failed" and result.faults_after and author.forwards > 2 * len(author.scripts[0])


def test_what_a_person_says_is_never_a_place_in_the_words() -> None:
    assert asked("{language}: {request}", PYTHON, request="{language} {x}") == "Python: {language} {x}"


def test_a_request_larger_than_the_window_is_refused() -> None:
    with pytest.raises(InputError, match="exceed the model's window of 4096"):
        programs(Author(b"", [b"x"]), slots=4000)


def test_a_region_is_rewritten_at_its_indent_and_nothing_else() -> None:
    (result,) = changes(Author(b"", [b"def size(self):\n    return 1\n"]))
    assert result.view == FILE.replace(b"return 0", b"return 1") and result.verdict == "verified"


def test_a_rewriting_that_does_not_parse_fails() -> None:
    (result,) = changes(Author(b"", [b"def size(self:\n    return 1\n"]))
    assert result.verdict == "failed"


def test_a_model_that_nobody_knows_how_to_ask_is_refused() -> None:
    author = Author(b"", [b"x"])
    author.framing = framings()["starcoder"]
    with pytest.raises(ModelError, match="nothing says how author is asked"):
        changes(author)
    with pytest.raises(ModelError, match="nothing says how author is asked"):
        programs(author)


def test_a_part_of_a_region_is_not_rewritten_from_the_left() -> None:
    with pytest.raises(UsageError, match="rewrites a whole region"):
        changes(Author(b"", [b"x"]), strength=0.5)


def test_the_old_text_said_again_comes_last() -> None:
    scripts = [b"def size(self):\n    return 0\n", b"def size(self):\n    return 1\n"]
    first, second = changes(Author(b"", scripts), count=2)
    assert first.view == FILE.replace(b"return 0", b"return 1") and second.view == FILE


@pytest.mark.parametrize("made", [programs, changes])
def test_an_answer_that_comes_twice_keeps_its_place(made: Callable[..., list[Result]]) -> None:
    one, two = (b"def size(self):\n    return %d\n" % number for number in (1, 2))
    first, second = made(Author(b"", [one, two, one]), count=3)
    assert b"return 1" in first.view and b"return 2" in second.view


def test_an_answer_that_its_slots_cut_short_was_not_cut_short_by_time() -> None:
    (result,) = programs(Author(b"", [b"x = 1\n" * 20]), slots=12)
    assert result.verdict == "verified" and result.stopped == "forwards"
