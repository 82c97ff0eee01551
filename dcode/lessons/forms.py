"""Changes of how a function's body is written: small functions, each from a Scene.

None means that a change does not apply. Nothing is run.
"""

import ast
import re

from dcode.lessons.scene import Change, Scene
from dcode.lessons.splice import Splice, end_of, replaced, segment, spliced


def to_comprehension(scene: Scene) -> Change | None:
    """Backwards from a program that returns a list comprehension."""
    looped = to_loop(scene)
    return looped and scene.backward(looped.new)


def to_loop(scene: Scene) -> Change | None:
    """`return [E for T in I if C]` written out with append."""
    last = scene.function.body[-1]
    if not isinstance(last, ast.Return) or not isinstance(last.value, ast.ListComp) or len(last.value.generators) != 1:
        return None
    made, loop = last.value, last.value.generators[0]
    name = next((name for name in ("result", "found", "kept") if not re.search(rf"\b{name}\b", scene.code)), None)
    if loop.is_async or name is None:
        return None
    element, target, over = (segment(scene.code, node) for node in (made.elt, loop.target, loop.iter))
    tests = [segment(scene.code, test) for test in loop.ifs]
    lines = [f"{name} = []", f"for {target} in {over}:"]
    lines += [f"{'    ' * (depth + 1)}if {test}:" for depth, test in enumerate(tests)]
    lines += [f"{'    ' * (len(tests) + 1)}{name}.append({element})", f"return {name}"]
    return scene.forward(replaced(scene.code, last, lines))


def to_return(scene: Scene) -> Change | None:
    """Backwards: the program returns, the text before prints."""
    printed = to_print(scene)
    return printed and scene.backward(printed.new)


PRINTS = """
import contextlib, copy, io
def same_printed(printing, returning):
    def call(*args, **kwargs):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            assert printing(*copy.deepcopy(args), **kwargs) is None
        value = returning(*args, **kwargs)
        assert printed.getvalue() == f"{{value}}\\n"
        return value
    return call
printing = {name}
{code}
{name} = same_printed(printing, {name})
{test}"""
"""The family's test for a program that prints: it must print what the one before returns."""


def to_print(scene: Scene) -> Change | None:
    """The last and only return prints instead."""
    last = scene.function.body[-1]
    every = [node for node in ast.walk(scene.function) if isinstance(node, ast.Return | ast.Yield | ast.FunctionDef)]
    # What a program makes of modules may print differently each time, or be no text at all.
    if not isinstance(last, ast.Return) or len(every) != 2 or "import" in scene.code:
        return None
    # A pair would be printed as two.
    if last.value is None or isinstance(last.value, ast.Tuple):
        return None
    new = replaced(scene.code, last, [f"print({segment(scene.code, last.value)})"])
    test = PRINTS.format(name=scene.function.name, code=scene.code, test=scene.lesson.test)
    return Change(scene.code, new, test, scene.lesson.setup)


def handle_error(scene: Scene) -> Change | None:
    """The body in a try whose except returns None, if the program neither raises nor handles anything."""
    wanted = [one for one in scene.words["errors"] if re.search(one["pattern"], scene.code)]
    spoken = ("try:", "raise", "yield", *(one["error"] for one in wanted))
    if not wanted or any(word in scene.code or word in scene.lesson.test for word in spoken):
        return None
    chosen = scene.rng.choice(wanted)
    first, last = scene.function.body[0].lineno - 1, scene.function.end_lineno or 0
    lines = scene.code.split("\n")
    body = [f"    {line}" if line else line for line in lines[first:last]]
    new = [*lines[:first], "    try:", *body, f"    except {chosen['error']}:", "        return None", *lines[last:]]
    return scene.forward("\n".join(new), error=chosen["error"], case=scene.rng.choice(chosen["case"]))


def early_return(scene: Scene) -> Change | None:
    """Backwards: the text before has an else after a return."""
    body = scene.function.body
    if len(body) < 2 or not isinstance(body[-2], ast.If) or not isinstance(body[-1], ast.Return):
        return None
    if body[-2].orelse or not isinstance(body[-2].body[-1], ast.Return):
        return None
    text = "\n".join(scene.code.split("\n")[body[-1].lineno - 1 : body[-1].end_lineno]).strip()
    return scene.backward(replaced(scene.code, body[-1], ["else:", *(f"    {line}" for line in text.split("\n"))]))


def to_fstring(scene: Scene) -> Change | None:
    """Backwards: the text before has `"…".format(…)`."""
    found = [node for node in ast.walk(scene.function) if isinstance(node, ast.JoinedStr)]
    plain = [(node, text) for node in found for text in [_formatted(node)] if text]
    if not plain:
        return None
    node, text = scene.rng.choice(plain)
    if not segment(scene.code, node).startswith('f"'):
        return None
    return scene.backward(spliced(scene.code, [Splice((node.lineno, node.col_offset), end_of(node), text)]))


def _formatted(node: ast.JoinedStr) -> str:
    """The same text by str.format; "" where that is not simple."""
    text = ""
    arguments: list[str] = []
    for part in node.values:
        match part:
            case ast.Constant(value=str(literal)):
                text += literal.replace("{", "{{").replace("}", "}}")
            case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
                text, arguments = text + "{}", [*arguments, ast.unparse(value)]
            case ast.FormattedValue(
                value=value, conversion=-1, format_spec=ast.JoinedStr(values=[ast.Constant(value=str(form))])
            ):
                text, arguments = text + f"{{:{form}}}", [*arguments, ast.unparse(value)]
            case _:
                return ""
    quoted = any("'" in argument for argument in arguments)
    if not arguments or not text.isprintable() or '"' in text or "\\" in text or quoted:
        return ""
    return f'"{text}".format({", ".join(arguments)})'
