"""What rules propose: each kind with a model that knows the answer, and every gate with one that answers badly."""

import pytest

from dcode.diffusion.plan import Plan
from dcode.errors import OutOfTime
from dcode.jobs.refactor import Refactoring, refactor
from dcode.syntax.check import file_faults
from dcode.syntax.gate import refusal
from dcode.syntax.grammar import grammar, languages
from dcode.syntax.opportunity import Opportunity, opportunities
from dcode.syntax.rules import rules
from dcode.text.edit import Edit, splice
from dcode.text.source import Source
from dcode.text.span import Span
from tests.oracle import Oracle, random_model

FILE = b"""import os


class Shape:
    def area(self, width, *rest, scale=1):
        # all of it
        return width * scale

    def _hidden(self):
        def inner():
            return 1
        return inner


# dcode: use a comprehension
@cache
def squares(n: int) -> list:
    \"\"\"Square numbers.\"\"\"
    return [n]


def first(n: int) -> int:
    \"\"\"The first.\"\"\"
    # dcode: return the first
    ...


def second(n: int) -> int:
    \"\"\"The second.\"\"\"
    ...  # dcode: return the second
"""
TYPED = b"""// all right
export function f(a: string): void {}
export function g(b, c = 1) { return b }
const h = (x) => x
class K { constructor(y) {} }
"""


def found(view: bytes, rule: str, language: str = "python", changed: Span | None = None) -> list[Opportunity]:
    """The opportunities of one rule."""
    spans = [changed or Span(0, len(view))]
    return [one for one in opportunities(grammar(language), view, spans) if one.rule.name == rule]


def about(view: bytes, rule: str, language: str = "python") -> list[bytes]:
    """What they are about, the first line of it."""
    texts = (view[one.about.start : one.about.end] for one in found(view, rule, language))
    return [text.split(b"\n")[0] for text in texts]


def done(view: bytes, rule: str, *answers: bytes, language: str = "python") -> tuple[bytes, Refactoring]:
    """The first opportunity carried out by a model that gives these answers: the new text, and what is said of it."""
    source = Source.of(view, "a")
    made = refactor(source, found(view, rule, language)[0], Oracle(answers), grammar(language), Plan())
    return splice(source, made.edits), made


def test_every_language_has_rules_that_can_be_read_and_queries_that_compile() -> None:
    for name in languages():
        known = grammar(name)
        opportunities(known, b"", [Span(0, 0)])
        assert not known.comment or {"fix", "fill", "edit"} <= {rule.name for rule in rules(known)}, name


def test_places_are_found() -> None:
    assert about(FILE, "docstring") == [b"def area(self, width, *rest, scale=1):"]
    functions = [b"def area(self, width, *rest, scale=1):", b"def _hidden(self):", b"def inner():"]
    assert about(FILE, "annotate") == functions
    assert about(FILE, "edit") == [b"# dcode: use a comprehension"]
    assert about(FILE, "fill") == [b"# dcode: return the first", b"...  # dcode: return the second"]
    assert about(FILE, "fix") == []
    assert about(TYPED, "annotate", "typescript") == [b"function g(b, c = 1) { return b }", b"constructor(y) {}"]
    assert about(TYPED, "docstring", "typescript") == [b"export function g(b, c = 1) { return b }"]


def test_only_what_a_changed_line_touches_is_looked_at() -> None:
    at = FILE.index(b"return inner")
    (one,) = found(FILE, "annotate", changed=Span(at, at + 12))
    assert FILE[one.about.start :].startswith(b"def _hidden")
    assert not found(FILE, "docstring", changed=Span(at, at + 12))
    assert not opportunities(grammar("python"), FILE, [Span(0, 9)])


def test_a_docstring_is_one_and_nothing_else() -> None:
    after, made = done(FILE, "docstring", b"Say how large it is.")
    assert made.refusal == "" and made.verdict == "verified; same syntax tree but for what is added"
    assert after == FILE.replace(
        b"        return width * scale", b'        """Say how large it is."""\n        return width * scale'
    )


def test_every_parameter_and_the_result_get_a_type() -> None:
    after, made = done(FILE, "annotate", b"int", b"float", b"int | None", b"list[int]")
    assert made.refusal == ""
    assert b"def area(self, width: int, *rest: float, scale: int | None=1) -> list[int]:" in after
    after, made = done(TYPED, "annotate", b"string | null", b"Array<number>", language="typescript")
    assert made.refusal == "" and b"function g(b: string | null, c = 1): Array<number> {" in after


def test_a_comment_in_a_language_with_braces() -> None:
    after, made = done(TYPED, "docstring", b"Give back what came.", language="typescript")
    assert made.refusal == "" and b"/** Give back what came. */\nexport function g(" in after


def test_markers_go_and_code_takes_their_place() -> None:
    after, made = done(FILE, "fill", b"return n")
    assert made.refusal == "" and made.verdict == "verified; same syntax around it"
    assert after == FILE.replace(b"# dcode: return the first\n    ...", b"return n")
    new = b"@cache\ndef squares(n: int) -> list:\n    return [i * i for i in range(n)]"
    after, made = done(FILE, "edit", new)
    assert made.refusal == "" and after.count(b"dcode:") == 2 and new in after


