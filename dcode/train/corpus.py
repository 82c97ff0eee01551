"""Gather the training corpus: Python source that lies on this machine, screened, with requests drawn from it.

Output: `files.jsonl` (package, version, path, text, split), `pairs.jsonl` (package, request, code, split;
short ones first) and `manifest.json`. Held-out packages come first, so that what they say is theirs alone:
a training file that repeats them is dropped. The same machine gives the same bytes. It knows no tokens.
"""

import hashlib
import json
import re
import subprocess
import sys
import sysconfig
import tokenize
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TextIO

from dcode.errors import InputError, UsageError
from dcode.lessons.overlap import Overlap
from dcode.lessons.whole import whole
from dcode.train.packages import Package, canonical, installed, standard_library
from dcode.train.pairs import Pair, pairs
from dcode.train.screen import MAX_BYTES, Novelty, is_data, parsed, wanted_path, wanted_text

HELD_OUT = ("attrs", "httpx2", "humanize", "itsdangerous", "pexpect", "tomlkit", "toolz", "werkzeug")
MAX_PACKAGE_BYTES = 6_000_000

TRAIN, HELD = "train", "held"


@dataclass(frozen=True)
class PackageRow:
    """What one package gave; `pairs` counts repeats too, `sha256` is over its kept texts in path order."""

    name: str
    version: str
    licence: str
    split: str
    files: int
    bytes: int
    pairs: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a corpus is made of: one row a package that gave anything, held-out ones first."""

    packages: tuple[PackageRow, ...]
    dropped: dict[str, int] = field(default_factory=dict)
    """Files that share eight words with what is kept for measuring, and pairs that do or ask like a demonstration."""

    def total(self, split: str) -> dict[str, int]:
        """Packages, files, bytes and pairs of a split ("train" or "held")."""
        rows = [row for row in self.packages if row.split == split]
        counts = {name: sum(getattr(row, name) for row in rows) for name in ("files", "bytes", "pairs")}
        return {"packages": len(rows), **counts}

    def to_json(self) -> str:
        """The manifest as it is written: packages, then the totals of both splits."""
        totals = {split: self.total(split) for split in (TRAIN, HELD)}
        rows = [asdict(row) for row in self.packages]
        return json.dumps({"packages": rows, "totals": totals, "dropped": self.dropped}, indent=1) + "\n"


@dataclass(frozen=True)
class _Kept:
    path: str
    text: str
    pairs: tuple[Pair, ...]


def gather(
    out: Path,
    roots: Sequence[Path] | None = None,
    held_out: Sequence[str] = HELD_OUT,
    fetch: Sequence[str] = (),
    *,
    library: bool = True,
    max_package_bytes: int = MAX_PACKAGE_BYTES,
    overlap: Overlap | None = None,
    on_progress: Callable[[str], None] = lambda line: None,
) -> Manifest:
    """Write the corpus of everything under `roots` (this interpreter's packages by default) into `out`.

    `fetch` names distributions to download first (pip, no dependencies, wheels only); `overlap` tells what is
    kept for measuring and must not teach (by default what is sealed in the package). UsageError if `out` is in
    a site-packages folder; InputError if a download fails.
    """
    if {"site-packages", "dist-packages"} & {*out.resolve().parts}:
        raise UsageError(f"{out} is inside installed packages", hint="choose a folder of your own")
    out.mkdir(parents=True, exist_ok=True)
    places = [*(_site_packages() if roots is None else roots), *_fetched(fetch, out / "fetched", on_progress)]
    packages = [*([standard_library()] if library else []), *installed(places)]
    held_names = {canonical(name) for name in held_out}
    packages.sort(key=lambda package: (package.name not in held_names, package.name))
    screen = _Screen(overlap or Overlap.read())
    rows: list[PackageRow] = []
    found: list[tuple[str, str, Pair]] = []
    with whole(out / "files.jsonl") as sink:
        for package in packages:
            split = HELD if package.name in held_names else TRAIN
            kept = _keep(package, screen, max_package_bytes)
            _write_files(sink, package, split, kept)
            found += [(package.name, split, pair) for each in kept for pair in each.pairs]
            if kept:
                rows.append(_row(package, split, kept))
                on_progress(f"{package.name}: {rows[-1].files} files, {rows[-1].bytes / 1e6:.1f} MB")
    _write_pairs(out / "pairs.jsonl", found)
    manifest = Manifest(tuple(rows), dict(sorted(screen.dropped.items())))
    with whole(out / "manifest.json") as sink:
        sink.write(manifest.to_json())
    return manifest


def _site_packages() -> list[Path]:
    """The running interpreter's own package folders, once each."""
    return [Path(place) for place in dict.fromkeys(map(sysconfig.get_path, ("purelib", "platlib")))]


class _Screen:
    """What was seen so far, what must not teach, and how much of that was met."""

    def __init__(self, overlap: Overlap) -> None:
        self.novelty, self.overlap = Novelty(), overlap
        self.dropped: Counter[str] = Counter()

    def may_teach(self, text: str) -> bool:
        """Whether a file shares nothing with the benchmarks."""
        shares = self.overlap.shares(text)
        self.dropped["files"] += shares
        return not shares

    def taught(self, found: Iterable[Pair]) -> tuple[Pair, ...]:
        """The pairs that may teach: they do not ask like a demonstration either."""
        every = tuple(found)
        kept = tuple(pair for pair in every if self.overlap.violates(pair.request, pair.code) is None)
        self.dropped["pairs"] += len(every) - len(kept)
        return kept


def _keep(package: Package, screen: _Screen, limit: int) -> list[_Kept]:
    """The package's files that pass every screen, up to `limit` bytes, in path order.

    Files are tried in the order of their paths' hashes, so that a large package is sampled evenly.
    """
    kept: list[_Kept] = []
    room = limit
    for path, text in _candidates(package):
        size = len(text.encode())
        if size > room or screen.novelty.is_repeated(text):
            continue
        tree = parsed(text)
        if tree is None or is_data(tree, text.count("\n") + 1) or not screen.may_teach(text):
            continue
        if not screen.novelty.accept(text):
            continue
        kept.append(_Kept(path, text, screen.taught(pairs(text, tree))))
        room -= size
    return sorted(kept, key=lambda each: each.path)


def _candidates(package: Package) -> Iterator[tuple[str, str]]:
    wanted = [pair for pair in package.files if wanted_path(pair[0])]
    for path, place in sorted(wanted, key=lambda pair: hashlib.sha256(pair[0].encode()).digest()):
        text = _read(place)
        if text and wanted_text(text):
            yield path, text


def _read(place: Path) -> str:
    """The text of a source file, LF, without BOM; "" if it is missing, over-long or undecodable."""
    try:
        if not place.is_file() or place.stat().st_size > MAX_BYTES:
            return ""
        with tokenize.open(place) as file:
            return file.read()
    except (OSError, SyntaxError, UnicodeDecodeError):
        return ""


def _write_files(sink: TextIO, package: Package, split: str, kept: Iterable[_Kept]) -> None:
    for each in kept:
        row = {"package": package.name, "version": package.version, "path": each.path, "text": each.text}
        sink.write(json.dumps({**row, "split": split}) + "\n")


def _write_pairs(path: Path, found: Iterable[tuple[str, str, Pair]]) -> None:
    """Every pair once, short code first."""
    unique = {(pair.request, pair.code): (package, split) for package, split, pair in reversed(list(found))}
    rows = [
        {"package": package, "request": request, "code": code, "split": split}
        for (request, code), (package, split) in unique.items()
    ]
    rows.sort(key=lambda row: (row["code"].count("\n"), len(row["code"]), *row.values()))
    with whole(path) as sink:
        sink.writelines(json.dumps(row) + "\n" for row in rows)


def _row(package: Package, split: str, kept: Sequence[_Kept]) -> PackageRow:
    texts = [each.text.encode() for each in kept]
    return PackageRow(
        name=package.name,
        version=package.version,
        licence=package.licence,
        split=split,
        files=len(kept),
        bytes=sum(map(len, texts)),
        pairs=sum(len(each.pairs) for each in kept),
        sha256=hashlib.sha256(b"\0".join(texts)).hexdigest(),
    )


def _fetched(names: Sequence[str], cache: Path, on_progress: Callable[[str], None]) -> list[Path]:
    """One folder a wheel of `names`, downloaded and unpacked under `cache`."""
    if not names:
        return []
    wheels = cache / "wheels"
    on_progress(f"fetching {len(names)} packages")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command = [*pip, "--dest", str(wheels), "--", *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise InputError(f"cannot fetch {', '.join(names)}: {reason}", hint="check the names and the network")
    asked = {canonical(re.split(r"[^\w.-]", name)[0]) for name in names}
    found = [wheel for wheel in sorted(wheels.glob("*.whl")) if canonical(wheel.name.split("-")[0]) in asked]
    return [_unpacked(wheel, cache / "site" / wheel.stem) for wheel in found]


def _unpacked(wheel: Path, folder: Path) -> Path:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder
