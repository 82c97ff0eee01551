"""Fill every task's gap, run the filled program against its test, and report.

Who fills is a function; two are made here: the model as users run it (`dcode.jobs`), and an n-gram model for
comparison. It does not know how a fill comes about, nor how a program is fenced in (`dcode.lessons.sandbox`).
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

from dcode.diffusion.plan import Plan
from dcode.errors import ModelError
from dcode.evaluate.metrics import exact_match, parses
from dcode.evaluate.report import Report, Row, read_rows
from dcode.evaluate.tasks import InfillTask, filled, program
from dcode.jobs.infill import infill
from dcode.lessons.sandbox import Outcome, run
from dcode.model.load import Model
from dcode.model.tokenizer import Tokenizer
from dcode.text.result import Result
from dcode.text.source import Source
from dcode.text.span import Span

ERROR_CHARS = 200


@dataclass(frozen=True, slots=True)
class Fill:
    """An answer: the text for the gap, its verdict (`dcode.text.result`), forwards, seconds, sureness (0 to 1)."""

    text: str
    verdict: str
    forwards: int
    seconds: float
    sure: float = 0.0


Filler = Callable[[InfillTask], Fill]


class LineModel(Protocol):
    """What an n-gram filler asks of its model."""

    def lines(self, prefix: Sequence[int], suffix: Sequence[int], newline_id: int, beam: int) -> list[list[int]]:
        """Ids of lines that may stand between `prefix` and `suffix`, without their newline, likeliest first."""
        ...


def evaluate(
    tasks: Sequence[InfillTask],
    fill: Filler,
    *,
    workers: int = 1,
    done: Path | None = None,
    on_row: Callable[[Row], object] = lambda row: None,
    timeout_s: float = 5.0,
) -> Report:
    """Fill and run all `tasks`; programs run `workers` at a time while the filler goes on.

    Rows are appended to `done` (JSON lines) as they come, and tasks that it holds already are not done again:
    use one file for one filler and its settings. `on_row` sees every new row.
    """
    rows = read_rows(done) if done else {}
    fresh = (task for task in tasks if task.task_id not in rows)
    for row in judged(fresh, fill, workers, timeout_s):
        rows[row.task_id] = row
        if done:
            with done.open("a", encoding="utf-8") as file:
                file.write(row.line() + "\n")
        on_row(row)
    return Report(tuple(rows[task.task_id] for task in tasks))


def judged(tasks: Iterable[InfillTask], fill: Filler, workers: int, timeout_s: float) -> Iterator[Row]:
    """Rows in task order; no more than `workers` programs wait or run while the next gap is filled."""
    waiting: deque[tuple[InfillTask, Fill, Future[Outcome]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for task in tasks:
            answer = fill(task)
            waiting.append((task, answer, pool.submit(run, program(task, answer.text), timeout_s=timeout_s)))
            while waiting and (len(waiting) > workers or waiting[0][2].done()):
                yield _row(*waiting.popleft())
        while waiting:
            yield _row(*waiting.popleft())


def model_filler(
    model: Model,
    plan: Plan,
    # A Grammar or None. This room may not import syntax; the job that is handed the grammar may.
    grammar: Any,
    feedback: bool,
    *,
    slots: int = 64,
    whole_lines: bool = True,
) -> Filler:
    """The model's first candidate for one empty hole of `slots` slots: the true length is never told.

    With `whole_lines` (single-line and multi-line tasks) the hole stands on a blank line between prefix and
    suffix, as a person would open one: the line's newline is part of the file, its indentation is not, and
    must be produced. Otherwise (random spans) prefix and suffix meet in the hole.
    """
    ending = "\n" if whole_lines else ""

    def fill(task: InfillTask) -> Fill:
        source = Source.of((task.prefix + ending + task.suffix).encode(), task.task_id)
        at = len(Source.of(task.prefix.encode(), task.task_id).view)
        began = perf_counter()
        events = infill(source, [Span(at, at)], model, grammar, plan, slots=slots, feedback=feedback)
        results = [event for event in events if isinstance(event, Result)]
        seconds = perf_counter() - began
        if not results:
            return Fill(ending, "failed", 0, seconds)
        region = results[0].regions[0]
        text = region.new.decode("utf-8", "replace") + ending
        return Fill(text, region.verdict, results[0].forwards, seconds)

    return fill


def ngram_filler(ngram: LineModel, tokenizer: Tokenizer, *, beam: int = 16, feedback: bool = True) -> Filler:
    """One line from an n-gram model over the same tokens, without forward passes.

    With `feedback` it is the likeliest line that makes the program parse ("failed" if none does): the model is
    helped by a parser, and so is what it is compared with. Without, it is the likeliest, "unchecked".
    """
    newline = tokenizer.encode(b"\n")
    if len(newline) != 1:
        raise ModelError("the tokenizer has no token for a newline")

    def fill(task: InfillTask) -> Fill:
        began = perf_counter()
        prefix, suffix = (tokenizer.encode(text.encode()) for text in (task.prefix, task.suffix))
        lines = ngram.lines(prefix, suffix, newline[0], beam)
        texts = [tokenizer.decode(line).decode("utf-8", "replace") + "\n" for line in lines]
        whole = (text for text in texts if feedback and parses(filled(task, text)))
        text = next(whole, None)
        verdict = "unchecked" if not feedback else "failed" if text is None else "verified"
        return Fill(texts[0] if text is None else text, verdict, 0, perf_counter() - began)

    return fill


def _row(task: InfillTask, answer: Fill, running: Future[Outcome]) -> Row:
    outcome = running.result()
    complaint = outcome.stderr.rstrip().rpartition("\n")[2]
    return Row(
        task_id=task.task_id,
        text=answer.text,
        verdict=answer.verdict,
        status=outcome.status,
        exact=exact_match(answer.text, task.canonical),
        parses=parses(filled(task, answer.text)),
        forwards=answer.forwards,
        seconds=answer.seconds,
        error=complaint[:ERROR_CHARS],
    )
