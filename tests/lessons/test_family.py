"""Reading domain files: what a family may say, and the errors that name file and family."""

from pathlib import Path

import pytest

from dcode.errors import InputError
from dcode.lessons.family import read_families
from tests.lessons.sample import ASKS, DOMAIN


def write(folder: Path, text: str) -> Path:
    path = folder / "gauges.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_domain_is_read(tmp_path: Path) -> None:
    first, second = read_families([write(tmp_path, DOMAIN)])
    assert (first.name, first.domain, first.asks) == ("raise_gauges", "gauges", tuple(ASKS))
    assert first.slots["n"].kind == "int"
    assert (first.slots["n"].low, first.slots["n"].high) == (2, 99)
    assert first.slots["fn"].options == ("raise_gauges", "raise_by_$n")
    assert first.code == "def $fn($arg):\n    return [value + $n for value in $arg]\n"
    assert second.slots["word"].kind == "word"
    assert second.setup == ""


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("$n higher", "$m higher"), r"\$m"),
        (('"int 2 99"', '"int 9 2"'), "bounds"),
        (('"int 2 99"', '"int two 9"'), "int two 9"),
        (('"int 2 99"', '"integer"'), "integer"),
        (('"calc n + 1"', '"calc n +"'), "calc"),
        (("[them|all]", "[them]"), "bracket"),
        (("[them|all]", "[them|[all|both]]"), "bracket"),
        (("test = ", "tests = "), "tests"),
        (("return [value", "return ['$ ', value"), r"stray \$"),
        (("[tag_note]", "[tag_note]\nkind = 'poem'"), "poem"),
    ],
)
def test_errors_name_file_and_family(tmp_path: Path, change: tuple[str, str], complaint: str) -> None:
    path = write(tmp_path, DOMAIN.replace(*change, 1))
    with pytest.raises(InputError, match=rf"gauges\.toml: \[\w+\] .*{complaint}"):
        read_families([path])


def test_a_name_stands_for_one_family(tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(DOMAIN, encoding="utf-8")
    with pytest.raises(InputError, match=r"\[raise_gauges\] has the name of a family in gauges\.toml"):
        read_families([write(tmp_path, DOMAIN), other])


def test_what_is_not_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not TOML"):
        read_families([write(tmp_path, "[a")])
    with pytest.raises(InputError, match="cannot read"):
        read_families([tmp_path / "none.toml"])
