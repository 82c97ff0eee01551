"""New text where a syntax tree points; what is not changed keeps its form. It knows no lesson."""

import ast
from dataclasses import dataclass

Place = tuple[int, int]
"""A line, from 1, and a column in bytes, as the syntax tree counts."""


@dataclass(frozen=True, slots=True)
class Splice:
    """`text` in place of what stands between two places."""

    start: Place
    end: Place
    text: str


def spliced(code: str, pieces: list[Splice]) -> str:
    """The program with all pieces put in; they do not overlap."""
    for piece in sorted(pieces, key=lambda piece: piece.start, reverse=True):
        start, end = _offset(code, piece.start), _offset(code, piece.end)
        code = code[:start] + piece.text + code[end:]
    return code


def replaced(code: str, statement: ast.stmt, new: list[str]) -> str:
    """The program with a statement's lines replaced, at its indentation."""
    lines = code.split("\n")
    indent = " " * statement.col_offset
    made = [f"{indent}{line}" for line in new]
    return "\n".join([*lines[: statement.lineno - 1], *made, *lines[statement.end_lineno or 0 :]])


def segment(code: str, node: ast.AST) -> str:
    """The text of a node."""
    return ast.get_source_segment(code, node) or ast.unparse(node)


def end_of(node: ast.expr | ast.arg) -> Place:
    """Where a node ends."""
    return node.end_lineno or 0, node.end_col_offset or 0


def line_of(code: str, number: int) -> str:
    """The line of this number, from 1."""
    return code.split("\n")[number - 1]


def reads(code: str) -> bool:
    """Whether this is Python."""
    try:
        ast.parse(code)
    except SyntaxError:
        return False
    return True


def _offset(code: str, place: Place) -> int:
    lines = code.split("\n")
    before = sum(len(line) + 1 for line in lines[: place[0] - 1])
    return before + len(lines[place[0] - 1].encode()[: place[1]].decode())
