"""Whose Python source may be learned from: the standard library and permissively licensed distributions.

It knows licences and where installed files lie; it does not judge the files themselves.
"""

import importlib.metadata
import platform
import re
import sysconfig
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution
from pathlib import Path, PurePath

OURSELVES = "dcode-diffusion"

_PERMISSIVE_IDS = """
MIT MIT-0 MIT-CMU BSD-2-Clause BSD-3-Clause 0BSD Apache-2.0 PSF-2.0 Python-2.0 ISC Unlicense HPND
Zlib CC0-1.0 BSL-1.0 LLVM-exception
"""
_PERMISSIVE = frozenset(_PERMISSIVE_IDS.upper().split())
_PERMISSIVE_WORDS = re.compile(
    r"^(the )?(new |modified |simplified )?"
    r"(MIT|BSD|Apache|ASL|PSF|ISC|Python Software Foundation|0BSD|Unlicense|HPND|Historical Permission)\b",
    re.IGNORECASE,
)
_PERMISSIVE_TEXT = re.compile(
    r"Redistribution and use in source and binary forms|Permission is hereby granted, free of charge"
)
_RECIPROCAL = re.compile(
    r"GPL|General Public|MPL|Mozilla|\bEPL|EUPL|CeCILL|CC[- ]BY|Creative Commons|proprietary",
    re.IGNORECASE,
)
_NOT_LIBRARY = frozenset(
    {"test", "tests", "idlelib", "lib2to3", "turtledemo", "site-packages", "dist-packages"}
    | {"pydoc_data", "encodings", "__pycache__"}
)


@dataclass(frozen=True)
class Package:
    """A distribution (or the standard library, "python"), its licence as stated, and its Python files.

    `files` are pairs of the path within the package, with "/", and the place on disk, in path order.
    """

    name: str
    version: str
    licence: str
    files: tuple[tuple[str, Path], ...]


def standard_library() -> Package:
    """The running interpreter's own library, without tests, demonstrations, tables and installed packages."""
    root = Path(sysconfig.get_path("stdlib"))
    paths = ((path.relative_to(root), path) for path in root.rglob("*.py"))
    kept = (pair for pair in paths if _NOT_LIBRARY.isdisjoint(pair[0].parts))
    return Package("python", platform.python_version(), "PSF-2.0", _in_order(kept))


def installed(roots: Sequence[Path]) -> Iterator[Package]:
    """Every permissively licensed distribution under `roots`, by name; of two of a name, the first root's."""
    found: dict[str, Distribution] = {}
    for root in roots:
        for distribution in importlib.metadata.distributions(path=[str(root)]):
            found.setdefault(canonical("".join(_field(distribution, "Name"))), distribution)
    for name in sorted(found.keys() - {"", OURSELVES}):
        licence = permissive_licence(found[name])
        if licence:
            yield Package(name, found[name].version, licence, _python_files(found[name]))


def canonical(name: str) -> str:
    """A distribution's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def permissive_licence(distribution: Distribution) -> str:
    """What the metadata calls the licence if all of it is permissive, else "" (unknown counts as not)."""
    expression = " ".join(_field(distribution, "License-Expression"))
    if expression:
        return expression if _permits(expression) else ""
    classifiers = filter(_is_licence, _field(distribution, "Classifier"))
    classified = [line.split("::")[-1].strip() for line in classifiers]
    if classified:
        return " / ".join(classified) if all(map(_is_permissive, classified)) else ""
    return _stated("\n".join(_field(distribution, "License")))


def _field(distribution: Distribution, name: str) -> list[str]:
    return distribution.metadata.get_all(name) or []


def _permits(expression: str) -> bool:
    """Whether an SPDX expression can be met with permissive licences alone; parentheses are not weighed."""
    arms = [expression] if "(" in expression else re.split(r"\bOR\b", expression, flags=re.IGNORECASE)
    return any(_all_permissive(re.findall(r"[\w.+-]+", arm.upper())) for arm in arms)


def _all_permissive(words: Iterable[str]) -> bool:
    names = [word for word in words if word not in {"AND", "OR", "WITH"}]
    return bool(names) and all(name in _PERMISSIVE for name in names)


def _is_licence(classifier: str) -> bool:
    return classifier.startswith("License ::") and classifier.split("::")[-1].strip() != "OSI Approved"


def _is_permissive(words: str) -> bool:
    return bool(_PERMISSIVE_WORDS.match(words)) and not _RECIPROCAL.search(words)


def _stated(licence: str) -> str:
    """The name behind a free-text field; of a bundle of licence texts, the first is the package's own."""
    own = re.split(r"\n\s*-{4,}\s*\n", licence)[0].strip()
    title = next((line.strip() for line in own.splitlines() if line.strip()), "")
    if _RECIPROCAL.search(own):
        return ""
    if _permits(title) or _is_permissive(title):
        return title
    return "BSD or MIT terms" if _PERMISSIVE_TEXT.search(re.sub(r"\s+", " ", own)) else ""


def _python_files(distribution: Distribution) -> tuple[tuple[str, Path], ...]:
    listed = (path for path in distribution.files or () if path.suffix == ".py" and ".." not in path.parts)
    return _in_order((path, Path(str(path.locate()))) for path in listed)


def _in_order(pairs: Iterable[tuple[PurePath, Path]]) -> tuple[tuple[str, Path], ...]:
    return tuple(sorted((path.as_posix(), place) for path, place in pairs))
