"""Changes of what a function is called, takes, gives and says of itself: small functions, each from a Scene.

None means that a change does not apply. Nothing is run.
"""

import ast
import re
from string import Template

from dcode.lessons.expand import draw
from dcode.lessons.family import Slot, names_in
from dcode.lessons.pattern import pattern
from dcode.lessons.scene import Change, Scene, fresh_name, plain_arguments
from dcode.lessons.splice import Splice, end_of, line_of, reads, segment, spliced


def add_hints(scene: Scene) -> Change | None:
    """Types for every parameter, as its name tells, and for the result where the last return tells."""
    types = {name: kind for kind, names in scene.words["types"].items() for name in names.split()}
    arguments = plain_arguments(scene.function)
    if not arguments or any(argument.arg not in types for argument in arguments):
        return None
    pieces = [Splice(end_of(argument), end_of(argument), f": {types[argument.arg]}") for argument in arguments]
    result = _result_type(scene.function)
    if result:
        head = line_of(scene.code, scene.function.lineno)
        at = (scene.function.lineno, len(head.rstrip()) - 1)
        pieces.append(Splice(at, at, f" -> {result}"))
    spaced = re.sub(r"(: [\w\[\]]+)=", r"\1 = ", spliced(scene.code, pieces))
    return scene.forward(spaced)


def drop_hints(scene: Scene) -> Change | None:
    """The same, backwards."""
    hinted = add_hints(scene)
    return hinted and scene.backward(hinted.new)


def add_docstring(scene: Scene) -> Change | None:
    """A sentence that says what was asked for, if it was put as a command."""
    request = scene.lesson.request
    if pattern(request) != "command" or '"' in request or "\\" in request or "?" in request:
        return None
    lines = scene.code.split("\n")
    first = scene.function.body[0].lineno - 1
    sentence = request[:1].upper() + request[1:].rstrip(".")
    return scene.forward("\n".join([*lines[:first], f'    """{sentence}."""', *lines[first:]]))


def drop_docstring(scene: Scene) -> Change | None:
    """The same, backwards."""
    documented = add_docstring(scene)
    return documented and scene.backward(documented.new)


def add_parameter(scene: Scene) -> Change | None:
    """A constant that stands once in the body becomes a parameter with that default."""
    if not scene.function.args.args and not scene.function.args.defaults:
        return None
    inner = {id(part) for node in ast.walk(scene.function) if isinstance(node, ast.JoinedStr) for part in node.values}
    constants = [
        node
        for statement in scene.function.body
        for node in ast.walk(statement)
        if isinstance(node, ast.Constant) and id(node) not in inner and _is_choice(node.value)
    ]
    texts = [segment(scene.code, node) for node in constants]
    once = [(node, text) for node, text in zip(constants, texts, strict=True) if scene.code.count(text) == 1]
    head = line_of(scene.code, scene.function.lineno)
    if not once or not head.endswith("):") or scene.function.args.vararg or scene.function.args.kwarg:
        return None
    node, text = scene.rng.choice(once)
    name = fresh_name(scene, "parameter")
    at = (scene.function.lineno, len(head) - 2)
    pieces = [Splice(at, at, f", {name}={text}"), Splice((node.lineno, node.col_offset), end_of(node), name)]
    return scene.forward(spliced(scene.code, pieces), name=name, value=text)


