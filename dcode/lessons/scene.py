"""What a change of a program starts from and what it gives. It knows no single change."""

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from dcode.lessons.expand import Lesson


@dataclass(frozen=True, slots=True)
class Change:
    """A program before and after, the values that a request may name, and the test that the one after must pass.

    `backward`: the one after is the lesson's own, the one before was made from it.
    """

    old: str
    new: str
    test: str
    setup: str
    values: Mapping[str, str] = field(default_factory=dict)
    backward: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """A lesson that is to be changed: its one function's tree, and the words of the data file."""

    lesson: Lesson
    function: ast.FunctionDef
    words: Mapping[str, Any]
    rng: Random

    @property
    def code(self) -> str:
        """The program."""
        return self.lesson.code

    def forward(self, new: str, **values: str) -> Change:
        """The program becomes `new`."""
        return Change(self.code, new, self.lesson.test, self.lesson.setup, values)

    def backward(self, old: str, **values: str) -> Change:
        """`old` becomes the program."""
        return Change(old, self.code, self.lesson.test, self.lesson.setup, values, backward=True)


Rewrite = Callable[[Scene], Change | None]


def plain_arguments(function: ast.FunctionDef) -> list[ast.arg]:
    """The parameters of a function that has only plain ones; else none."""
    arguments = function.args
    if arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.posonlyargs:
        return []
    return arguments.args


def fresh_name(scene: Scene, kind: str) -> str:
    """A name of the data file that stands nowhere in the lesson."""
    known = scene.code + scene.lesson.test + scene.lesson.setup
    pool: list[str] = scene.words["names"][kind].split()
    names = [name for name in pool if not re.search(rf"\b{name}\b", known)]
    return scene.rng.choice(names)
