"""typer's commands and groups, made quick: nothing heavy is imported before a command runs.

It knows typer and no command of dcode. From 0.29 on typer hands every value that is not a plain flag to pydantic,
whose import takes longer than all the rest of a start.
"""

from typing import Any

from typer.core import TyperCommand, TyperGroup


class Command(TyperCommand):
    """A command whose help option is a plain flag."""

    def get_help_option(self, ctx: Any) -> Any:
        """typer's own, which would be None when not given."""
        return plain(super().get_help_option(ctx))


class Group(TyperGroup):
    """A group whose help option is a plain flag."""

    def get_help_option(self, ctx: Any) -> Any:
        """typer's own, which would be None when not given."""
        return plain(super().get_help_option(ctx))


def plain(option: Any) -> Any:
    """The option, False when not given."""
    if option is not None:
        option.default = False
    return option
