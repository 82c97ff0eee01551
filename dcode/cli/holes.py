"""The holes that a person names in a file: by lines, places, nodes and markers, each with what shall stand there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dcode.errors import InputError, UsageError
from dcode.syntax.grammar import Grammar
from dcode.text.ranges import at_span, check_disjoint, lead, lines_span, marker_spans
from dcode.text.source import Source
from dcode.text.span import Span


@dataclass(frozen=True, slots=True)
class Hole:
    """A place to fill, what the person called it, what shall stand there ("" if they did not say), its indent."""

    span: Span
    name: str
    hint: str = ""
    lead: bytes = b""

    def to_json(self) -> dict[str, str]:
        """Plain values: the place in the person's words, and the hint."""
        return {"place": self.name, "hint": self.hint}


@dataclass(frozen=True, slots=True)
class Named:
    """Holes as a person names them, and the hints that go with them: one, or one for each."""

    lines: Sequence[str]
    at: Sequence[str]
    node: Sequence[str]
    marker: bool
    hints: Sequence[str]
    whole_lines: bool

    @property
    def only_markers(self) -> bool:
        """Whether no place is named that only one file can have."""
        return self.marker and not (self.lines or self.at or self.node or self.whole_lines)

    def holes(self, source: Source, language: Grammar) -> list[Hole]:
        """Every hole in file order; UsageError if none was named, InputError if two share a byte."""
        from dcode.syntax.scope import node_body

        view = source.view
        found = [_lines(view, text, self.whole_lines) for text in self.lines]
        found += [Hole(at_span(view, text), f"--at {text}") for text in self.at]
        found += [Hole(node_body(language, view, name), f"--node {name}") for name in self.node]
        if self.marker:
            marked = marker_spans(view, language.comment)
            if not marked:
                sign = f" and no '{language.comment} dcode: hint' line" if language.comment else ""
                raise InputError(f"{source.name} has no <FILL>{sign}", hint="put one where code is missing")
            found += [Hole(span, "--marker", hint) for span, hint in marked]
        if not found:
            raise UsageError("which part is to be filled?", hint="--lines 10-30, --at 12:5, --node NAME or --marker")
        check_disjoint([hole.span for hole in found], [hole.name for hole in found])
        return self._hinted(sorted(found, key=lambda hole: hole.span))

    def _hinted(self, holes: Sequence[Hole]) -> list[Hole]:
        """Each hole with its hint: what its marker says, else the one given, else the one in its place."""
        if len(self.hints) not in (0, 1, len(holes)):
            what = f"{len(self.hints)} times --hint for {len(holes)} holes"
            raise UsageError(what, hint="give one, or one for each")
        given = [*self.hints] * (1 if len(self.hints) > 1 else len(holes)) if self.hints else [""] * len(holes)
        return [replace(hole, hint=hole.hint or hint) for hole, hint in zip(holes, given, strict=True)]


def _lines(view: bytes, text: str, whole: bool) -> Hole:
    """A range of lines; in a blank one the fill begins with the indent of what follows."""
    span = lines_span(view, text, whole)
    return Hole(span, f"--lines {text}", lead=b"" if whole else lead(view, span))
