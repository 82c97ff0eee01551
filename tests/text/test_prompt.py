"""What the model reads above a hole: requests and edits as comment lines, and nothing that is not one."""

from hypothesis import given
from hypothesis import strategies as st

from dcode.text.prompt import edit_prompt, request_header


def test_a_request_of_several_lines_is_one_comment_line_each() -> None:
    assert request_header("  sort a list \n\n in place\n", "#") == "# sort a list\n# in place\n"


def test_an_edit_shows_the_old_code_dedented_below_the_instruction() -> None:
    old = "    if x:\n        return 1\n"
    assert edit_prompt("add an else", old, "//") == "// edit: add an else\n//- if x:\n//-     return 1\n"
    assert edit_prompt("add an else", "", "#") == "# edit: add an else\n"


@given(st.text(), st.text(st.characters(exclude_categories=["Cc", "Cs"], include_characters="\n")))
def test_every_line_of_an_edit_is_a_comment(instruction: str, old: str) -> None:
    lines = edit_prompt(instruction, old, "#").split("\n")
    assert lines.pop() == ""
    assert all(line.startswith("#") for line in lines)
