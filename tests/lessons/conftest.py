"""The sample families, read from a file as the real ones are."""

from pathlib import Path

import pytest

from dcode.lessons.family import Family, read_families
from tests.lessons.sample import DOMAIN


@pytest.fixture
def families(tmp_path: Path) -> tuple[Family, ...]:
    path = tmp_path / "gauges.toml"
    path.write_text(DOMAIN, encoding="utf-8")
    return read_families([path])
