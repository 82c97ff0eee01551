"""Requests answered with programs, every program executed, and the share that passes.

Who writes is a function; one is made here, the model as people run it. What a program must do to pass is the
question's own business. Attempts are kept as JSON lines, which let a measurement resume.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from statistics import fmean, median
from time import perf_counter
from typing import Any

from dcode.diffusion.plan import Plan
from dcode.evaluate.infill import ERROR_CHARS, Fill, Filler
from dcode.evaluate.metrics import Rate, bootstrap, parses, pass_at_k, wilson
from dcode.evaluate.report import NO_ANSWER, percent, read_kept
from dcode.evaluate.spread import spread
from dcode.evaluate.tasks import InfillTask
from dcode.jobs.edit import edit
from dcode.jobs.generate import SLOTS, generate
from dcode.jobs.infill import SAMPLED
from dcode.lessons.sandbox import Outcome
from dcode.model.load import Model
from dcode.text.result import Result
from dcode.text.source import Source
from dcode.text.span import Span

VERIFIED = "verified"

SURE = {"98 % sure": (0.98, 2.0), "95 % sure": (0.95, 0.98), "less sure": (0.0, 0.95)}
"""Answers by how sure the model was of them: from a share on, below another."""


@dataclass(frozen=True, slots=True)
class Question:
    """A request; `group` is what its figure is told under, `cluster` names the questions that rise and fall with it.

    `execute` runs an answer in the sandbox; it passed if it ran to its last line. With `old` the request is to change
    that code.
    """

    task_id: str
    request: str
    group: str
    cluster: str
    execute: Callable[[str], Outcome]
    old: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One program for one question: by whom (`run`), the text, its verdict, how it ended (`status`), the cost.

    `sure` is what `dcode gen` says of it, 0 to 1.
    """

    run: str
    task_id: str
    group: str
    cluster: str
    sample: int
    request: str
    text: str
    verdict: str
    status: str
    forwards: int
    seconds: float
    error: str
    sure: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether a program was given at all and ran to its end."""
        return self.status == "passed" and self.verdict not in NO_ANSWER


Writer = Callable[[Question, int], Fill]
"""A question and the number of the sample in, a program out."""


def measure(
    questions: Sequence[Question],
    make_writer: Callable[[], Writer],
    run: str,
    *,
    samples: int = 1,
    processes: int = 1,
    keep: Path | None = None,
    on_attempt: Callable[[Attempt], object] = lambda attempt: None,
) -> tuple[Attempt, ...]:
    """`samples` attempts a question, executed; in the questions' order.

    New ones are appended to `keep`, and what it holds of the same `run` (a text that names model and settings) is not
    done again. Several `processes` make a writer each.
    """
    kept = {_key(each): each for each in (read_kept(keep, Attempt) if keep else ())}
    wanted = [(question, sample) for question in questions for sample in range(samples)]
    keys = [(run, question.task_id, question.request, sample) for question, sample in wanted]
    fresh = [pair for pair, key in zip(wanted, keys, strict=True) if key not in kept]
    for attempt in spread(fresh, partial(_answerer, make_writer, run), processes):
        kept[_key(attempt)] = attempt
        if keep:
            with keep.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(attempt), ensure_ascii=False) + "\n")
        on_attempt(attempt)
    return tuple(kept[key] for key in keys)


def model_writer(
    model: Model,
    plan: Plan,
    change_plan: Plan,
    grammar: Any,
    *,
    feedback: bool,
    samples: int = 1,
    slots: int | None = None,
) -> Writer:
    """The model as `dcode gen` runs it by `plan`, and `dcode edit` by `change_plan`; several samples have seeds of
    their own and are not greedy."""

    def write(asked: Question, sample: int) -> Fill:
        own = change_plan if asked.old else plan
        own = replace(own, seed=own.seed + sample)
        if samples > 1:
            own = replace(own, temperature=own.temperature or SAMPLED)
        began = perf_counter()
        if asked.old:
            source = Source.of(asked.old.encode(), asked.task_id)
            region = Span(0, len(source.view.rstrip()))
            events = edit(source, region, asked.request, model, grammar, own, slots=slots, feedback=feedback)
        else:
            events = generate(asked.request, model, grammar, own, slots=slots or SLOTS, feedback=feedback)
        result = next(event for event in events if isinstance(event, Result))
        text = result.view.decode("utf-8", "replace")
        return Fill(text, result.verdict, result.forwards, perf_counter() - began, result.regions[0].confidence)

    return write


def hole_writer(fill: Filler) -> Writer:
    """What a filler puts behind a request that is code itself."""
    return lambda asked, sample: fill(InfillTask(asked.task_id, asked.request, "", "", "", ""))


@dataclass(frozen=True)
class Passes:
    """Attempts of one group or of all, and what they say; `k` programs may be tried before one must pass."""

    attempts: tuple[Attempt, ...]
    k: int = 1

    @cached_property
    def groups(self) -> dict[str, "Passes"]:
        """The same by group, in the order in which they come."""
        names = dict.fromkeys(attempt.group for attempt in self.attempts)
        return {
            name: Passes(tuple(attempt for attempt in self.attempts if attempt.group == name), self.k) for name in names
        }

    @cached_property
    def chances(self) -> list[tuple[str, float]]:
        """For every question its cluster and its pass@k, by the unbiased estimator."""
        found: dict[tuple[str, str], list[bool]] = {}
        clusters: dict[tuple[str, str], str] = {}
        for attempt in self.attempts:
            found.setdefault((attempt.group, attempt.task_id), []).append(attempt.passed)
            clusters[attempt.group, attempt.task_id] = attempt.cluster
        return [(clusters[task], pass_at_k(len(passed), sum(passed), self.k)) for task, passed in found.items()]

    @cached_property
    def rate(self) -> float:
        """pass@k, the mean over questions."""
        return fmean(chance for _, chance in self.chances) if self.chances else 0.0

    @cached_property
    def interval(self) -> tuple[float, float]:
        """95 %, whole clusters drawn again; where nothing varies, Wilson's, which does not shrink to a point."""
        values = [chance for _, chance in self.chances]
        if len(set(values)) < 2:
            return wilson(round(sum(values)), len(values))
        return bootstrap(values, clusters=[cluster for cluster, _ in self.chances])

    @property
    def by_sureness(self) -> dict[str, Rate]:
        """How often those that the model was sure of passed, and the others."""
        found = {
            name: [one.passed for one in self.attempts if low <= one.sure < end] for name, (low, end) in SURE.items()
        }
        return {name: Rate(sum(passed), len(passed)) for name, passed in found.items()}

    def to_json(self) -> dict[str, object]:
        """Plain values for `json.dumps`, attempts left out."""
        low, high = self.interval
        total = len(self.attempts)
        return {
            "questions": len(self.chances),
            "samples": total,
            f"pass@{self.k}": {"rate": round(self.rate, 4), "low": round(low, 4), "high": round(high, 4)},
            "parses": round(Rate(sum(parses(attempt.text) for attempt in self.attempts), total).value, 4),
            "sureness": {name: asdict(rate) for name, rate in self.by_sureness.items()},
            "verdicts": _counts(attempt.verdict for attempt in self.attempts),
            "statuses": _counts(attempt.status for attempt in self.attempts),
            "forwards": round(fmean(attempt.forwards for attempt in self.attempts), 2) if total else 0,
            "seconds": round(median(attempt.seconds for attempt in self.attempts), 3) if total else 0,
        }