def rename(scene: Scene) -> Change | None:
    """The function, a parameter or a variable gets another name."""
    arguments = {argument.arg for argument in scene.function.args.args}
    stored = {
        node.id
        for node in ast.walk(scene.function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and len(node.id) > 1
    }
    old = scene.rng.choice(sorted({scene.function.name, *arguments, *stored}))
    new = fresh_name(scene, "rename")
    word = re.compile(rf"(?<![\w.\"']){re.escape(old)}(?!\w)")
    changed = word.sub(new, scene.code)
    expected = ast.dump(_Renamed(old, new).visit(ast.parse(scene.code)))
    if not reads(changed) or ast.dump(ast.parse(changed)) != expected:
        return None
    # A test knows the function, and parameters where it names them; other words in it are its own.
    told = word if old == scene.function.name else re.compile(rf"(?<![\w.\"']){re.escape(old)}(?==[^=])")
    return Change(scene.code, changed, told.sub(new, scene.lesson.test), scene.lesson.setup, {"old": old, "new": new})


def value(scene: Scene) -> Change | None:
    """A number, word or name that was drawn is another one."""
    family, values = scene.lesson.family, scene.lesson.values
    texts = [*(slot.text for slot in family.slots.values()), *(o for s in family.slots.values() for o in s.options)]
    free = [
        name
        for name, slot in family.slots.items()
        if _is_value(slot) and name in names_in(family.code) and not any(_mentions(text, name) for text in texts)
    ]
    if not free:
        return None
    slot = scene.rng.choice(free)
    other = draw(family, scene.rng, family.asks).values[slot]
    if (
        str(other) in map(str, values.values())
        or len(re.findall(rf"\b{re.escape(str(values[slot]))}\b", scene.code)) != 1
    ):
        return None
    filled = {name: str(drawn) for name, drawn in {**values, slot: other}.items()}
    code, test, setup = (Template(text).substitute(filled) for text in (family.code, family.test, family.setup))
    return Change(scene.code, code, test, setup, {"old": str(values[slot]), "new": str(other)})


def refuse_none(scene: Scene) -> Change | None:
    """A first line that refuses None for a parameter."""
    arguments = plain_arguments(scene.function)
    if not arguments or re.search(r"\bNone\b", scene.code + scene.lesson.test):
        return None
    name = scene.rng.choice(arguments).arg
    first = scene.function.body[0].lineno - 1
    lines = scene.code.split("\n")
    guard = [f"    if {name} is None:", f'        raise ValueError("{name} is None")']
    return scene.forward("\n".join([*lines[:first], *guard, *lines[first:]]), name=name)


class _Renamed(ast.NodeTransformer):
    """The tree under another name; attributes and keywords of other calls keep theirs."""

    def __init__(self, old: str, new: str) -> None:
        self._old, self._new = old, new

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for name in ("id", "arg", "name"):
            if getattr(node, name, None) == self._old and not isinstance(node, ast.keyword | ast.alias):
                setattr(node, name, self._new)
        return super().generic_visit(node)


def _result_type(function: ast.FunctionDef) -> str:
    """What every return gives, if the form of the expressions tells."""
    returns = [node.value for node in ast.walk(function) if isinstance(node, ast.Return)]
    kinds = {_expression_type(value) for value in returns}
    return kinds.pop() if len(kinds) == 1 and function.body and isinstance(function.body[-1], ast.Return) else ""


def _expression_type(node: ast.expr | None) -> str:
    match node:
        case ast.Compare() | ast.UnaryOp(op=ast.Not()) | ast.Constant(value=True | False):
            return "bool"
        case ast.ListComp() | ast.List():
            return "list"
        case ast.DictComp() | ast.Dict():
            return "dict"
        case ast.SetComp() | ast.Set():
            return "set"
        case ast.JoinedStr() | ast.Constant(value=str()):
            return "str"
        case ast.Call(func=ast.Name(id="len")):
            return "int"
        case ast.Call(func=ast.Name(id="sorted" | "list")):
            return "list"
        case ast.Call(func=ast.Name(id="all" | "any" | "isinstance")):
            return "bool"
        case ast.Call(func=ast.Attribute(attr="join" | "upper" | "lower" | "strip" | "replace" | "title")):
            return "str"
    return ""


def _is_choice(constant: object) -> bool:
    """Whether a constant is one that somebody might want to choose: no flag, no 0 or 1, no mode of a file."""
    if isinstance(constant, bool):
        return False
    if isinstance(constant, int | float):
        return constant not in (0, 1, 2)
    return isinstance(constant, str) and len(constant) > 1 and constant.isprintable() and constant not in ("wb", "rb")


def _is_value(slot: Slot) -> bool:
    return slot.kind in ("int", "float", "word", "key", "person", "file")


def _mentions(text: str, name: str) -> bool:
    return bool(re.search(rf"\b{name}\b", text))
