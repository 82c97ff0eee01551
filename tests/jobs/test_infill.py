"""The road end to end with an oracle: exact answers, untouched surroundings, repair, fallback, long files."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcode.diffusion.plan import Plan
from dcode.errors import InputError, OutOfTime
from dcode.jobs.generate import generate
from dcode.jobs.infill import infill
from dcode.jobs.window import with_note
from dcode.syntax.grammar import grammar
from dcode.text.frame import Frame
from dcode.text.ranges import lead, lines_span
from dcode.text.result import Result
from dcode.text.source import Source
from dcode.text.span import Span
from tests.oracle import Oracle, random_model, tokenizer

PYTHON = grammar("python")
FILE = b"""import os


def total(prices, tax):
    result = 0
    for price in prices:
        result += price * (1 + tax)
    return result


def names(folder):
    return sorted(os.listdir(folder))
"""


def results(stream: object) -> list[Result]:
    return [seen for seen in stream if isinstance(seen, Result)]  # type: ignore[attr-defined]


def hole(text: bytes, lines: str = "") -> Span:
    return lines_span(FILE, lines) if lines else Span(FILE.index(text), FILE.index(text) + len(text))


@given(data=st.data())
def test_a_perfect_oracle_returns_the_file_exactly(data: st.DataObject) -> None:
    count = FILE.count(b"\n")
    firsts = data.draw(st.lists(st.integers(1, count), min_size=1, max_size=3, unique=True).map(sorted))
    spans = [lines_span(FILE, str(line)) for line in firsts if FILE.split(b"\n")[line - 1].strip()]
    if not spans:
        return
    model = Oracle([FILE[s.start : s.end] for s in spans])
    (result,) = results(infill(Source.of(FILE, "f.py"), spans, model, PYTHON, Plan()))
    assert result.view == FILE
    assert result.verdict == "verified"
    assert result.faults_after == ()


def test_frames_tell_how_the_holes_fill_up() -> None:
    span = hole(b"result += price * (1 + tax)")
    seen = list(infill(Source.of(FILE, "f.py"), [span], Oracle([b"pass"]), PYTHON, Plan(commit="fixed")))
    frames = [one for one in seen if isinstance(one, Frame)]
    assert [frame.masked for frame in frames] == list(range(len(frames) - 1, -1, -1))
    assert "".join(slot.text for slot in frames[-1].holes[0]) == "pass"
    assert all(frame.index <= frame.limit for frame in frames)


def test_frames_show_the_lines_next_to_the_holes() -> None:
    spans = [hole(b"result = 0"), hole(b"sorted")]
    first = next(infill(Source.of(FILE, "f.py"), spans, Oracle([b"a", b"b"]), PYTHON, Plan()))
    assert isinstance(first, Frame) and len(first.around) == 3
    assert first.around[0] == "\ndef total(prices, tax):\n    "
    assert first.around[1].startswith("\n    for price") and "···" in first.around[1]
    assert first.around[2] == "(os.listdir(folder))\n"


def test_a_slip_is_found_remasked_and_mended() -> None:
    """At first the oracle answers one slot with a bracket; only the lines it broke are asked again."""
    answer = b"for price in prices:\n        result += price\n    return result"
    wrong = tokenizer().encode(b")")[0]
    model = Oracle([answer], slips={5: wrong})
    (result,) = results(infill(Source.of(FILE, "f.py"), [hole(b"", "6-8")], model, PYTHON, Plan()))
    assert result.verdict == "verified" and result.repairs >= 1
    assert result.regions[0].new == answer
    assert result.faults_after == ()


def test_without_feedback_the_slip_stays() -> None:
    wrong = tokenizer().encode(b")")[0]
    model = Oracle([b"return 1"], slips={0: wrong})
    (result,) = results(infill(Source.of(FILE, "f.py"), [hole(b"", "8")], model, PYTHON, Plan(), feedback=False))
    assert result.verdict == "unchecked" and result.regions[0].new.startswith(b")")


def test_what_cannot_be_mended_falls_back_to_the_original() -> None:
    class Stubborn(Oracle):
        def predict(self, ids_BL, want_BL, **_):  # type: ignore[no-untyped-def, override]
            logits = super().predict(ids_BL, want_BL)
            logits[:, self.tokenizer.encode(b")")[0]] = 50.0
            return logits

    source, span = Source.of(FILE, "f.py"), hole(b"", "8")
    (result,) = results(infill(source, [span], Stubborn([b"x"]), PYTHON, Plan(rounds=1), slots=90))
    assert result.verdict == "fallback" and result.view == FILE
    assert result.stopped in ("rounds", "forwards")


def test_a_hole_that_is_already_broken_elsewhere_still_gets_its_answer() -> None:
    """The file has an error outside the hole; it is the user's and does not count."""
    broken = FILE.replace(b"listdir(folder))", b"listdir(folder) +)")
    span = lines_span(broken, "8")
    (result,) = results(infill(Source.of(broken, "f.py"), [span], Oracle([b"return result + 1"]), PYTHON, Plan()))
    assert result.verdict == "verified"
    assert len(result.faults_before) == len(result.faults_after) >= 1


