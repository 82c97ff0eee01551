"""The hook's worker, a process of its own: finds what could be proposed about what is staged, and keeps proposals.

It writes one line of JSON for each proposal as soon as that is kept, so that whoever waits has them even if the
worker is ended. torch and the model are loaded only when a rule matches. It edits no file.
"""

import os
import signal
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dcode.cli.hook_lines import Offer, Trouble, encoded
from dcode.errors import DcodeError, InputError, OutOfTime
from dcode.model.checkpoint import find
from dcode.repo import atomic, git, patch, staged
from dcode.repo.proposals import Proposal, Proposals, seen_key
from dcode.repo.staged import StagedFile
from dcode.settings import Settings, resolve
from dcode.syntax.check import file_faults
from dcode.syntax.grammar import Grammar, grammar_for
from dcode.syntax.opportunity import Opportunity, opportunities
from dcode.syntax.rules import has_rules, rules
from dcode.text.edit import Edit, splice
from dcode.text.source import Source, line_starts
from dcode.text.span import Span

MOST_HUNKS = 8
CONTEXT_LINES = 3  # of a patch, before and after what changes
TAIL_S = 0.5
"""What gates, keeping and leaving may take after the model has stopped."""

GRACE_S = 1.0
"""Whoever started us ends us at the hard limit; this much later we end by ourselves, should nobody be there."""


@dataclass(frozen=True, slots=True)
class Task:
    """A place in a staged file where a rule matches and nothing was proposed yet."""

    path: str
    source: Source
    grammar: Grammar
    found: Opportunity
    key: str

    @property
    def place(self) -> Span:
        """Where to look: what does not parse is about all that changed, and only a fault says where in it."""
        faults = file_faults(self.grammar, self.source.view) if self.found.rule.kind == "fix" else ()
        # The error node of a parser may begin far above; a compiler names the line.
        spans = [fault.span for fault in sorted(faults, key=lambda fault: fault.kind != "compile")]
        return spans[0] if spans else self.found.about

    def lines(self, span: Span) -> tuple[int, int]:
        """The first and the last line of a part of the view, from 1."""
        first, last = (self.source.view.count(b"\n", 0, at) for at in (span.start, max(span.start, span.end - 1)))
        return first + 1, last + 1

    def is_near(self, other: "Task") -> bool:
        """Whether patches for both would share lines of context, so that only one of them could be applied."""
        first, second = sorted((self.found.about, other.found.about))
        between = self.source.view.count(b"\n", first.end, max(first.end, second.start))
        return self.path == other.path and between <= 2 * CONTEXT_LINES


def main(arguments: Sequence[str]) -> int:
    """`SOFT HARD [FILE]...`: seconds until the best so far must do and until we are ended; only these, from the top."""
    soft_s, hard_s = float(arguments[0]), float(arguments[1])
    deadline = time.monotonic() + soft_s - TAIL_S
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, hard_s + GRACE_S)
    try:
        for line in propose(Path.cwd(), frozenset(arguments[2:]), deadline):
            _tell(line)
    except DcodeError as error:
        _tell(Trouble.of(error))
    return 0


def _tell(line: Offer | Trouble) -> None:
    sys.stdout.buffer.write(encoded(line))
    sys.stdout.buffer.flush()


def propose(here: Path, only: Collection[str], deadline: float) -> Iterator[Offer | Trouble]:
    """Every proposal about what is staged, kept, and what was asked for in vain; OutOfTime if not all was looked at."""
    top, index = git.top(here), staged.index_file(dict(os.environ), here)
    if top is None:
        return
    settings = resolve({}, folder=top).settings
    found = tasks(top, index, settings, only)
    if not found or staged.is_busy(top, index):
        return
    store = Proposals.locate(top)
    todo = [task for task in found if not store.seen(task.key)]
    if not todo:
        return
    from dcode.cli.work import Ready, get_plan, get_ready

    # Beside other work two threads wait for each other: what one does in 5 s took them 27 s on a busy machine.
    ready = get_ready(replace(settings, threads=settings.threads or 1))
    rewriting = Ready(ready.model, get_plan(settings, ready.model.checkpoint, "changes"))
    taken: list[Task] = []
    for task in todo:
        if any(task.is_near(other) for other in taken):
            continue
        done = _done(task, rewriting if task.found.rule.kind == "edit" else ready, deadline)
        if not done.refusal:
            taken.append(task)
            yield _kept(store, task, _as_on_disk(top, task), done.edits, done.verdict)
        elif task.found.rule.kind != "insert":  # somebody asked, or has to know
            first, _ = task.lines(task.place)
            yield Trouble(f"{task.path}:{first} {task.found.rule.why}: no proposal, {done.refusal}", 0)


