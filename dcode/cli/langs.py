"""`dcode langs`: the languages dcode knows, without loading a parser."""

from dcode.cli.options import Verbose, command
from dcode.cli.streams import say_table
from dcode.syntax.grammar import Grammar, grammar, languages


def langs(verbose: Verbose = False) -> None:
    """List the languages and how they are checked."""
    say_table([_row(grammar(name)) for name in languages()])


def _row(known: Grammar) -> tuple[str, ...]:
    checks = "tree-sitter" + (f", {known.strict}" if known.strict else "")
    return known.name, checks, " ".join((*known.suffixes, *known.names))


app = command(langs)