def test_holes_far_apart_take_turns_and_one_check() -> None:
    lines = [f"value_{i} = {i}" for i in range(400)]
    text = ("\n".join(lines) + "\n").encode()
    spans = [lines_span(text, "3"), lines_span(text, "390")]
    model = Oracle([b"first = 1", b"last = 2"], window=200)
    (result,) = results(infill(Source.of(text, "f.py"), spans, model, PYTHON, Plan()))
    lines[2], lines[389] = "first = 1", "last = 2"
    assert result.view == ("\n".join(lines) + "\n").encode()


def test_a_hole_too_long_for_the_window_names_both_numbers() -> None:
    with pytest.raises(InputError, match=r"needs 500 slots.*224"):
        list(infill(Source.of(FILE, "f.py"), [hole(b"", "8")], random_model(window=256), PYTHON, Plan(), slots=500))


def test_the_time_budget_ends_the_work() -> None:
    late = time.monotonic() - 1
    with pytest.raises(OutOfTime):
        list(infill(Source.of(FILE, "f.py"), [hole(b"", "5-8")], random_model(), PYTHON, Plan(), deadline=late))


def test_when_time_is_up_the_candidates_so_far_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Oracle([b"    return 1"])
    monkeypatch.setattr("dcode.jobs.fill.time.monotonic", lambda: float(model.calls))
    plan = Plan(commit="fixed", per_step=8)
    stream = infill(Source.of(FILE, "f.py"), [hole(b"", "8")], model, PYTHON, plan, count=3, slots=24, deadline=3.5)
    (result,) = results(stream)
    assert (result.verdict, model.calls) == ("verified", 4)


@pytest.mark.parametrize("name", ["javascript", "go", "json", "bash"])
def test_other_languages_take_the_same_road(name: str) -> None:
    text = {
        "javascript": b"function f(a) {\n  return a;\n}\n",
        "go": b"package a\n\nfunc f(a int) int {\n\treturn a\n}\n",
        "json": b'{\n  "a": 1,\n  "b": 2\n}\n',
        "bash": b'f() {\n  echo "$1"\n}\n',
    }[name]
    span = lines_span(text, "2" if name != "go" else "4")
    answer = text[span.start : span.end]
    (result,) = results(infill(Source.of(text, "x"), [span], Oracle([answer]), grammar(name), Plan()))
    assert (result.view, result.verdict) == (text, "verified")


def test_a_fill_over_a_blank_line_begins_with_its_lead() -> None:
    text = b"def f(a):\n\n    return a\n"
    span = lines_span(text, "2")
    stream = infill(Source.of(text, "f.py"), [span], Oracle([b"a += 1"]), PYTHON, Plan(), leads=[lead(text, span)])
    (result,) = results(stream)
    assert result.view == b"def f(a):\n    a += 1\n    return a\n"
    assert result.regions[0].span == span and result.regions[0].new == b"    a += 1"


def test_candidates_are_distinct_and_best_first() -> None:
    span = [hole(b"", "8")]
    made = results(infill(Source.of(FILE, "f.py"), span, random_model(), PYTHON, Plan(), count=4, slots=4))
    assert 1 <= len(made) <= 4
    assert len({one.view for one in made}) == len(made)


def test_a_hint_stands_above_the_hole_indented_alike_and_not_in_the_file() -> None:
    assert with_note(b"a\n    x = ", "# say\n# why\n") == b"a\n    # say\n    # why\n    x = "
    assert with_note(b"a\n", "") == b"a\n"


def test_generate_writes_a_program() -> None:
    code = b"def half(x):\n    return x / 2"
    stream = list(generate("halve a number", Oracle([code]), PYTHON, Plan()))
    (result,) = results(stream)
    assert result.view == code + b"\n" and result.verdict == "verified"
    assert sum(isinstance(one, Frame) for one in stream) == result.forwards


def test_a_program_that_cannot_be_mended_has_no_fallback() -> None:
    class Stubborn(Oracle):
        def predict(self, ids_BL, want_BL, **_):  # type: ignore[no-untyped-def, override]
            logits = super().predict(ids_BL, want_BL)
            logits[:, self.tokenizer.encode(b")")[0]] = 50.0
            return logits

    (result,) = results(generate("halve a number", Stubborn([b"x"]), PYTHON, Plan(rounds=1), slots=90))
    assert result.verdict == "failed" and result.faults_after


def test_a_program_that_failed_is_tried_again() -> None:
    """The first answer is a bracket that no remasking changes; the second candidate is asked anew and passes."""

    class Late(Oracle):
        def predict(self, ids_BL, want_BL, **_):  # type: ignore[no-untyped-def, override]
            logits = super().predict(ids_BL, want_BL)
            if self.calls <= 60:
                logits[:, self.tokenizer.encode(b")")[0]] = 50.0
            return logits

    model = Late([b"x = 1"])
    (result,) = results(generate("set x", model, PYTHON, Plan(commit="fixed"), slots=40))
    assert result.verdict == "verified" and result.view == b"x = 1\n"
    assert result.forwards == model.calls > 60


def test_comments_alone_are_no_program() -> None:
    (result,) = results(generate("halve a number", Oracle([b"# half"] * 3), PYTHON, Plan()))
    assert result.verdict == "failed"


def test_a_prompt_must_leave_room() -> None:
    for prompt, slots in (("  ", 16), ("x " * 400, 128)):
        with pytest.raises(InputError):
            list(generate(prompt, random_model(), PYTHON, Plan(), slots=slots))
