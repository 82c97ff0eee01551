"""What wins over what, and what a repository's own file may not do."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcode.errors import UsageError
from dcode.settings import KEYS, Settings, project_file, resolve, user_file


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    (tmp_path / "repo" / "deep" / "er").mkdir(parents=True)
    return tmp_path / "repo"


def held(folder: Path, flags: dict[str, Any] | None = None, **environment: str) -> Settings:
    return resolve(flags or {}, environment=environment, folder=folder).settings


def write_user(text: str) -> None:
    user_file().parent.mkdir(parents=True, exist_ok=True)
    user_file().write_text(text, encoding="utf-8")


def test_nothing_set_gives_the_defaults(tmp_path: Path) -> None:
    found = resolve({}, environment={}, folder=tmp_path)
    assert found.settings == Settings()
    assert set(found.origin) == set(KEYS)
    assert set(found.origin.values()) == {"default"}


def test_a_flag_that_was_not_given_sets_nothing(tmp_path: Path) -> None:
    assert held(tmp_path, {"steps": None}, DCODE_STEPS="7").steps == 7


@given(given_by=st.sets(st.sampled_from(range(5))))
def test_the_strongest_source_wins(tmp_path_factory: pytest.TempPathFactory, given_by: set[int]) -> None:
    folder = tmp_path_factory.mktemp("project")
    (folder / ".git").mkdir()
    named = folder / "named.toml"
    named.write_text("steps = 3" if 2 in given_by else "", encoding="utf-8")
    (folder / "pyproject.toml").write_text("[tool.dcode]\nsteps = 4" if 3 in given_by else "", encoding="utf-8")
    write_user("steps = 5" if 4 in given_by else "")
    flags = {"steps": 1 if 0 in given_by else None}
    environment = {"DCODE_STEPS": "2"} if 1 in given_by else {}
    found = resolve(flags, config=named, environment=environment, folder=folder)
    assert found.settings.steps == (min(given_by) + 1 if given_by else None)
    names = ("flag", "environment", str(named), str(folder / "pyproject.toml"), str(user_file()))
    assert found.origin["steps"] == (names[min(given_by)] if given_by else "default")


def test_the_nearest_project_file_with_a_table_counts_up_to_the_root(repository: Path) -> None:
    deep = repository / "deep" / "er"
    (repository.parent / "pyproject.toml").write_text("[tool.dcode]\nsteps = 1\n", encoding="utf-8")
    assert project_file(deep) is None
    (repository / "pyproject.toml").write_text("[tool.dcode]\nsteps = 2\n", encoding="utf-8")
    (repository / "deep" / "pyproject.toml").write_text("[tool.other]\n", encoding="utf-8")
    assert project_file(deep) == repository / "pyproject.toml"
    (deep / "pyproject.toml").write_text("[tool.dcode]\nsteps = 3\n", encoding="utf-8")
    assert held(deep).steps == 3


def test_outside_a_repository_only_the_folder_itself_counts(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.dcode]\nsteps = 2\n", encoding="utf-8")
    (tmp_path / "inner").mkdir()
    assert held(tmp_path).steps == 2
    assert held(tmp_path / "inner").steps is None


HOSTILE = {
    "device": '"cuda"',
    "threads": "512",
    "feedback": "false",
    "allow-fallback": "true",
    "allow_fallback": "true",
    "show": '"always"',
    "color": '"always"',
    "model": '"../../weights"',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_project_cannot_set_what_reaches_further_than_itself(repository: Path, name: str) -> None:
    (repository / "pyproject.toml").write_text(f"[tool.dcode]\n{name} = {HOSTILE[name]}\n", encoding="utf-8")
    with pytest.raises(UsageError):
        held(repository)
    key = name.replace("-", "_")
    write_user(f"{name} = {HOSTILE[name]}")
    (repository / "pyproject.toml").unlink()
    assert getattr(held(repository), key) != getattr(Settings(), key)


@pytest.mark.parametrize("value", ["/tmp/model", "./mini", "mini/../mini", "https://example.org/x", "org/model", ""])
def test_a_project_can_only_name_a_known_model(repository: Path, value: str) -> None:
    (repository / "pyproject.toml").write_text(f'[tool.dcode]\nmodel = "{value}"\n', encoding="utf-8")
    with pytest.raises(UsageError, match="unknown model"):
        held(repository)


def test_a_project_may_set_harmless_keys(repository: Path) -> None:
    text = '[tool.dcode]\nmodel = "mini"\nsteps = 8\nslots = 32\nseed = 3\ntemperature = 1\ntime-budget = 500\n'
    (repository / "pyproject.toml").write_text(text, encoding="utf-8")
    found = held(repository)
    assert (found.steps, found.slots, found.seed, found.temperature, found.time_budget) == (8, 32, 3, 1.0, 500)


@pytest.mark.parametrize("name", ["command", "hook", "url", "python", "path", "plugins", "exec", "model-url"])
def test_an_unknown_key_is_an_error(repository: Path, name: str) -> None:
    (repository / "pyproject.toml").write_text(f'[tool.dcode]\n{name} = "x"\n', encoding="utf-8")
    with pytest.raises(UsageError, match=f"unknown key '{name}'"):
        held(repository)


def test_an_unknown_key_is_answered_with_the_nearest_one(tmp_path: Path) -> None:
    write_user("temprature = 1.0\n")
    with pytest.raises(UsageError) as caught:
        held(tmp_path)
    assert caught.value.hint == "did you mean temperature?"
    write_user("")
    with pytest.raises(UsageError) as caught:
        held(tmp_path, DCODE_TIMEBUDGET="3")
    assert caught.value.hint == "did you mean DCODE_TIME_BUDGET?"


@pytest.mark.parametrize(
    "line",
    [
        'steps = "8"',
        "steps = 8.0",
        "steps = true",
        "steps = 0",
        "steps = -1",
        "seed = -1",
        "temperature = nan",
        "temperature = -0.1",
        "feedback = 1",
        'show = "sometimes"',
        "model = 3",
        "model = [1]",
        "steps",
    ],
)
def test_a_value_that_cannot_be_meant_is_an_error_that_names_the_file(tmp_path: Path, line: str) -> None:
    write_user(line)
    with pytest.raises(UsageError, match=r"config\.toml"):
        held(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("feedback", "0", False),
        ("feedback", "No", False),
        ("allow_fallback", "TRUE", True),
        ("temperature", "0.5", 0.5),
        ("threads", "2", 2),
        ("model", "/some/where", "/some/where"),
        ("steps", "", None),
    ],
)
def test_the_environment_is_read_as_its_kind(tmp_path: Path, name: str, text: str, value: object) -> None:
    assert getattr(held(tmp_path, **{f"DCODE_{name.upper()}": text}), name) == value


@pytest.mark.parametrize(("name", "text"), [("STEPS", "many"), ("FEEDBACK", "maybe"), ("STEPS", "2.5")])
def test_the_environment_is_checked_like_a_file(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(UsageError, match=f"DCODE_{name}: '{text}' is not"):
        held(tmp_path, **{f"DCODE_{name}": text})


def test_flags_are_checked_and_named_as_typed(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--time-budget: 0 is not in 1 to"):
        held(tmp_path, {"time_budget": 0})


def test_a_configuration_can_be_named_in_the_environment(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("[tool.dcode]\nsteps = 6\n", encoding="utf-8")
    assert held(tmp_path, DCODE_CONFIG=str(tmp_path / "mine.toml")).steps == 6
    with pytest.raises(UsageError, match="cannot be read"):
        held(tmp_path, DCODE_CONFIG=str(tmp_path / "none.toml"))


def test_variables_of_the_hook_and_of_others_are_left_alone(tmp_path: Path) -> None:
    assert held(tmp_path, DCODE_HOOK="0", _DCODE_COMPLETE="x", XDCODE_STEPS="3") == Settings()


def test_a_project_file_that_is_no_file_is_no_project_file(repository: Path) -> None:
    os.mkfifo(repository / "pyproject.toml")
    assert project_file(repository) is None


def test_a_project_file_that_is_too_large_is_refused(repository: Path) -> None:
    (repository / "pyproject.toml").write_bytes(b"#" * (1 << 20) + b"\n[tool.dcode]\n")
    with pytest.raises(UsageError, match="too large"):
        held(repository)