def _done(task: Task, ready: Any, deadline: float) -> Any:
    """What the model makes of it; OutOfTime if the deadline leaves no answer."""
    from dcode.jobs.refactor import refactor

    if time.monotonic() <= deadline:
        with suppress(OutOfTime):
            return refactor(task.source, task.found, ready.model, task.grammar, ready.plan, deadline=deadline)
    raise OutOfTime("not everything was looked at in time", hint="DCODE_HOOK_SOFT_MS allows more")


def tasks(top: Path, index: Path | None, settings: Settings, only: Collection[str]) -> list[Task]:
    """Where rules match in the largest hunks, by rule and then as they stand in the files."""
    model = find(settings.model)

    def wanted(path: str) -> bool:
        if settings.excludes(path) or (only and path not in only) or not has_rules(path):
            return False
        return not model.languages or grammar_for(path).name in model.languages

    files = staged.staged(top, index, wanted)
    found = [task for file, ranges in largest(files) for task in _in_file(file, ranges)]
    asked = [task for task in found if not model.rules or task.found.rule.name in model.rules]
    return sorted(asked, key=lambda task: [rule.name for rule in rules(task.grammar)].index(task.found.rule.name))


def largest(files: Sequence[StagedFile]) -> list[tuple[StagedFile, list[range]]]:
    """The files with the hunks that belong to the largest of all."""
    hunks = [(len(hunk), file, hunk) for file in files for hunk in file.changed]
    chosen = sorted(hunks, key=lambda one: -one[0])[:MOST_HUNKS]
    kept = [(file, [hunk for _, owner, hunk in chosen if owner is file]) for file in files]
    return [(file, ranges) for file, ranges in kept if ranges]


def _in_file(file: StagedFile, ranges: Sequence[range]) -> Iterator[Task]:
    grammar = grammar_for(file.path)
    try:
        source = Source.of(file.data, file.path, grammar.cookie)
    except InputError:  # no text that can be edited safely
        return
    for found in opportunities(grammar, source.view, [_span(source, lines) for lines in ranges]):
        text = source.view[found.about.start : found.about.end]
        yield Task(file.path, source, grammar, found, seen_key(found.rule.name, file.path, text))


def _span(source: Source, lines: range) -> Span:
    """The view's bytes of lines as git counts them: it ends them at LF, the view at a lone CR as well."""
    rows = source.data.splitlines(keepends=True)
    ends = [number for number, row in enumerate(rows, start=1) if row.endswith(b"\n")]
    first, last = ([0, *ends, len(rows)][min(at, len(ends) + 1)] for at in (lines.start, lines.stop))
    starts = [*line_starts(source.view), len(source.view)]
    start, end = (starts[min(at, len(starts) - 1)] for at in (first, last))
    return Span(start, max(start, end - source.view.endswith(b"\n", start, end)))


def _as_on_disk(top: Path, task: Task) -> Source:
    """The file in the working tree, if it differs from what is staged in how lines end and no more; else the latter."""
    try:
        data = atomic.read(patch.target(top, task.path))
        there = Source.of(data, task.path, task.grammar.cookie)
    except InputError:
        return task.source
    return there if there.view == task.source.view else task.source


def _kept(store: Proposals, task: Task, base: Source, edits: Sequence[Edit], verdict: str) -> Offer:
    rule = task.found.rule
    after = splice(base, edits)
    kept = store.add(Proposal.of(task.path, base.data, after, rule=rule.name, why=rule.why, verdict=verdict))
    rows = kept.patch.split(b"\n")[3:]
    about = Span(edits[0].span.start, edits[-1].span.end) if rule.kind == "fix" else task.found.about
    first, last = task.lines(about)
    return Offer(
        id=kept.id,
        key=task.key,
        rule=kept.rule,
        path=kept.path,
        first=first,
        last=last,
        why=kept.why,
        verdict=kept.verdict,
        added=sum(row.startswith(b"+") for row in rows),
        removed=sum(row.startswith(b"-") for row in rows),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
