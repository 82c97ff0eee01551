"""Real code to measure on: places in named versions of public packages, which are fetched when one measures.

The repository holds the list of places alone (`places.tsv`), none of the code. Packages come through the registries'
own clients (pip, npm, apt-get); nothing of a package is run or built.
"""

import random
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from pathlib import Path

from dcode.errors import InputError
from dcode.resources import data_path
from dcode.syntax.check import file_faults
from dcode.syntax.grammar import Grammar, grammar
from dcode.syntax.scope import Definition, definitions
from dcode.text.source import Source

SEED = 7

PACKAGES: dict[str, tuple[str, ...]] = {
    "python": (
        *("pypi:boltons@26.2.0", "pypi:click@8.5.1", "pypi:humanize@4.17.0", "pypi:jinja2@3.1.6"),
        *("pypi:networkx@3.6.1", "pypi:packaging@26.4", "pypi:requests@2.34.2", "pypi:tabulate@0.10.0"),
        *("pypi:tinydb@4.9.0", "pypi:werkzeug@3.1.9"),
    ),
    "javascript": ("npm:commander@14.0.3", "npm:express@4.22.3", "npm:semver@7.8.6", "npm:async@3.2.6"),
    "typescript": ("npm:immer@11.2.13", "npm:mobx@7.1.3", "npm:rxjs@7.8.2", "npm:zod@3.25.76"),
    "go": (
        "debian:golang-github-spf13-cobra-dev@1.6.1-1",
        "debian:golang-github-burntsushi-toml-dev@1.2.0-2",
    ),
    "rust": ("debian:librust-regex-dev@1.7.1-1", "debian:librust-textwrap-dev@0.16.0-2"),
    "java": ("npm:react-native-fs@2.20.0", "npm:react-native-webview@16.0.0"),
    "c": ("npm:tree-sitter@0.25.1", "npm:usb@2.18.0"),
    "bash": ("npm:bats@1.13.0", "debian:bash-completion@1:2.11-6"),
}
"""Whose functions are emptied, by language."""

OTHERS = (
    *("pypi:attrs@26.1.0", "pypi:bottle@0.13.4", "pypi:docutils@0.23", "pypi:idna@3.20", "pypi:markdown@3.11.3"),
    *("pypi:peewee@4.5.3", "pypi:pygments@2.21.0", "pypi:pyparsing@3.3.3", "pypi:toolz@1.2.0"),
    "pypi:tqdm@4.70.1",
)
"""Where the holes are cut on which settings are chosen: packages that no reported figure is from."""

FUNCTION_LINES, RANGE_LINES, BLOCK_LINES = range(5, 26), range(3, 22), range(2, 10)
BODY_LINES = 2  # one of less is a hole of a line
MOST_BYTES = 256_000

_LEFT_OUT = re.compile(r"(^|/)(tests?|docs?|examples?|node_modules|dist|__tests__)/|\.min\.|\.d\.ts$|_test\.")
_TYPE = re.compile(rb"\b(class|interface|enum|impl|trait|type|namespace|module|mod|record)\b[^(]*$")
FETCH_S = 300


@dataclass(frozen=True, slots=True)
class Place:
    """Lines `first` to `last` (from 1, both included) of a file of a package; `name`: the function whose body it is.

    `group` says what it is drawn for: "body", "range", "line" or "block".
    """

    group: str
    language: str
    package: str
    file: str
    name: str
    first: int
    last: int

    @property
    def task_id(self) -> str:
        """A text that names the place."""
        return f"{self.group} {self.package}/{self.file}:{self.first}-{self.last}"

    def row(self) -> str:
        """The place as a line of `places.tsv`."""
        return "\t".join((self.group, self.language, self.package, self.file, self.name, f"{self.first}-{self.last}"))


Fetch = Callable[[str], Path]
"""A package's name with registry and version in, the folder with its files out."""


def read_places(path: Path | None = None) -> tuple[Place, ...]:
    """The places of the list; a line each."""
    text = (path or data_path("evaluate/places.tsv")).read_text("utf-8")
    rows = (line.split("\t") for line in text.splitlines())
    return tuple(Place(*named, *map(int, lines.split("-"))) for *named, lines in rows)  # type: ignore[arg-type]


def fetched(package: str, cache: Path) -> Path:
    """The folder with a package's files, fetched if `cache` lacks it; InputError says why it cannot be had."""
    place = cache / re.sub(r"[^\w.@-]", "_", package)
    if place.is_dir():
        return place
    registry, _, spec = package.partition(":")
    name, _, version = spec.partition("@")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="fetch-") as folder:
        got, out = Path(folder, "got"), Path(folder, "out")
        got.mkdir()
        out.mkdir()
        if registry == "pypi":
            options = ("download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", ".")
            _client(package, [sys.executable, "-m", "pip", *options, f"{name}=={version}"], got)
        elif registry == "npm":
            _client(package, ["npm", "pack", "--silent", "--ignore-scripts", f"{name}@{version}"], got)
        else:
            _client(package, ["apt-get", "download", f"{name}={version}"], got)
        (archive,) = got.iterdir()
        if registry == "pypi":
            with zipfile.ZipFile(archive) as wheel:
                wheel.extractall(out)
        elif registry == "npm":
            with tarfile.open(archive) as packed:
                packed.extractall(out, filter="data")
        else:
            _client(package, ["dpkg-deb", "-x", str(archive), str(out)], got)
        out.rename(place)
    return place


