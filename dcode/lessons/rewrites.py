"""Changes of a program, by the names that `parts/edits.toml` asks for them under.

They work on the text where the syntax tree points, so that what is not changed keeps its form. Half of them run
backwards: the lesson's own program is what should come out, and the text before is made from it. None of them runs
anything; `edits` says how they are asked for.
"""

import ast
from collections.abc import Mapping
from random import Random
from typing import Any

from dcode.lessons import forms, signatures
from dcode.lessons.expand import Lesson
from dcode.lessons.scene import Change, Rewrite, Scene
from dcode.lessons.splice import reads

REWRITES: Mapping[str, Rewrite] = {
    "add_hints": signatures.add_hints,
    "drop_hints": signatures.drop_hints,
    "add_docstring": signatures.add_docstring,
    "drop_docstring": signatures.drop_docstring,
    "add_parameter": signatures.add_parameter,
    "rename": signatures.rename,
    "value": signatures.value,
    "refuse_none": signatures.refuse_none,
    "to_comprehension": forms.to_comprehension,
    "to_loop": forms.to_loop,
    "to_return": forms.to_return,
    "to_print": forms.to_print,
    "handle_error": forms.handle_error,
    "early_return": forms.early_return,
    "to_fstring": forms.to_fstring,
}


def rewritten(name: str, lesson: Lesson, words: Mapping[str, Any], rng: Random) -> Change | None:
    """The change called `name` of a lesson's program, or None where it does not apply."""
    tree = ast.parse(lesson.code)
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    if len(found) != 1 or any(isinstance(node, ast.ClassDef) for node in tree.body):
        return None
    change = REWRITES[name](Scene(lesson, found[0], words, rng))
    if change is None or change.old == change.new or not all(map(reads, (change.old, change.new))):
        return None
    return change
