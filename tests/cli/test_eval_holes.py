"""`dcode eval holes` with random weights: a table, the same figures as JSON, nothing but what was asked for."""

import json
from pathlib import Path

from scripted import Run

MODULE = "".join(f"def f{i}(a, b):\n    total = a + b * {i}\n    return total\n\n\n" for i in range(9))


def test_files_are_cut_filled_and_counted(run: Run, tiny: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(MODULE, encoding="utf-8")
    line = ("eval", "holes", str(tmp_path), "-m", str(tiny), "--rows", "2", "--slots", "4", "--steps", "2", "-q")
    seen = run(*line)
    assert seen.code == 0, seen.err
    assert [row.split()[:2] for row in seen.out.decode().splitlines()][:2] == [["holes", "parse"], ["all", "2"]]
    seen = run(*line, "--json", "--keep", str(tmp_path / "kept"))
    assert len((tmp_path / "kept").read_text(encoding="utf-8").splitlines()) == 2
    assert run(*line, "--json", "--keep", str(tmp_path / "kept")).out == seen.out
    (tmp_path / "kept").unlink()
    verdicts = json.loads(seen.out)["report"]
    assert verdicts["all"]["holes"] == 2 == sum(one["holes"] for name, one in verdicts.items() if name != "all")
    assert all(
        verdicts[name]["parse"] == verdicts[name]["holes"] for name in ("verified", "fallback") if name in verdicts
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.py", "two.py"]
