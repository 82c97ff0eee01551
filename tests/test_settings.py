"""What wins over what, and what a repository's own file may not do."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcode.errors import UsageError
from dcode.model.checkpoint import checkpoint, find
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


NOT_FOR_A_PROJECT = {
    "device": '"cuda"',
    "threads": "512",
    "feedback": "false",
    "allow-fallback": "true",
    "allow_fallback": "true",
    "show": '"always"',
    "color": '"always"',
    "model": '"../../weights"',
    "hook-mode": '"worktree"',
}
UNKNOWN = (
    "command",
    "hook",
    "url",
    "python",
    "path",
    "plugins",
    "exec",
    "model-url",
    "weights",
    "checkpoint",
    "trust-remote-code",
    "extends",
    "include",
    "config",
    "env",
    "proxy",
    "editor",
    "pager",
    "shell",
    "output",
    "write",
    "force",
    "journal",
    "undo-folder",
    "proposals",
    "grammars",
    "formatter",
    "pre-command",
    "worker",
    "safe-path",
    "telemetry",
)


@pytest.mark.parametrize("name", NOT_FOR_A_PROJECT)
def test_a_project_cannot_set_what_reaches_further_than_itself(repository: Path, name: str) -> None:
    line = f"{name} = {NOT_FOR_A_PROJECT[name]}\n"
    (repository / "pyproject.toml").write_text(f"[tool.dcode]\n{line}", encoding="utf-8")
    with pytest.raises(UsageError):
        held(repository)
    key = name.replace("-", "_")
    write_user(line)
    (repository / "pyproject.toml").unlink()
    assert getattr(held(repository), key) != getattr(Settings(), key)


@pytest.mark.parametrize("mode", ["suggest", "worktree", "off"])
@pytest.mark.parametrize("own", ["suggest", "check", "worktree"])
def test_a_project_cannot_make_the_hook_laxer(repository: Path, own: str, mode: str) -> None:
    write_user(f'hook-mode = "{own}"')
    (repository / "pyproject.toml").write_text(f'[tool.dcode]\nhook-mode = "{mode}"\n', encoding="utf-8")
    with pytest.raises(UsageError):
        held(repository)
    (repository / "pyproject.toml").write_text('[tool.dcode]\nhook-mode = "check"\n', encoding="utf-8")
    assert held(repository).hook_mode == "check"
    assert held(repository, DCODE_HOOK_MODE=own).hook_mode == own


@pytest.mark.parametrize(("own", "wanted", "holds"), [(None, 2000, 2000), (None, 90_000, 10_000), (3000, 4000, 3000)])
def test_a_project_can_only_lower_the_hook_s_limits(repository: Path, own: int | None, wanted: int, holds: int) -> None:
    write_user(f"hook-hard-ms = {own}" if own else "")
    (repository / "pyproject.toml").write_text(f"[tool.dcode]\nhook-hard-ms = {wanted}\n", encoding="utf-8")
    found = resolve({}, environment={}, folder=repository)
    assert found.settings.hook_hard_ms == holds
    decided = "pyproject.toml" if holds == wanted else "config.toml" if own else "default"
    assert found.origin["hook_hard_ms"].endswith(decided)
    assert held(repository, DCODE_HOOK_HARD_MS="60000").hook_hard_ms == 60_000


def test_excludes_of_all_places_add_up(repository: Path) -> None:
    write_user('exclude = ["secret", "*.lock"]')
    (repository / "pyproject.toml").write_text('[tool.dcode]\nexclude = ["gen/*", "*.lock"]\n', encoding="utf-8")
    assert held(repository).exclude == ("secret", "*.lock", "gen/*")
    assert held(repository, DCODE_EXCLUDE="a:b").exclude == ("secret", "*.lock", "gen/*", "a", "b")
    (repository / "pyproject.toml").write_text("[tool.dcode]\nexclude = []\n", encoding="utf-8")
    assert held(repository).exclude == ("secret", "*.lock")


@pytest.mark.parametrize("value", ['"a"', "[1]", '[["a"]]', "true"])
def test_excludes_are_a_list_of_texts(repository: Path, value: str) -> None:
    write_user(f"exclude = {value}")
    with pytest.raises(UsageError, match="is not a list of texts"):
        held(repository)


@pytest.mark.parametrize(
    ("pattern", "path", "excluded"),
    [
        ("*.pb.py", "a/b/x.pb.py", True),
        ("*.pb.py", "a/b/x.py", False),
        ("vendor", "a/vendor/x.py", True),
        ("vendor", "a/vendors/x.py", False),
        ("vendor/", "a/vendor/x.py", True),
        ("a/vendor", "a/vendor/b/x.py", True),
        ("/vendor", "a/vendor/x.py", False),
        ("/vendor", "vendor/x.py", True),
        ("a/*.py", "a/x.py", True),
        ("a/*.py", "b/a/x.py", False),
        ("**/gen/*", "a/gen/x.py", True),
        ("[", "a.py", False),
        ("", "a.py", False),
        ("x.py", "X.py", False),
    ],
)
def test_what_is_excluded(pattern: str, path: str, excluded: bool) -> None:
    assert Settings(exclude=(pattern,)).excludes(path) is excluded


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


@pytest.mark.parametrize("name", UNKNOWN)
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


HOSTILE = {
    "nested arrays": "a = " + "[" * 20_000,
    "nested tables": "a = " + "{a=" * 20_000,
    "a dotted key": f"[tool.dcode]\nmodel{'.a' * 5_000} = 1",
    "dotted keys in a list": f"[tool.dcode]\nexclude = [{{{'a.' * 5_000}a = 1}}]",
    "a whole number without end": f"[tool.dcode]\nsteps = 0x{'f' * 9_000}",
    "a whole number where any will do": f"[tool.dcode]\ntemperature = 0x{'f' * 9_000}",
    "a list for a number": f"[tool.dcode]\nsteps = [{'1,' * 9_000}]",
    "a long text for a number": f"[tool.dcode]\nsteps = '{'x' * 9_000}'",
    "a long key": f"[tool.dcode]\n{'x' * 9_000} = 1",
    "a long model": f"[tool.dcode]\nmodel = '{'x' * 9_000}'",
    "a long text for a choice": f"[tool.dcode]\npreset = '{'x' * 9_000}'",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_project_file_is_one_short_line(repository: Path, text: str) -> None:
    (repository / "pyproject.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"pyproject\.toml") as caught:
        held(repository)
    assert "\n" not in caught.value.what and len(caught.value.what) < len(str(repository)) + 400


def test_whole_numbers_do_where_any_number_does(tmp_path: Path) -> None:
    write_user("temperature = 1")
    assert type(held(tmp_path).temperature) is float


def test_a_project_s_model_is_a_row_and_never_a_folder_of_that_name(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "mini").mkdir()
    (repository / "pyproject.toml").write_text('[tool.dcode]\nmodel = "mini"\n', encoding="utf-8")
    monkeypatch.chdir(repository)
    assert find(held(repository).model) == checkpoint("mini")


def test_a_project_file_that_is_too_large_is_refused(repository: Path) -> None:
    (repository / "pyproject.toml").write_bytes(b"#" * (1 << 20) + b"\n[tool.dcode]\n")
    with pytest.raises(UsageError, match="too large"):
        held(repository)
