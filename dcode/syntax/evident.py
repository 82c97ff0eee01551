"""Names that nothing in a program brings, put right without a model."""

from dcode.syntax.check import file_faults
from dcode.syntax.grammar import Grammar
from dcode.syntax.slips import reconciled, retyped
from dcode.syntax.unbound import import_place, library_imports, unbound


def brought(grammar: Grammar, view: bytes) -> bytes:
    """A model's program with what its unbound names must mean: imports above it, slips in place.

    A step that leaves as many names unbound, or brings a fault, is not taken.
    """
    for step in (_imported, retyped, reconciled):
        lacking = unbound(grammar, view)
        after = step(grammar, view) if lacking else view
        if len(unbound(grammar, after)) < len(lacking) and not file_faults(grammar, after):
            view = after
    return view


def _imported(grammar: Grammar, view: bytes) -> bytes:
    at, gap = import_place(grammar, view)
    lines = library_imports(grammar, view)
    return view[:at] + lines + gap[1:] + view[at:]
