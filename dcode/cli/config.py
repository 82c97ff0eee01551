"""`dcode config`: what is set and by whom, and where a person's own configuration belongs."""

import json
from dataclasses import asdict

from dcode.cli.options import Config, Verbose, group
from dcode.cli.streams import say, say_table
from dcode.settings import resolve, spelled, user_file


def show(config: Config = None, verbose: Verbose = False) -> None:
    """Show every setting, its value and the place that decided it."""
    held = resolve({}, config=config)
    values = asdict(held.settings)
    say_table([(spelled(key), _shown(value), held.origin[key]) for key, value in values.items()])


def path(verbose: Verbose = False) -> None:
    """Print where your own configuration is looked for."""
    say(str(user_file()))


def _shown(value: object) -> str:
    """The value as a configuration file would have it; "-" where the model decides."""
    if value is None:
        return "-"
    if isinstance(value, tuple):
        return json.dumps(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


app = group(show, path, help="Show what is set, and where.")