def _client(package: str, command: Sequence[str], folder: Path) -> None:
    if command[0] != sys.executable and shutil.which(command[0]) is None:
        raise InputError(
            f"cannot fetch {package}: there is no {command[0]}", hint="the others can be had with --language"
        )
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=FETCH_S, check=False)
    except subprocess.TimeoutExpired:
        raise InputError(f"cannot fetch {package}: {command[0]} took over {FETCH_S} s") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().rpartition("\n")[2]
        raise InputError(f"cannot fetch {package}: {said}", hint="is the registry reached, and its list up to date?")


def view_of(place: Place, fetch: Fetch) -> bytes:
    """The view of a place's file; InputError if it has not the lines."""
    source = Source.read(fetch(place.package) / place.file, grammar(place.language).cookie)
    if source.view.count(b"\n") + 1 < place.last:
        raise InputError(f"{place.package} has no line {place.last} in {place.file}")
    return source.view


def draw(
    fetch: Fetch,
    packages: Mapping[str, Sequence[str]] = PACKAGES,
    others: Sequence[str] = OTHERS,
    seed: int = SEED,
) -> Iterator[Place]:
    """The list anew: sixty bodies of Python and as many ranges in the same files, twenty bodies of every other
    language, and holes of `others`, sixty of one line and forty of more. Packages give alike, and so do their files.
    """
    for language, names in packages.items():
        wanted = 60 if language == "python" else 20
        for name in names:
            draws = random.Random(f"{seed} {name}")
            files = _files(fetch(name), grammar(language), draws)
            bodies = [*_turns(files, partial(_bodies, grammar(language), language, name), wanted // len(names), draws)]
            yield from bodies
            if language == "python":
                own = {body.file: Source.read(fetch(name) / body.file).view for body in bodies}
                yield from (_lines("range", name, body.file, own[body.file], RANGE_LINES, draws) for body in bodies)
    for name in others:
        draws = random.Random(f"{seed} {name}")
        few = [*islice(_files(fetch(name), grammar("python"), draws), 60 // len(others))]
        for group, sizes, wanted in (("line", range(1, 2), 60), ("block", BLOCK_LINES, 40)):
            for file, view in islice(cycle(few), wanted // len(others)):
                yield _lines(group, name, file, view, sizes, draws)


def _turns(
    files: Iterator[tuple[str, bytes]],
    places: Callable[[str, bytes], list[Place]],
    count: int,
    draws: random.Random,
) -> Iterator[Place]:
    """So many places: one of each file, then again from the first, as long as any file has one left."""
    left: list[list[Place]] = []
    for file, view in files:
        found = places(file, view)
        draws.shuffle(found)
        if found:
            yield found.pop()
            left.append(found)
            count -= 1
        if not count:
            return
    while count and any(left):
        for found in left:
            if found and count:
                yield found.pop()
                count -= 1


def _files(folder: Path, known: Grammar, draws: random.Random) -> Iterator[tuple[str, bytes]]:
    """Name and view of a package's files in which nothing is wrong, in an order that is drawn."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    draws.shuffle(paths)
    for path in paths:
        name = path.relative_to(folder).as_posix()
        if _LEFT_OUT.search(name) or path.stat().st_size > MOST_BYTES or not _speaks(path, known):
            continue
        try:
            view = Source.read(path, known.cookie).view
        except InputError:
            continue
        if view.count(b"\n") >= 2 * FUNCTION_LINES.stop and not file_faults(known, view):
            yield name, view


def _speaks(path: Path, known: Grammar) -> bool:
    """Whether a file is of the language: by its ending; a script of the shell often has none."""
    if known.name != "bash" or path.suffix:
        return path.suffix in known.suffixes
    return b"bash" in path.read_bytes()[:80].partition(b"\n")[0]


def _bodies(known: Grammar, language: str, package: str, file: str, view: bytes) -> list[Place]:
    """The bodies of a file's functions of the wanted length that begin and end with whole lines."""
    found = []
    for one in definitions(known, view):
        first, last = (view.count(b"\n", 0, at) + 1 for at in (one.body.start, one.body.end))
        length = view.count(b"\n", one.span.start, one.span.end) + 1
        before = view[view.rfind(b"\n", 0, one.body.start) + 1 : one.body.start]
        behind = view[one.body.end : (view + b"\n").find(b"\n", one.body.end)]
        whole = not before.strip() and not behind.strip()
        if whole and length in FUNCTION_LINES and last - first + 1 >= BODY_LINES and _is_function(known, view, one):
            found.append(Place("body", language, package, file, one.name, first, last))
    return found


def _is_function(known: Grammar, view: bytes, one: Definition) -> bool:
    head = view[one.head.start : one.head.end]
    if known.name == "python":
        return head.startswith((b"def ", b"async def "))
    return known.name == "bash" or (b"(" in head and not _TYPE.search(head.partition(b"(")[0]))


def _lines(group: str, package: str, file: str, view: bytes, sizes: range, draws: random.Random) -> Place:
    """Some lines, of which the first and the last say something: neither blank nor all comment."""
    lines = view.split(b"\n")
    while True:
        first, size = draws.randrange(len(lines)), draws.choice(sizes)
        ends = [line.strip() for line in lines[first : first + size]]
        if len(ends) == size and all(end and not end.startswith(b"#") for end in (ends[0], ends[-1])):
            return Place(group, "python", package, file, "", first + 1, first + size)
