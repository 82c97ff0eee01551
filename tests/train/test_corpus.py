"""Gathering from a made-up site folder: licences, screens, repeats, held-out packages, what is written."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from dcode.errors import InputError, UsageError
from dcode.lessons.overlap import Overlap, seal
from dcode.train import corpus
from dcode.train.corpus import Manifest, gather

Rows = list[dict[str, str]]
Install = Callable[..., None]


def module(word: str, count: int = 6) -> str:
    """A plain module in which `word` occurs in every function."""
    return "\n\n".join(
        f'def {word}_{index}(items, {word}):\n    """Return the {word} of the items {index}."""\n'
        f"    {word}_found = [each for each in items if each != {word}]\n    return {word}_found[:{index}]\n"
        for index in range(count)
    )


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return tmp_path / "site"


@pytest.fixture
def install(site: Path) -> Install:
    def add(name: str, files: dict[str, str], licence: str = "License-Expression: MIT") -> None:
        info = site / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        head = f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n"
        (info / "METADATA").write_text(f"{head}{licence}\n" if licence else head)
        (info / "RECORD").write_text("".join(f"{path},,\n" for path in files))
        for path, text in files.items():
            (site / path).parent.mkdir(parents=True, exist_ok=True)
            (site / path).write_text(text)

    return add


def run(
    site: Path, held_out: tuple[str, ...] = (), limit: int = 10**6, overlap: Overlap | None = None
) -> tuple[Manifest, Rows, Rows]:
    out = site.parent / "out"
    manifest = gather(out, [site], held_out, library=False, max_package_bytes=limit, overlap=overlap)
    files, pairs = (
        [json.loads(line) for line in (out / name).read_text().splitlines()] for name in ("files.jsonl", "pairs.jsonl")
    )
    return manifest, files, pairs


def test_files_pairs_and_manifest_agree(site: Path, install: Install) -> None:
    install("Alpha", {"alpha/core.py": module("apple")})
    install("beta", {"beta.py": module("berry")}, "License: BSD")
    manifest, files, pairs = run(site, held_out=("BETA",))
    assert [(row["package"], row["path"], row["split"]) for row in files] == [
        ("beta", "beta.py", "held"),
        ("alpha", "alpha/core.py", "train"),
    ]
    assert {(row["package"], row["split"]) for row in pairs} == {("alpha", "train"), ("beta", "held")}
    written = json.loads((site.parent / "out" / "manifest.json").read_text())
    assert written["totals"]["train"] == manifest.total("train")
    assert manifest.total("held") == {
        "packages": 1,
        "files": 1,
        "bytes": len(module("berry")),
        "pairs": 6,
    }
    assert [row.licence for row in manifest.packages] == ["BSD", "MIT"]


def test_the_same_machine_gives_the_same_bytes(site: Path, install: Install) -> None:
    install("alpha", {f"alpha/{word}.py": module(word) for word in ("one", "two", "three", "four")})
    run(site, limit=2000)
    before = {path.name: path.read_bytes() for path in (site.parent / "out").iterdir()}
    run(site, limit=2000)
    assert {path.name: path.read_bytes() for path in (site.parent / "out").iterdir()} == before


@pytest.mark.parametrize(
    ("licence", "taken"),
    [
        ("License-Expression: Apache-2.0 OR GPL-2.0-only", True),
        ("License-Expression: MIT AND LGPL-3.0-only", False),
        ("License-Expression: (MIT OR Apache-2.0) AND GPL-3.0-only", False),
        ("License-Expression: LicenseRef-Own", False),
        ("Classifier: License :: OSI Approved :: Apache Software License", True),
        ("Classifier: License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)", False),
        (
            "Classifier: License :: OSI Approved :: BSD License\n"
            "Classifier: License :: OSI Approved :: GNU General Public License (GPL)",
            False,
        ),
        ("License: MIT\nClassifier: License :: OSI Approved :: GNU Lesser General Public License v3", False),
        ("License: BSD 3-Clause License", True),
        ("License: Redistribution and use in source and binary forms are permitted", True),
        ("License: GNU LGPL", False),
        ("License: MITRE internal", False),
        ("License: UNKNOWN", False),
        ("", False),
    ],
)
def test_only_permissive_licences_are_taken(site: Path, install: Install, licence: str, taken: bool) -> None:
    install("alpha", {"alpha.py": module("apple")}, licence)
    assert bool(run(site)[1]) == taken


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("alpha/broken.py", module("apple") + "\ndef ("),
        ("alpha/short.py", "x = 1\n"),
        ("alpha/tests/helpers.py", module("apple")),
        ("alpha/_vendor/thing.py", module("apple")),
        ("alpha/proto_pb2.py", module("apple")),
        ("alpha/_version.py", module("apple")),
        ("alpha/human_eval/run.py", module("apple")),
        ("alpha/bench.py", "# tasks of HumanEval\n" + module("apple")),
        ("alpha/other.py", "DATASET = 'mbpp'\n" + module("apple")),
        ("alpha/made.py", "# This file was generated by a tool\n" + module("apple")),
        ("alpha/wide.py", f"X = '{'word ' * 90}'\n" + module("apple")),
        (
            "alpha/table.py",
            "TABLE = {\n" + "".join(f"    'k{c}': call('{c}'),\n" for c in "abcdefghijklmnop") + "}\n",
        ),
        ("alpha/numbers.py", module("apple", 2) + "".join(f"n{i} = {i}{i}{i}12345\n" for i in range(60))),
        ("alpha/foreign.py", module("apple", 2) + "# " + "слово " * 12 + "\n"),
    ],
)
def test_unfit_files_are_left_out(site: Path, install: Install, path: str, text: str) -> None:
    install("alpha", {"alpha/good.py": module("good"), path: text})
    assert [row["path"] for row in run(site)[1]] == ["alpha/good.py"]


def test_repeats_are_dropped_and_the_held_out_package_keeps_its_text(site: Path, install: Install) -> None:
    text = module("apple")
    install(
        "alpha",
        {"alpha/same.py": text, "alpha/near.py": text + "\n\nEXTRA = None\n", "alpha/own.py": module("own")},
    )
    install("zeta", {"zeta.py": text.replace("\n\n", "\n")})
    _, files, _ = run(site, held_out=("zeta",))
    assert [(row["package"], row["path"]) for row in files] == [
        ("zeta", "zeta.py"),
        ("alpha", "alpha/own.py"),
    ]


def test_no_package_dominates(site: Path, install: Install) -> None:
    words = [f"{a}{b}" for a in ("oak", "elm", "fir") for b in ("red", "blue", "green")]
    install("large", {f"large/{word}.py": module(word) for word in words})
    manifest, files, _ = run(site, limit=3 * len(module("oakgreen")))
    assert 2 <= len(files) < len(words)
    assert manifest.packages[0].bytes <= 3 * len(module("oakgreen"))


def test_ourselves_are_never_taken(site: Path, install: Install) -> None:
    install("dcode-diffusion", {"dcode/errors.py": module("apple")})
    assert run(site)[1] == []


def test_an_out_within_installed_packages_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="inside installed packages"):
        gather(tmp_path / "site-packages" / "corpus", [])


def test_a_fetched_wheel_is_unpacked_and_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = "alpha-1.0.dist-info"
    files = {
        "alpha.py": module("apple"),
        f"{info}/METADATA": "Metadata-Version: 2.4\nName: alpha\nVersion: 1.0\nLicense-Expression: MIT\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(tmp_path / "alpha-1.0-py3-none-any.whl", "w") as wheel:
        for path, text in {**files, f"{info}/RECORD": "alpha.py,,\n"}.items():
            wheel.writestr(path, text)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    manifest = gather(tmp_path / "out", [], fetch=["Alpha"], library=False)
    assert [(row.name, row.files, row.licence) for row in manifest.packages] == [("alpha", 1, "MIT")]


def test_a_failed_download_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    with pytest.raises(InputError, match="cannot fetch no-such-package"):
        gather(tmp_path, [], fetch=["no-such-package"], library=False)


def test_the_standard_library_is_a_package() -> None:
    paths = {path for path, _ in corpus.standard_library().files}
    assert {"textwrap.py", "json/decoder.py"} <= paths
    assert not any(path.startswith(("test/", "site-packages/", "idlelib/")) for path in paths)


def test_what_is_kept_for_measuring_does_not_teach(site: Path, install: Install) -> None:
    benchmark = "def carefully(pears, plums):\n    basket = sorted(pears) + plums\n    return basket\n"
    planted = f"{module('apple')}\n\n{benchmark}"
    install(
        "alpha", {"alpha/clean.py": module("berry"), "alpha/planted.py": planted, "alpha/other.py": module("cherry")}
    )
    overlap = Overlap.of(seal(["the berry of the items"], [benchmark]))
    manifest, files, pairs = run(site, overlap=overlap)
    assert [row["path"] for row in files] == ["alpha/clean.py", "alpha/other.py"]
    assert not [row for row in pairs if "berry" in row["request"]]
    assert len(pairs) == 6
    assert manifest.dropped == {"files": 1, "pairs": 6}
