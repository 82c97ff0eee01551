"""`dcode eval bodies` and `eval edits`: real files of public packages, changed from a shell that starts cold."""

import json as jsons
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import platformdirs
from typer import Option

from dcode.cli.options import General, Sampling
from dcode.cli.progress import progress
from dcode.cli.streams import emit, say, say_table
from dcode.cli.versions import own_version
from dcode.cli.work import request
from dcode.errors import InputError, UsageError
from dcode.model.checkpoint import find

Rows = Annotated[int | None, Option("--rows", metavar="N", min=1, help="So many of each group, drawn by --seed (all).")]
Languages = Annotated[list[str] | None, Option("-l", "--lang", metavar="LANG", help="Of this language; repeatable.")]
Draw = Annotated[bool, Option("--draw", help="Print the list of places, drawn anew from the packages.")]
Cache = Annotated[Path | None, Option("--cache", metavar="FOLDER", help="Where the packages are kept (your cache).")]
Keep = Annotated[Path | None, Option("--keep", metavar="FILE", help="Keep every answer here; resumes from it.")]
Figures = Annotated[bool, Option("--json", help="Print the figures as JSON.")]


def bodies(
    sampling: Sampling,
    general: General,
    rows: Rows = None,
    lang: Languages = None,
    cache: Cache = None,
    keep: Keep = None,
    draw: Draw = False,
    json: Figures = False,
) -> None:
    """Empty functions of real files and fill them in from a shell.

    Sixty whole bodies and sixty ranges as they fall of ten Python packages, twenty bodies of each other language; the
    packages are fetched by pip, npm and apt-get. Counted are answers that parse, that use no undefined name, that were
    given, refused and written by -w, and files whose other bytes are the same. Each starts cold.
    """
    from dcode.evaluate import files, sources

    asked = request(general, sampling, json=json)
    fetch = partial(sources.fetched, cache=cache or source_cache())
    if draw:
        emit("".join(f"{place.row()}\n" for place in sources.draw(fetch)).encode())
        return
    places = [place for place in sources.read_places() if place.group in ("body", "range")]
    known = {place.language for place in places}
    for name in lang or ():
        if name not in known:
            raise UsageError(f"no place is in {name!r}", hint=f"one of {', '.join(sorted(known))}")
    places = _had([place for place in places if not lang or place.language in lang], fetch, asked.note)
    keys = dict.fromkeys((place.language, place.group) for place in places)
    groups = [[place for place in places if (place.language, place.group) == key] for key in keys]
    drawn = [place for group in groups for place in _some(group, rows, asked.settings.seed)]
    options = _options(sampling, general, asked.settings.model)
    with progress(quiet=asked.quiet) as show:
        found = files.each(
            drawn,
            lambda place: files.fill(place, files.cold, fetch, options),
            files.Filled,
            " ".join(options),
            keep,
            _counter(show, len(drawn), files.ACCEPTED),
        )
    _tell("bodies", asked, options, files.fill_figures(found), files.table)


def edits(
    sampling: Sampling,
    general: General,
    cache: Cache = None,
    keep: Keep = None,
    json: Figures = False,
) -> None:
    """Ask for twelve everyday changes in real files and try the results.

    Each has a test of its own. Also counted are answers that destroy: a function is lost or emptied, or another one is
    changed. Each starts cold.
    """
    from dcode.evaluate import files, sources

    asked = request(general, sampling, json=json)
    fetch = partial(sources.fetched, cache=cache or source_cache())
    options, wanted = _options(sampling, general, asked.settings.model), files.read_changes()
    with progress(quiet=asked.quiet) as show:
        found = files.each(
            wanted,
            lambda one: files.change(one, files.cold, fetch, options),
            files.Changed,
            " ".join(options),
            keep,
            _counter(show, len(wanted), files.ACCEPTED),
        )
    if not json:
        for row in found:
            word = row.outcome if row.outcome != files.ACCEPTED else "right" if row.right else row.destroyed or "wrong"
            asked.note(f"{word}: {row.task_id}")
    _tell("edits", asked, options, {"edits": files.change_figures(found)}, files.table)


def _some(group: Sequence[Any], rows: int | None, seed: int) -> Sequence[Any]:
    chosen = random.Random(seed).sample(range(len(group)), min(rows or len(group), len(group)))
    return [group[index] for index in sorted(chosen)]


def _had(places: Sequence[Any], fetch: Callable[[str], Path], note: Callable[[str], None]) -> list[Any]:
    """The places whose packages can be had; the others are told, and it is an error if there is none."""
    lacking: dict[str, InputError] = {}
    for package in dict.fromkeys(place.package for place in places):
        try:
            fetch(package)
        except InputError as error:
            lacking[package] = error
            note(f"left out: {error.what}")
    if lacking and len(lacking) == len({place.package for place in places}):
        raise next(iter(lacking.values()))
    return [place for place in places if place.package not in lacking]


def _options(sampling: Sampling, general: General, model: str) -> list[str]:
    """The options of this command line as those of the commands that are run."""
    find(model)  # a wrong name is told at once
    given = {f.name: getattr(sampling, f.name) for f in fields(sampling)} | {"config": general.config, "model": model}
    words = []
    for name, value in given.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        elif value is not None:
            words += [f"--{flag}", str(value)]
    return words


def _counter(show: Callable[[str], None], total: int, word: str) -> Callable[[Any], None]:
    found: list[bool] = []

    def count(row: Any) -> None:
        found.append(row.outcome == word)
        show(f"{len(found)}/{total}, {sum(found)} {word}")

    return count


def _tell(what: str, asked: Any, options: Sequence[str], figures: Mapping[str, Any], table: Any) -> None:
    if asked.json:
        head = {"tasks": what, "version": own_version(), "options": options, "seed": asked.settings.seed}
        say(jsons.dumps({**head, "figures": figures}, indent=2))
    else:
        say_table(table(figures))


def source_cache() -> Path:
    """Where packages are kept unless --cache says so."""
    return platformdirs.user_cache_path("dcode", appauthor=False) / "sources"