def test_a_marker_alone_in_a_function_is_filled_although_the_file_does_not_parse() -> None:
    view = b"def f(x):\n    # dcode: double it\n"
    after, made = done(view, "fill", b"return 2 * x")
    assert made.refusal == "" and after == b"def f(x):\n    return 2 * x\n"


def test_a_marker_does_not_hide_that_the_file_is_broken_elsewhere() -> None:
    view = b"def a(x)\n    return x\n\n\ndef b():\n    # dcode: return one\n    ...\n"
    assert len(found(view, "fill")) == len(found(view, "fix")) == 1
    assert len(found(view, "fill", changed=Span(40, 60))) == 1 and not found(view, "fix", changed=Span(40, 60))


def test_what_does_not_parse_is_only_to_be_fixed() -> None:
    (one,) = opportunities(grammar("python"), b"def f(x)\n    return 1\n", [Span(0, 8)])
    assert one.rule.kind == "fix"


@pytest.mark.parametrize(
    ("rule", "answers", "said"),
    [
        ("docstring", [b'Say it."""; import os; """Say that.'], "it adds expression_statement ; import_statement"),
        ("docstring", [b'Say it.""" + os.name + """Say that.'], "it adds a binary_operator"),
        ("docstring", [b"x"], "the model wrote 'x'"),
        ("docstring", [b" "], "the model wrote"),
        ("annotate", [b"int", b"int", b"int", b"print()"], "it adds a call"),
        ("annotate", [b"int", b"int", b"int", b"Shape"], "it adds the identifier 'Shape'"),
        ("annotate", [b"int, b: int", b"int", b"int", b"int"], "not : type"),
        ("fill", [b"# dcode: later\n    pass"], "the rule is not content with it"),
        ("fill", [b""], "the model wrote nothing"),
        ("fill", [b"# nothing"], "it holds no code"),
        ("edit", [b"print(1)"], "it takes the definition away"),
        (
            "edit",
            [b"def squares(n: int) -> list:\n    return lacking(n)"],
            "the model uses lacking, which nothing brings",
        ),
    ],
)
def test_gates(rule: str, answers: list[bytes], said: str) -> None:
    _, made = done(FILE, rule, *answers)
    assert said in made.refusal


def test_what_the_model_does_not_trust_is_not_proposed() -> None:
    source = Source.of(FILE, "a")
    (one, *_) = found(FILE, "fill")
    made = refactor(source, one, Oracle([b"return n"], sure=0.4), grammar("python"), Plan())
    assert made.refusal == "the model is unsure"


@pytest.mark.parametrize(
    ("fill", "said"),
    [
        (b"key = 'AKIAIOSFODNN7QWERTYU'", "secret"),
        (b"print(1)\n" * 50, "more than twice as long"),
        (b'y = """b', "it brings a fault"),
        (b"y = '\xe2\x80\xae'", "it brings a fault"),
        (b"y = '\xff'", "not valid UTF-8"),
        (b"# dcode: set y", "it changes nothing"),
        (b"z = 2", ""),
    ],
)
def test_gates_for_any_text(fill: bytes, said: str) -> None:
    view = b'x = 1\n# dcode: set y\ny = """a"""\n'
    (one,) = found(view, "fill")
    source = Source.of(view, "a.py")
    assert said in (told := refusal(grammar("python"), source, one, [Edit(one.gaps[0].span, fill)]))
    assert bool(said) == bool(told)


def test_a_fill_that_swallows_what_follows_is_refused_although_it_parses() -> None:
    view = b"// dcode: begin\nstep(); /* done */\n"
    (one,) = found(view, "fill", "javascript")
    edit = Edit(one.gaps[0].span, b"begin(); /*")
    said = refusal(grammar("javascript"), Source.of(view, "a.js"), one, [edit])
    assert said == "it changes the syntax of the lines around it"


def test_the_bytes_of_the_file_are_kept() -> None:
    view = "\ufeffdef größe(a: int) -> int:\r\n    return a\r\n".encode()
    source = Source.of(view, "a.py", grammar("python").cookie)
    (one,) = found(source.view, "docstring")
    made = refactor(source, one, Oracle([b"Say how large."]), grammar("python"), Plan())
    assert made.refusal == ""
    assert splice(source, made.edits) == view.replace(b"    return", b'    """Say how large."""\r\n    return')


def test_what_does_not_parse_is_mended_where_it_was_changed() -> None:
    view = b"def f(x:\n    return x\n\n\ny = f(1)\n" + b"z = 1\n" * 20
    (one,) = found(view, "fix", changed=Span(0, 9))
    made = refactor(Source.of(view, "a.py"), one, random_model(), grammar("python"), Plan())
    assert made.refusal == "" and made.verdict.endswith("; no tree to compare, for it did not parse before")
    assert not file_faults(grammar("python"), splice(Source.of(view, "a.py"), made.edits))
    assert refusal(grammar("python"), Source.of(view, "a.py"), one, [Edit(Span(100, 105), b"z = 2")]) != ""


@pytest.mark.parametrize(("rule", "view"), [("fix", b"def f(x:\n    return x\n"), ("fill", b"# dcode: set y\ny = 1\n")])
def test_a_lack_of_time_is_not_called_a_wrong_answer(rule: str, view: bytes) -> None:
    (one,) = found(view, rule)
    with pytest.raises(OutOfTime):
        refactor(Source.of(view, "a.py"), one, Oracle([b"x = ("]), grammar("python"), Plan(), deadline=0.0)
