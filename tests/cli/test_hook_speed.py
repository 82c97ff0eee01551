"""How long a commit waits for the hook, with the embedded model: printed, never asserted."""

import os
import statistics
import subprocess
import time
from pathlib import Path

import pytest
from hooked import DCODE, PATIENT, Repository

CLASS = b'''class Account{number}:
    """An account."""

    def __init__(self, owner: str, balance: int) -> None:
        """Open it."""
        self.owner = owner
        self.balance = balance

    def deposit(self, amount: int) -> int:
        """Put money in."""
        if amount <= 0:
            raise ValueError("an amount is positive")
        self.balance += amount
        return self.balance

    def withdraw(self, amount: int) -> int:
        """Take money out."""
        if amount > self.balance:
            raise ValueError("there is not so much")
        self.balance -= amount
        return self.balance

    def describe(self) -> str:
        """Say whose it is."""
        return f"{self.owner}: {self.balance}"

    def close(self) -> None:
        """Empty it."""
        # dcode: set the balance to zero
        ...
'''
"""30 changed lines and blank ones here and there, with a marker; every second time one of them is broken as well."""

BROKEN = (b"if amount <= 0:", b"if amount <= 0")


@pytest.mark.slow
def test_seconds_for_one_file_of_thirty_changed_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "r").mkdir()
    (tmp_path / "none").mkdir()
    made = Repository.make(tmp_path / "r", tmp_path / "none")
    made.environment["DCODE_MODEL"] = "mini"
    for name in PATIENT:
        del made.environment[name]
    (tmp_path / "none/sitecustomize.py").unlink()
    old = b"".join(b"CONSTANT_%d = %d\n" % (number, number) for number in range(60))
    made.write(a_py=old, pyproject_toml=b"")
    made.git("add", ".")
    made.git("commit", "-qm", "1")
    seconds, spent, proposed, late = [], [], 0, 0
    for number in range(20):
        text = CLASS.replace(b"{number}", b"%d" % number)
        made.write(a_py=old + b"\n\n" + (text.replace(*BROKEN) if number % 2 else text))
        made.git("add", ".")
        begun, cpu = time.monotonic(), sum(os.times()[2:4])
        done = subprocess.run(
            [*DCODE, "hook", "run"], cwd=made.folder, env=made.environment, capture_output=True, check=True
        )
        seconds.append(time.monotonic() - begun)
        spent.append(sum(os.times()[2:4]) - cpu)
        proposed += done.stdout.count(b" apply ")
        late += b"in time" in done.stderr or b"took too long" in done.stderr
    with capsys.disabled():
        p95 = statistics.quantiles(seconds, n=20)[-1]
        cpu95 = statistics.quantiles(spent, n=20)[-1]
        print(f"\nhook: median {statistics.median(seconds):.2f} s, p95 {p95:.2f} s of {len(seconds)} runs")
        print(f"CPU time: median {statistics.median(spent):.2f} s, p95 {cpu95:.2f} s")
        print(f"{proposed} proposals, {late} cut short")
