"""Fill holes in a file: window, canvas, sampling, check, result. The file itself is only read here."""

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from dcode.diffusion.canvas import Canvas
from dcode.diffusion.plan import Plan
from dcode.jobs import window
from dcode.jobs.fill import CONTEXT, Outcome, fill, verdict, vocabulary
from dcode.model.load import Model
from dcode.syntax.check import GrammarChecker, file_faults
from dcode.syntax.grammar import Grammar
from dcode.text.checker import Draft
from dcode.text.frame import Frame
from dcode.text.prompt import request_header
from dcode.text.result import Region, Result, Verdict
from dcode.text.source import Source
from dcode.text.span import Span

SAMPLED = 0.8
"""The temperature of further candidates when the first is greedy."""


def infill(
    source: Source,
    spans: Sequence[Span],
    model: Model,
    grammar: Grammar | None,
    plan: Plan,
    *,
    hints: Sequence[str] = (),
    leads: Sequence[bytes] = (),
    slots: int | None = None,
    count: int = 1,
    feedback: bool = True,
    deadline: float | None = None,
) -> Iterator[Frame | Result]:
    """Fill disjoint `spans` of the view, in order; Frames while it works, then `count` Results, best first.

    `leads`: bytes that each fill begins with, the indent of a blank line for example. `slots` per hole: by default
    from the text it replaces. Without `grammar` or `feedback` nothing is checked.
    Raises InputError for a hole that fits no window, OutOfTime if the deadline (time.monotonic) leaves no result.
    """
    sizes = [slots or window.default_slots(source.view[s.start : s.end], model.tokenizer) for s in spans]
    window.check_fits(sizes, spans, source.view, model.window)
    said = (*hints, *[""] * (len(spans) - len(hints)))
    forced = (*leads, *[b""] * (len(spans) - len(leads)))
    job = _Job(source, tuple(spans), forced, tuple(sizes), model, grammar if feedback else None, said, deadline)
    results: list[Result] = []
    for number in range(count):
        results.append((yield from job.candidate(candidate_plan(plan, number))))
    yield from ranked(results)


def candidate_plan(plan: Plan, number: int) -> Plan:
    """The plan of candidate `number`: the first as asked, further ones with their own seed and some temperature."""
    if number == 0:
        return plan
    return replace(plan, seed=plan.seed + number, temperature=plan.temperature or SAMPLED)


def ranked(results: Sequence[Result]) -> list[Result]:
    """Best first: verified ones, then by mean confidence; texts that came up before are dropped."""
    order = ("verified", "uncertified", "unchecked", "fallback", "failed")
    unique = {result.view: result for result in reversed(results)}
    return sorted(unique.values(), key=lambda r: (order.index(r.verdict), -_confidence(r)))


def _confidence(result: Result) -> float:
    return sum(region.confidence for region in result.regions) / max(1, len(result.regions))


