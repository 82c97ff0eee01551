"""Settings every test shares: hypothesis is deterministic, nobody's own configuration is read, nobody calls out.

Every core runs tests of its own, so a network gets one thread.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

OFFLINE = str(Path(__file__).parent / "offline")
sys.path.insert(0, OFFLINE)
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (OFFLINE, os.environ.get("PYTHONPATH"))))
os.environ.setdefault("OMP_NUM_THREADS", "1")
if not (getattr(sys.modules.get("sitecustomize"), "__file__", None) or "").startswith(OFFLINE):
    sys.modules.pop("sitecustomize", None)  # the system may have one of its own; a process of ours has this one
import sitecustomize  # noqa: E402

settings.register_profile("suite", derandomize=True, deadline=None, max_examples=60)
settings.load_profile("suite")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """With `-s` tests print and time what they measure: then one process runs them, undisturbed."""
    return 0 if config.option.capture == "no" else min(os.cpu_count() or 1, 8)


@pytest.fixture(autouse=True)
def _private_places(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Configuration and state folders of the machine are out of reach of the tests."""
    home: Path = tmp_path_factory.mktemp("home")
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(home))


@pytest.fixture(autouse=True)
def _no_network() -> Iterator[None]:
    """A test that tried to reach the network fails, also if it got over the refusal."""
    sitecustomize.attempts.clear()
    yield
    assert not sitecustomize.attempts
