"""`dcode eval holes`: cut lines out of files, fill them in, and count the files that parse. Nothing is executed."""

import json as jsons
import random
import sysconfig
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from dcode.cli.evaluate_files import Cache, source_cache
from dcode.cli.options import General, Sampling
from dcode.cli.progress import progress
from dcode.cli.streams import say, say_table
from dcode.cli.versions import own_version
from dcode.cli.work import get_ready, request
from dcode.errors import InputError
from dcode.repo import walk
from dcode.syntax.grammar import Grammar, grammar
from dcode.text.source import Source

LANGUAGE = "python"

Place = Annotated[Path | None, Argument(metavar="[FOLDER]", help="Whose files (this Python's library).")]
Rows = Annotated[int, Option("--rows", metavar="N", min=1, help="How many files to cut.")]
Keep = Annotated[Path | None, Option("--keep", metavar="FILE", help="Keep every row here; resumes from it.")]
Dev = Annotated[bool, Option("--dev", help="The holes of public packages on which settings are chosen.")]
Figures = Annotated[bool, Option("--json", help="Print the figures as JSON.")]


def holes(
    sampling: Sampling,
    general: General,
    place: Place = None,
    rows: Rows = 300,
    keep: Keep = None,
    dev: Dev = False,
    cache: Cache = None,
    json: Figures = False,
) -> None:
    """Cut some lines out of each of many files and fill them in.

    Counted are files that parse afterwards: with the model's own text (verified), with one that was put together
    without it (fallback), and where nothing is promised (uncertified). --seed draws files and lines. With --dev the
    holes are a hundred of a list, sixty of one line and forty of more, counted apart.
    """
    from dcode.evaluate.holes import cut, figures, listed, measure, table
    from dcode.evaluate.infill import model_filler
    from dcode.evaluate.sources import fetched, read_places

    asked = request(general, sampling, json=json)
    known, settings = grammar(LANGUAGE), asked.settings
    ready = get_ready(settings)
    length: dict[str, Any] = {} if settings.slots is None else {"slots": settings.slots}
    fill = model_filler(ready.model, ready.plan, known, settings.feedback, **length)
    found: list[Any] = []
    if dev:
        tasks: Any = listed(read_places(), partial(fetched, cache=cache or source_cache()))
    else:
        tasks = cut(_texts(place or Path(sysconfig.get_path("stdlib")), known, settings.seed), rows, settings.seed)
    with progress(quiet=asked.quiet) as show:

        def count(row: Any) -> None:
            found.append(row)
            show(f"{len(found)}/{len(tasks) if dev else rows} files, {sum(one.parses for one in found)} parse")

        measure(tasks, fill, count, done=keep)
    if json:
        model = {"id": ready.model.checkpoint.name, "sha256": ready.model.digest}
        head = {"version": own_version(), "model": model, "seed": settings.seed, "feedback": settings.feedback}
        say(jsons.dumps({**head, "report": figures(found)}, indent=2))
    else:
        say_table(table(found))


def _texts(folder: Path, known: Grammar, seed: int) -> Iterator[tuple[str, str]]:
    """Name and text of the folder's files, in an order that the seed decides."""
    files = walk.files(folder, partial(Grammar.knows, known))
    random.Random(seed).shuffle(files)
    for path in files:
        try:
            yield str(path.relative_to(folder)), Source.read(path, known.cookie).view.decode()
        except (InputError, UnicodeDecodeError):
            continue
