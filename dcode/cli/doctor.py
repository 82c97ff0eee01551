"""`dcode doctor`: what this installation is made of, whether its model is whole, where things lie, how fast it is."""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

from typer import Option

from dcode.cli.options import Config, Device, Model, Threads, Verbose, command
from dcode.cli.streams import complain, say_table
from dcode.cli.versions import own_version, version
from dcode.cli.work import Ready, get_ready
from dcode.errors import DcodeError, UsageError
from dcode.repo.journal import Journal
from dcode.settings import Settings, project_file, resolve, user_file
from dcode.syntax.check import checker_versions
from dcode.syntax.grammar import Grammar, grammar, languages
from dcode.syntax.parse import distribution, language
from dcode.text.result import Result

PACKAGES = ("torch", "numpy", "safetensors", "tokenizers", "tree-sitter", "typer", "rich")
REQUEST, SLOTS = "read a csv file and print its rows", 128

Row = tuple[str, str]
Speed = Annotated[bool, Option("--speed", help="Also time a program of 128 slots, cold and warm.")]


def doctor(
    model: Model = None,
    device: Device = None,
    threads: Threads = None,
    speed: Speed = False,
    config: Config = None,
    verbose: Verbose = False,
) -> None:
    """Check this installation.

    Versions, grammars, the model and its digest, and where configuration and undo copies lie. The exit code is
    that of the worst finding; 0 if all is well.
    """
    settings = resolve({"model": model, "device": device, "threads": threads}, config=config).settings
    judged = [_grammar(grammar(name)) for name in languages()]
    rows = [*_versions(), *(row for row, _ in judged), *_places(), *_torch()]
    errors = [error for _, error in judged if error]
    try:
        begun = time.monotonic()
        ready = get_ready(settings, "programs")
        rows += _model(ready, time.monotonic() - begun)
        if speed:
            rows += _speed(settings, ready)
    except DcodeError as error:
        rows.append(("model", f"{settings.model}: UNFIT"))
        errors.append(error)
    finally:
        say_table(rows)
    if errors:
        raise max(errors, key=lambda error: error.exit_code)


def _versions() -> Iterator[Row]:
    yield "dcode", own_version()
    yield "python", f"{platform.python_version()}, {platform.system()} {platform.machine()}"
    for package in PACKAGES:
        yield package, version(package)


def _grammar(known: Grammar) -> tuple[Row, DcodeError | None]:
    """Who judges a language, and what is wrong with that: 2, as for everything that is not installed."""
    name, judges = f"grammar {known.name}", []
    try:
        judges += [f"{judge} {at}" for judge, at in checker_versions(known).items() if judge != "tree-sitter"]
        return (name, ", ".join([*judges, f"ABI {language(known).abi_version}"])), None
    except Exception as error:  # a wheel is others' code: what a damaged one raises is not known
        why = " ".join(str(error).split())
        unfit = UsageError(f"{name} cannot be used: {why}", hint=f"reinstall {distribution(known)}")
        return (name, ", ".join([*judges, f"UNFIT, {why}"])), unfit


def _places() -> Iterator[Row]:
    own, project = user_file(), project_file(Path.cwd())
    yield "configuration", f"{own}{'' if own.is_file() else ' (not there)'}"
    yield "project", str(project or "no [tool.dcode] here")
    yield "undo copies", str(Journal.locate(Path.cwd()).folder)


def _torch() -> Iterator[Row]:
    import torch

    from dcode.model.load import quickest_precision

    native = quickest_precision() == "bfloat16"
    yield "threads", f"{torch.get_num_threads()} of {os.cpu_count()} CPUs"
    yield "cpu", f"{torch.backends.cpu.get_cpu_capability()}, bfloat16 {'native' if native else 'emulated'}"
    yield "cuda", torch.cuda.get_device_name() if torch.cuda.is_available() else "none"


def _model(ready: Ready, seconds: float) -> Iterator[Row]:
    model = ready.model
    count = sum(parameter.numel() for parameter in model.net.parameters())
    yield "model", f"{model.checkpoint.name}, {count / 1e6:.1f} M parameters, window {model.window}"
    yield "weights", f"verified, sha256 {model.digest}"
    yield "load", f"{seconds:.2f} s"


def _speed(settings: Settings, ready: Ready) -> Iterator[Row]:
    """Seconds for one program: from a new process, then twice in this one."""
    complain("timing three programs")
    yield "cold", f"{_timed(lambda: _cold(settings)):.2f} s from the shell"
    for turn in ("first", "warm"):
        results: list[Result] = []
        seconds = _timed(lambda: results.extend(_results(settings, ready)))  # noqa: B023
        yield turn, f"{seconds:.2f} s, {results[0].forwards} forwards, {SLOTS} slots"


def _timed(work: Callable[[], None]) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


def _cold(settings: Settings) -> None:
    threads = [] if settings.threads is None else ["--threads", str(settings.threads)]
    feedback = [] if settings.feedback else ["--no-feedback"]
    options = ["-q", "-m", settings.model, "--device", settings.device, "--slots", str(SLOTS), *threads, *feedback]
    subprocess.run(
        [sys.executable, "-P", "-m", "dcode", "gen", REQUEST, *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )


def _results(settings: Settings, ready: Ready) -> Iterator[Result]:
    from dcode.jobs.generate import generate

    job = generate(REQUEST, ready.model, grammar("python"), ready.plan, slots=SLOTS, feedback=settings.feedback)
    return (item for item in job if isinstance(item, Result))


app = command(doctor)
