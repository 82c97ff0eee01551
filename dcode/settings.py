"""What is set, and who may set what: flag > DCODE_* > --config > pyproject.toml > user file > default.

A repository's own pyproject.toml comes from strangers: it may set only keys that can neither reach outside
the repository nor make a check laxer. Excludes of all places add up, its hook limits may only be lower than the
person's own, and its hook mode can only be `check`: the one that refuses a commit and edits nothing, stricter than
`suggest`, which refuses none, and than `worktree`, which edits. This file does not know the command line and never
imports torch.
"""

import difflib
import os
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

import platformdirs

from dcode.errors import UsageError
from dcode.model.checkpoint import DEFAULT, checkpoints

ENVIRONMENT = "DCODE_"
RESERVED = frozenset({"DCODE_CONFIG", "DCODE_HOOK"})  # variables that are no keys
LARGEST_FILE_BYTES = 1 << 20
LONGEST_ECHO = 200  # characters of a value in a message
ON, OFF = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
WANTED = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", tuple: "a list of texts"}
WHEN = ("auto", "always", "never")
PRECISIONS = ("float32", "bfloat16", "int8")
PRESETS = ("fast", "balanced", "best")
HOOK_MODES = ("suggest", "check", "worktree")


@dataclass(frozen=True, slots=True)
class Key:
    """What may be set: its type, its bounds, and whether a project's own file may set it.

    `project_choices` are the only values for it there, if it names any; with `lower` it may only lower the value.
    A tuple is a list of texts, and adds up over all places.
    """

    kind: type
    project: bool = False
    project_choices: tuple[str, ...] = ()
    lower: bool = False
    least: float = float("-inf")
    most: float = float("inf")
    choices: tuple[str, ...] = ()


def _key(default: Any, kind: type, **facts: Any) -> Any:
    return field(default=default, metadata={"key": Key(kind, **facts)})


@dataclass(frozen=True, slots=True)
class Settings:
    """Every key with its value; None means "as the model prefers" (`threads`: as torch prefers)."""

    model: str = _key(DEFAULT, str, project=True)
    device: str = _key("cpu", str)
    precision: str | None = _key(None, str, choices=PRECISIONS)
    threads: int | None = _key(None, int, least=1, most=1024)
    steps: int | None = _key(None, int, project=True, least=1, most=100_000)
    slots: int | None = _key(None, int, project=True, least=1, most=100_000)
    preset: str = _key("balanced", str, project=True, choices=PRESETS)
    seed: int = _key(0, int, project=True, least=0, most=2**63 - 1)
    temperature: float | None = _key(None, float, project=True, least=0, most=100)
    time_budget: int | None = _key(None, int, project=True, least=1, most=10**9)  # milliseconds
    feedback: bool = _key(True, bool)
    allow_fallback: bool = _key(False, bool)
    show: str = _key("auto", str, choices=WHEN)
    color: str = _key("auto", str, choices=WHEN)
    exclude: tuple[str, ...] = _key((), tuple, project=True)
    hook_mode: str = _key("suggest", str, choices=HOOK_MODES, project=True, project_choices=("check",))
    hook_soft_ms: int = _key(5_000, int, project=True, lower=True, least=1, most=600_000)
    hook_hard_ms: int = _key(10_000, int, project=True, lower=True, least=1, most=600_000)

    def excludes(self, path: str) -> bool:
        """Whether a file (from the root of the repository, with slashes) or a folder above it matches an exclude.

        A pattern with a slash is matched from the root, one without against every name; `*` also matches slashes.
        """
        file = PurePosixPath(path)
        return any(
            fnmatchcase(str(place) if "/" in pattern.rstrip("/") else place.name, pattern.strip("/"))
            for place in (file, *file.parents[:-1])
            for pattern in self.exclude
        )


KEYS: dict[str, Key] = {item.name: item.metadata["key"] for item in fields(Settings)}


@dataclass(frozen=True, slots=True)
class Layer:
    """One place that settings come from: its name for messages, and what it sets, read and checked."""

    name: str
    values: Mapping[str, Any]
    project: bool = False


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings that hold, and for every key the place that decided it."""

    settings: Settings
    origin: Mapping[str, str]


def resolve(
    flags: Mapping[str, Any],
    *,
    config: Path | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Configuration:
    """The configuration for a command run in `folder` with these flags; a flag that is None was not given.

    Raises UsageError for an unknown key, a value of the wrong kind, and a key that a project may not set.
    """
    environment = os.environ if environment is None else environment
    layers = list(_layers(flags, config, environment, folder or Path.cwd()))
    values: dict[str, Any] = {key: getattr(Settings(), key) for key in KEYS}
    origin = dict.fromkeys(KEYS, "default")
    for layer in reversed(layers):
        for key, value in layer.values.items():
            chosen = _joined(KEYS[key], value, values[key], layer)
            if chosen == value or chosen != values[key]:
                origin[key] = layer.name
            values[key] = chosen
    return Configuration(Settings(**values), origin)


def _joined(rule: Key, value: Any, weaker: Any, layer: Layer) -> Any:
    """The value that holds where a layer sets one and the layers below it another."""
    if rule.kind is tuple:
        return tuple(dict.fromkeys((*weaker, *value)))
    return min(value, weaker) if rule.lower and layer.project else value


def user_file() -> Path:
    """Where the person's own configuration is looked for."""
    return platformdirs.user_config_path("dcode", appauthor=False) / "config.toml"