def table(reports: Mapping[str, Passes]) -> list[tuple[str, ...]]:
    """A head, then under every writer's name a row for each group and each sureness, for whoever draws the table."""
    k = next(iter(reports.values())).k
    rows: list[tuple[str, ...]] = [("", "asked", f"pass@{k}", "parses", VERIFIED, "forwards", "s each")]
    for name, passes in reports.items():
        rows.append((name, *[""] * (len(rows[0]) - 1)))
        rows += [(f"  {group}", *_cells(each)) for group, each in passes.groups.items()]
        said = passes.by_sureness.items()
        rows += [(f"  {sure}", str(rate.total), percent(rate), *[""] * 4) for sure, rate in said if rate.total]
    return rows


def _cells(passes: Passes) -> tuple[str, ...]:
    found: dict[str, Any] = passes.to_json()
    low, high = passes.interval
    rate = f"{100 * passes.rate:.1f} % ({100 * low:.1f}-{100 * high:.1f})"
    shares = (found["parses"], found["verdicts"].get(VERIFIED, 0) / max(1, found["samples"]))
    costs = (f"{found['forwards']:.1f}", f"{found['seconds']:.2f}")
    return (str(found["questions"]), rate, *(f"{100 * share:.1f} %" for share in shares), *costs)


def _answerer(make_writer: Callable[[], Writer], run: str) -> Callable[[tuple[Question, int]], Attempt]:
    writer = make_writer()
    return lambda asked: _attempt(writer, run, *asked)


def _attempt(writer: Writer, run: str, question: Question, sample: int) -> Attempt:
    answer = writer(question, sample)
    outcome = question.execute(answer.text)
    return Attempt(
        run=run,
        task_id=question.task_id,
        group=question.group,
        cluster=question.cluster,
        sample=sample,
        request=question.request,
        text=answer.text,
        verdict=answer.verdict,
        status=outcome.status,
        forwards=answer.forwards,
        seconds=round(answer.seconds, 4),
        error=outcome.stderr.rstrip().rpartition("\n")[2][:ERROR_CHARS],
        sure=round(answer.sure, 4),
    )


def _key(attempt: Attempt) -> tuple[str, str, str, int]:
    return attempt.run, attempt.task_id, attempt.request, attempt.sample


def _counts(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))
