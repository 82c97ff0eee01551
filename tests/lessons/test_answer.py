"""Answers under other names than the reference's are still judged by what they do."""

import pytest

from dcode.lessons.answer import answered

REFERENCE = "def double(x):\n    return 2 * x\n"
TEST = "assert double(4) == 8\n"


@pytest.mark.parametrize(
    "answer",
    [
        REFERENCE,
        "def twice(n):\n    return n + n\n",
        "def helper(n):\n    return n\n\n\ndef twice(n):\n    return helper(n) + n\n",
        "class Doubler:\n    pass\n\n\ndef double(n):\n    return n * 2\n",
    ],
)
def test_right_answers_pass(answer: str) -> None:
    exec(answered(answer, REFERENCE, "", TEST), {})


@pytest.mark.parametrize("answer", ["def twice(n):\n    return n\n", "", "double = None\n"])
def test_wrong_answers_fail(answer: str) -> None:
    with pytest.raises((AssertionError, NameError, TypeError)):
        exec(answered(answer, REFERENCE, "", TEST), {})


def test_an_answer_that_does_not_parse_is_left_as_it_is() -> None:
    assert "def (:" in answered("def (:", REFERENCE, "a = 1", TEST)
