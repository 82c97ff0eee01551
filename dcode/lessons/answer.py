"""An answer to a lesson under the names that the lesson's test calls.

A request seldom says what its function shall be called, so a test must not hinge on it. It knows names only and runs
nothing.
"""

import ast

_DEFINITION = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def answered(answer: str, reference: str, setup: str, test: str) -> str:
    """The program to execute: set-up, the answer, its definitions renamed as the reference names its own, the test.

    Names that the answer lacks are bound to its definitions in order, from the last one back: helpers stand first.
    """
    names, wanted = _defined(answer), _defined(reference)
    lacking = [name for name in wanted if name not in names]
    spare = [name for name in names if name not in wanted]
    pairs = list(zip(reversed(lacking), reversed(spare), strict=False))
    aliases = "".join(f"{want} = {have}\n" for want, have in pairs)
    return "\n".join(part for part in (setup, answer, aliases, test) if part)


def _defined(code: str) -> list[str]:
    """The functions and classes at the top of a program; none of one that does not parse."""
    try:
        body = ast.parse(code).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [node.name for node in body if isinstance(node, _DEFINITION)]
