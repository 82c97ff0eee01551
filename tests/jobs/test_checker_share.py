"""What the checker costs where nothing is wrong: a share of decoding's processor time, not seconds."""

import sysconfig
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

import pytest
import torch

from dcode.diffusion.plan import Plan
from dcode.evaluate.holes import cut
from dcode.jobs.infill import infill
from dcode.model.load import load
from dcode.syntax.check import GrammarChecker
from dcode.syntax.grammar import grammar
from dcode.text.result import Result
from dcode.text.source import Source
from dcode.text.span import Span

FILES = ("argparse.py", "ast.py", "bisect.py", "calendar.py", "cmd.py", "csv.py", "dis.py", "heapq.py", "queue.py")
FILES += ("shlex.py", "string.py", "textwrap.py", "timeit.py", "token.py", "trace.py", "types.py", "uuid.py", "wave.py")
METHODS = ("__init__", "faults", "prefix_fault", "candidates", "certified", "statements", "parses")


@pytest.mark.slow
def test_a_clean_run_spends_little_on_the_checker(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spent = [0.0]

    def timed(method: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any) -> Any:
            begun = process_time()
            try:
                return method(*args)
            finally:
                spent[0] += process_time() - begun

        return called

    # Of methods that call each other only the outer one counts: `parses` and `certified` ask none of the others.
    for name in METHODS:
        monkeypatch.setattr(GrammarChecker, name, timed(getattr(GrammarChecker, name)))
    torch.set_num_threads(1)
    model = load("mini")
    plan = Plan.preset("balanced", model.checkpoint.defaults, model.checkpoint.presets)
    library, clean = Path(sysconfig.get_path("stdlib")), []
    for task in cut(((name, (library / name).read_text("utf-8")) for name in FILES), len(FILES), 0):
        source = Source.of((task.prefix + "\n" + task.suffix).encode(), task.task_id)
        at, begun, spent[0] = len(task.prefix.encode()), process_time(), 0.0
        stream = infill(source, [Span(at, at)], model, grammar("python"), plan, slots=64)
        (result,) = [seen for seen in stream if isinstance(seen, Result)]
        if not result.repairs and result.verdict == "verified":
            clean.append((spent[0], process_time() - begun))
    checking, total = (sum(part) for part in zip(*clean, strict=True))
    with capsys.disabled():
        print(
            f"\n{len(clean)} of {len(FILES)} runs clean: {100 * checking / total:.1f} % of {total:.1f} s on the checker"
        )
    assert checking <= 0.03 * total