def project_file(folder: Path) -> Path | None:
    """The nearest pyproject.toml with a [tool.dcode] table, from `folder` up to the repository's root.

    Outside a repository only `folder` itself counts: what lies above it may belong to anyone.
    """
    above = [folder, *folder.parents]
    root = next((place for place in above if (place / ".git").exists()), folder)
    for place in above[: above.index(root) + 1]:
        file = place / "pyproject.toml"
        if file.is_file() and "dcode" in _table(_read(file), "tool", file):
            return file
    return None


def _layers(
    flags: Mapping[str, Any], config: Path | None, environment: Mapping[str, str], folder: Path
) -> Iterator[Layer]:
    """Every place that sets something, the strongest first."""
    given = {key: value for key, value in flags.items() if value is not None}
    yield Layer("flag", {key: _checked(key, value, _flag(key)) for key, value in given.items()})
    yield Layer("environment", _from_environment(environment))
    named = config or (Path(environment["DCODE_CONFIG"]) if environment.get("DCODE_CONFIG") else None)
    if named is not None:
        yield _from_file(named)
    project = project_file(folder)
    if project is not None:
        yield _from_project(project)
    if user_file().is_file():
        yield _from_file(user_file())


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    names = {ENVIRONMENT + key.upper(): key for key in KEYS}
    values = {}
    for name, text in environment.items():
        if not name.startswith(ENVIRONMENT) or name in RESERVED or not text:
            continue
        if name not in names:
            raise UsageError(f"unknown environment variable {name}", hint=_nearest(name, names))
        values[names[name]] = _checked(names[name], _parsed(text, KEYS[names[name]].kind), name)
    return values


def _from_file(file: Path) -> Layer:
    """A file that the person wrote or named: every key is allowed, at the top or under [tool.dcode]."""
    table = _read(file)
    if "tool" in table:
        table = _table(_table(table, "tool", file), "dcode", file)
    return Layer(str(file), _from_table(table, file))


def _from_project(file: Path) -> Layer:
    values = _from_table(_table(_table(_read(file), "tool", file), "dcode", file), file)
    for key, value in values.items():
        if not KEYS[key].project:
            allowed = ", ".join(spelled(name) for name in KEYS if KEYS[name].project)
            hint = f"only {allowed}; the rest belongs in {user_file()}"
            raise UsageError(f"{file}: a project may not set {spelled(key)}", hint=hint)
        if key == "model" and value not in checkpoints():
            hint = "a project may name one of dcode models list, no path"
            raise UsageError(f"{file}: unknown model {_shown(value)}", hint=hint)
        if KEYS[key].project_choices and value not in KEYS[key].project_choices:
            hint = f"only {', '.join(KEYS[key].project_choices)}; the rest belongs in {user_file()}"
            raise UsageError(f"{file}: a project may not set {spelled(key)} to {_shown(value)}", hint=hint)
    return Layer(str(file), values, project=True)


def _from_table(table: Mapping[str, Any], file: Path) -> dict[str, Any]:
    values = {}
    for name, value in table.items():
        key = name.replace("-", "_")
        if key not in KEYS:
            hint = _nearest(name, [spelled(known) for known in KEYS])
            raise UsageError(f"{file}: unknown key {_shown(name)}", hint=hint)
        values[key] = _checked(key, value, f"{file}: {name}")
    return values


def _checked(key: str, value: Any, where: str) -> Any:
    """`value` if it is of the key's kind and within its bounds."""
    rule = KEYS[key]
    whole = rule.kind is float and type(value) is int
    if rule.kind is tuple and isinstance(value, list) and all(isinstance(one, str) for one in value):
        value = tuple(value)
    if type(value) is not rule.kind and not whole:
        raise UsageError(f"{where}: {_shown(value)} is not {WANTED[rule.kind]}")
    if rule.choices and value not in rule.choices:
        raise UsageError(f"{where}: {_shown(value)} is not one of {', '.join(rule.choices)}")
    if isinstance(value, int | float) and not rule.least <= value <= rule.most:
        raise UsageError(f"{where}: {_shown(value)} is not in {rule.least:g} to {rule.most:g}")
    return float(value) if whole else value


def _shown(value: Any) -> str:
    """A value as messages echo it: on one short line, whatever a stranger wrote."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # nested too deeply, or a whole number of too many digits
        return "what it is set to"
    return text if len(text) <= LONGEST_ECHO else f"{text[:LONGEST_ECHO]}…"


def _parsed(text: str, kind: type) -> Any:
    """The text of an environment variable as its kind; the text itself where it is not one."""
    try:
        if kind is bool:
            return text.lower() in ON if text.lower() in ON + OFF else text
        if kind is tuple:
            return tuple(filter(None, text.split(":")))
        return kind(text)
    except ValueError:
        return text


def _read(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as stream:
            data = stream.read(LARGEST_FILE_BYTES + 1)
        if len(data) > LARGEST_FILE_BYTES:
            raise UsageError(f"{file} is too large for a configuration")
        return tomllib.loads(data.decode("utf-8"))
    except RecursionError:
        raise UsageError(f"configuration {file} cannot be read: it is nested too deeply") from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"configuration {file} cannot be read: {why}") from None


def _table(table: Mapping[str, Any], name: str, file: Path) -> dict[str, Any]:
    inner = table.get(name, {})
    if not isinstance(inner, dict):
        raise UsageError(f"{file}: {name} is not a table")
    return inner


def _nearest(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"


def spelled(key: str) -> str:
    """A key as files and flags spell it."""
    return key.replace("_", "-")


def _flag(key: str) -> str:
    return f"--{spelled(key)}"
