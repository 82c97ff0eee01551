"""`dcode eval fix`: damage one token in each of many files, repair them, and count."""

import json as jsons
import random
import sysconfig
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from typer import Option

from dcode.cli.options import General, Repairing
from dcode.cli.progress import progress
from dcode.cli.streams import say, say_table
from dcode.cli.versions import own_version
from dcode.cli.work import get_ready, request
from dcode.errors import InputError
from dcode.repo import walk
from dcode.syntax.check import file_faults
from dcode.syntax.grammar import Grammar, grammar
from dcode.syntax.lexer import lexemes
from dcode.text.result import Result
from dcode.text.source import Source
from dcode.text.span import Span

LANGUAGE = "python"

Rows = Annotated[int, Option("--rows", metavar="N", min=1, help="How many files to damage.")]
Files = Annotated[
    Path | None, Option("--files", metavar="FOLDER", help="Whose files (this Python's library and packages).")
]
Figures = Annotated[bool, Option("--json", help="Print the figures as JSON.")]


def fix(sampling: Repairing, general: General, rows: Rows = 200, files: Files = None, json: Figures = False) -> None:
    """Damage one token in each of many files and repair them.

    A token is replaced by another of the file or of the language, left out or written twice, so that the file does
    not parse any more. Counted are files that parse again, those with their very bytes, and tokens that changed.
    --seed draws files and damage.
    """
    from dcode.evaluate.fix import INTACT, Language, Report, measure, table
    from dcode.jobs.fix import fix as repair

    asked = request(general, sampling, json=json)
    known = grammar(LANGUAGE)
    ready = get_ready(asked.settings)

    def repaired(view: bytes) -> Result:
        stream = repair(Source.of(view, "damaged"), ready.model, known, ready.plan)
        return next(item for item in stream if isinstance(item, Result))

    language = Language(
        lexemes=lambda view: lexemes(known, view, Span(0, len(view))),
        common=known.lexemes,
        is_broken=lambda view: bool(file_faults(known, view)),
    )
    folders = [files] if files else [Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib")]
    found: list[Any] = []
    with progress(quiet=asked.quiet) as show:
        for row in measure(_texts(folders, known, asked.settings.seed), rows, language, repaired, asked.settings.seed):
            found.append(row)
            hurt = [row for row in found if row.kind != INTACT]
            exact, parses = (sum(getattr(row, name) for row in hurt) for name in ("exact", "parses"))
            show(f"{len(hurt)}/{rows} files, {parses} parse again, {exact} exactly as before")
    report = Report(tuple(found))
    if json:
        model = {"id": ready.model.checkpoint.name, "sha256": ready.model.digest}
        head = {"version": own_version(), "model": model, "seed": asked.settings.seed}
        say(jsons.dumps({**head, "report": report.to_json()}, indent=2))
    else:
        say_table(table(report))


def _texts(folders: Sequence[Path], known: Grammar, seed: int) -> Iterator[tuple[str, bytes]]:
    """Name and view of the folders' files, drawn in turn from each folder."""
    draw = random.Random(seed)
    piles = [walk.files(folder, partial(Grammar.knows, known)) for folder in folders]
    for pile in piles:
        draw.shuffle(pile)
    while any(piles):
        for pile in piles:
            if pile:
                path = pile.pop()
                try:
                    yield str(path), Source.read(path, known.cookie).view
                except InputError:
                    continue