@dataclass(frozen=True)
class _Job:
    """One file and its holes; `candidate` runs the road once."""

    source: Source
    named: tuple[Span, ...]
    leads: tuple[bytes, ...]
    sizes: tuple[int, ...]
    model: Model
    grammar: Grammar | None
    hints: tuple[str, ...]
    deadline: float | None

    @cached_property
    def view(self) -> bytes:
        """The file with the leads in place, as if the person had typed them."""
        return self._led.data

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        """What is left to fill, in `view`: the named spans behind their leads."""
        pairs = zip(self._led.holes, self.leads, strict=True)
        return tuple(Span(hole.start + len(lead), hole.end) for hole, lead in pairs)

    @cached_property
    def _led(self) -> Draft:
        old = (self.source.view[span.start : span.end] for span in self.named)
        texts = [lead + text for lead, text in zip(self.leads, old, strict=True)]
        return _spliced(self.source.view, self.named, texts)

    @cached_property
    def checker(self) -> GrammarChecker | None:
        """Judges the whole file, with every hole."""
        return GrammarChecker(self.grammar, self.view, self.spans) if self.grammar else None

    def candidate(self, plan: Plan) -> Generator[Frame, None, Result]:
        """Fill the groups of holes that share a window in file order, each seeing the fills before it."""
        begun = time.monotonic()
        view = self.view
        witness = self.checker.witness() if self.checker else None
        # Holes that wait their turn hold what is known to parse, so that the others can be judged.
        texts = list(witness or (view[span.start : span.end] for span in self.spans))
        outcomes: list[tuple[Outcome, Verdict]] = []
        sizes = self.sizes
        for group in window.share(view, self.spans, sizes, self.model.tokenizer, self.model.window):
            outcome, said = yield from self._group(group, texts, plan)
            outcomes.append((outcome, said))
            texts[group.start : group.stop] = outcome.fills
        return self._result(outcomes, texts, witness, time.monotonic() - begun)

    def _group(self, group: range, texts: list[bytes], plan: Plan) -> Generator[Frame, None, tuple[Outcome, Verdict]]:
        draft = _spliced(self.view, self.spans, texts)
        holes = draft.holes[group.start : group.stop]
        alone = len(group) == len(self.spans)
        checker = self.checker if alone or not self.grammar else GrammarChecker(self.grammar, draft.data, holes)
        canvas = self._canvas(draft.data, holes, group)
        for seen in fill(canvas, self.model, plan, checker, self.deadline):
            if isinstance(seen, Outcome):
                return seen, verdict(seen, checker)
            yield seen
        raise AssertionError("fill ends with an Outcome")

    def _canvas(self, view: bytes, holes: Sequence[Span], group: range) -> Canvas:
        ends = [0, *(hole.end for hole in holes)]
        starts = [*(hole.start for hole in holes), len(view)]
        fixed = [view[end:start] for end, start in zip(ends, starts, strict=True)]
        comment = self.grammar.comment if self.grammar else "#"
        hints = self.hints[group.start : group.stop]
        hinted = [with_hint(piece, hint, comment) for piece, hint in zip(fixed[:-1], hints, strict=True)]
        sizes = self.sizes[group.start : group.stop]
        context = window.look(
            hinted[0],
            hinted[1:],
            fixed[-1],
            sum(sizes),
            self.model.tokenizer,
            self.model.window,
            self.model.checkpoint.defaults.get("context", CONTEXT),
        )
        return Canvas.of(context, sizes, fixed, vocabulary(self.model))

    def _result(
        self,
        outcomes: Sequence[tuple[Outcome, Verdict]],
        texts: Sequence[bytes],
        witness: tuple[bytes, ...] | None,
        seconds: float,
    ) -> Result:
        draft = _spliced(self.view, self.spans, texts)
        said = [verdict for outcome, verdict in outcomes for _ in outcome.fills]
        if self.checker and "failed" not in said and self.checker.faults(draft):
            said = ["failed"] * len(said)
        if "failed" in said and witness is not None:
            # One witness serves all holes: answers and witnesses were never judged together.
            draft, said = _spliced(self.view, self.spans, witness), ["fallback"] * len(said)
        view = self.source.view
        sure = [value for outcome, _ in outcomes for value in outcome.confidence]
        regions = tuple(
            Region(span, view[span.start : span.end], lead + draft.data[new.start : new.end], word, value)
            for span, lead, new, word, value in zip(self.named, self.leads, draft.holes, said, sure, strict=True)
        )
        return Result(
            regions=regions,
            view=draft.data,
            faults_before=file_faults(self.grammar, view) if self.grammar else (),
            faults_after=file_faults(self.grammar, draft.data) if self.grammar else (),
            forwards=sum(outcome.forwards for outcome, _ in outcomes),
            repairs=sum(outcome.repairs for outcome, _ in outcomes),
            seconds={"total": seconds},
            stopped=next((o.stopped for o, _ in outcomes if o.stopped != "clean"), "clean"),
        )


def with_hint(before: bytes, hint: str, comment: str) -> bytes:
    """The text before a hole with the hint as comment lines above the hole's line, indented alike."""
    if not hint:
        return before
    start = before.rfind(b"\n") + 1
    line = before[start:]
    indent = line[: len(line) - len(line.lstrip())]
    header = request_header(hint, comment).encode().splitlines(keepends=True)
    return before[:start] + b"".join(indent + one for one in header) + line


def _spliced(view: bytes, spans: Sequence[Span], texts: Sequence[bytes]) -> Draft:
    """The view with `texts` in place of `spans`, and where they lie in it."""
    parts, holes, at, size = [], [], 0, 0
    for span, text in zip(spans, texts, strict=True):
        parts += [view[at : span.start], text]
        size += span.start - at
        holes.append(Span(size, size + len(text)))
        size, at = size + len(text), span.end
    return Draft(b"".join([*parts, view[at:]]), tuple(holes))
