"""Fill holes in a file: window, canvas, sampling, check, result. The file itself is only read here."""

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from dcode.diffusion.canvas import Canvas
from dcode.diffusion.length import Found
from dcode.diffusion.plan import Plan
from dcode.errors import ModelError, OutOfTime
from dcode.jobs import window
from dcode.jobs.fill import Outcome, distinct, fill, is_late, verdict, vocabulary
from dcode.jobs.fim import Hole, fill_hole
from dcode.jobs.lengths import find_lengths
from dcode.model.checkpoint import checkpoints
from dcode.model.load import Model
from dcode.syntax.check import GrammarChecker, file_faults
from dcode.syntax.grammar import Grammar
from dcode.syntax.identity import filled
from dcode.syntax.mend import mended
from dcode.syntax.outline import outline
from dcode.text.checker import Draft
from dcode.text.frame import Frame
from dcode.text.prompt import request_header
from dcode.text.result import Region, Result, Verdict
from dcode.text.source import Source
from dcode.text.span import Span
from dcode.trust.policy import Policy

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
    comment = grammar.comment if grammar else "#"
    notes = [request_header(hint, comment) for hint in hints]
    checked = grammar if feedback else None
    yield from fill_spans(source, spans, model, checked, plan, notes, leads, slots, count, deadline)


def fill_spans(
    source: Source,
    spans: Sequence[Span],
    model: Model,
    grammar: Grammar | None,
    plan: Plan,
    notes: Sequence[str],
    leads: Sequence[bytes],
    slots: int | None,
    count: int,
    deadline: float | None,
) -> Iterator[Frame | Result]:
    """What `infill` does, with `notes`: the comment lines that the model sees above each hole's line, "" for none."""
    if model.block and not (model.framing and model.framing.hole):
        what = f"{model.checkpoint.name} sees nothing behind a hole, so it cannot fill one"
        raise ModelError(what, hint=f"these can: {', '.join(seeing_both_sides())}")
    sizes = [slots or window.default_slots(source.view[s.start : s.end], model.tokenizer) for s in spans]
    noted = (*notes, *[""] * (len(spans) - len(notes)))
    window.check_fits(sizes, spans, noted, source.view, model.tokenizer, model.window)
    forced = (*leads, *[b""] * (len(spans) - len(leads)))
    job = _Job(source, tuple(spans), forced, tuple(sizes), model, grammar, noted, deadline)
    results: list[Result] = []
    for number in range(count):
        try:
            results.append((yield from job.candidate(candidate_plan(plan, number), number)))
        except OutOfTime:
            if not results:
                raise
            break
    yield from distinct(results) if model.is_causal else ranked(results)


def seeing_both_sides() -> list[str]:
    """The models known to see what is behind a hole: our own, and the public ones with full attention."""
    return [name for name, row in checkpoints().items() if row.hub is None or row.attention == "full"]


def candidate_plan(plan: Plan, number: int) -> Plan:
    """The plan of candidate `number`: the first as asked, further ones with their own seed and some temperature."""
    if number == 0:
        return plan
    return replace(plan, seed=plan.seed + number, temperature=plan.temperature or SAMPLED)


def ranked(results: Sequence[Result]) -> list[Result]:
    """Best first: verified ones, those that lack no name, by mean confidence; texts that came up before are dropped."""
    order = ("verified", "uncertified", "unchecked", "fallback", "failed")
    unique = {result.view: result for result in reversed(results)}
    return sorted(unique.values(), key=lambda r: (order.index(r.verdict), len(r.unbound), -_confidence(r)))


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
    notes: tuple[str, ...]
    deadline: float | None
    searched: dict[tuple[bytes, range], Found] = field(default_factory=dict)
    drawn: dict[tuple[bytes, Span], list[Outcome]] = field(default_factory=dict)

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
        return filled(self.source.view, self.named, texts)

    @cached_property
    def checker(self) -> GrammarChecker | None:
        """Judges the whole file, with every hole."""
        return GrammarChecker(self.grammar, self.view, self.spans) if self.grammar else None

    def candidate(self, plan: Plan, number: int = 0) -> Generator[Frame, None, Result]:
        """Fill the groups of holes that share a window in file order, each seeing the fills before it.

        Where the model's holes need a search for their lengths, candidate `number` takes the next best ones.
        """
        begun = time.monotonic()
        view = self.view
        witness = self.checker.witness() if self.checker else None
        # Holes that wait their turn hold what is known to parse, so that the others can be judged.
        texts = list(witness or (view[span.start : span.end] for span in self.spans))
        outcomes: list[tuple[Outcome, Verdict]] = []
        if self.model.is_causal:
            groups, fill_group = [range(at, at + 1) for at in range(len(self.spans))], self._drawn
        else:
            known, room = self.model.tokenizer, self.model.window
            groups, fill_group = window.share(view, self.spans, self.sizes, self.notes, known, room), self._group
        for group in groups:
            outcome, said = yield from fill_group(group, texts, plan, number)
            outcomes.append((outcome, said))
            texts[group.start : group.stop] = outcome.fills
        return self._result(outcomes, texts, witness, time.monotonic() - begun)

    def _group(
        self, group: range, texts: list[bytes], plan: Plan, number: int
    ) -> Generator[Frame, None, tuple[Outcome, Verdict]]:
        draft = filled(self.view, self.spans, texts)
        holes = draft.holes[group.start : group.stop]
        alone = len(group) == len(self.spans)
        checker = self.checker if alone or not self.grammar else GrammarChecker(self.grammar, draft.data, holes)
        sizes, searched = self._sizes(draft.data, holes, group, number)
        canvas = self._canvas(draft.data, holes, group, sizes)
        for seen in fill(canvas, self.model, plan, checker, self.deadline, number):
            if isinstance(seen, Outcome):
                return replace(seen, forwards=seen.forwards + searched), verdict(seen, checker)
            yield seen
        raise AssertionError("fill ends with an Outcome")

    def _drawn(
        self, group: range, texts: list[bytes], plan: Plan, number: int
    ) -> Generator[Frame, None, tuple[Outcome, Verdict]]:
        """The hole's best text, or for a further candidate the next best, from one batch."""
        draft = filled(self.view, self.spans, texts)
        place = draft.holes[group.start]
        alone = len(self.spans) == 1
        checker = self.checker if alone or not self.grammar else GrammarChecker(self.grammar, draft.data, [place])
        outcomes = self.drawn.get((draft.data, place))
        if outcomes is None:
            span = self.spans[group.start]
            old = self.view[span.start : span.end]
            # Who says what shall stand there says nothing of its length.
            note, slots = self.notes[group.start], self.sizes[group.start]
            lines = old.rstrip(b"\n").count(b"\n") + 1 if old.strip() and not note else 0
            if note:
                slots = max(slots, window.default_slots(b"", self.model.tokenizer))
            hole = Hole(draft.data, place, note, lines, slots)
            policy = Policy.of(self.model.checkpoint.policy)
            seen = outline(self.grammar, draft.data, place.start) if self.grammar else ()
            outcomes = yield from fill_hole(hole, self.model, self.grammar, checker, plan, policy, seen, self.deadline)
            self.drawn[draft.data, place] = outcomes
        if not outcomes:
            old = texts[group.start]
            return Outcome((old,), (0.0,), (), 0, 0, "time" if is_late(self.deadline) else "rounds"), "failed"
        best = outcomes[min(number, len(outcomes) - 1)]
        return best, verdict(best, checker)

    def _sizes(self, view: bytes, holes: Sequence[Span], group: range, number: int) -> tuple[tuple[int, ...], int]:
        """Slots for every hole of the group, and the forwards it took to find them, if no candidate had to before."""
        sizes = self.sizes[group.start : group.stop]
        if self.model.checkpoint.length != "search":
            return sizes, 0
        found, forwards = self.searched.get((view, group)), 0
        if found is None:
            noted = window.note_tokens(view, holes[0], self.notes[group.start], self.model.tokenizer)
            found = find_lengths(self.model, lambda slots: self._canvas(view, holes, group, slots), sizes, noted)
            self.searched[view, group], forwards = found, found.forwards
        return found.tried[min(number, len(found.tried) - 1)][0], forwards

    def _canvas(self, view: bytes, holes: Sequence[Span], group: range, sizes: Sequence[int]) -> Canvas:
        ends = [0, *(hole.end for hole in holes)]
        starts = [*(hole.start for hole in holes), len(view)]
        fixed = [view[end:start] for end, start in zip(ends, starts, strict=True)]
        note, between = window.with_notes(fixed[1:-1], self.notes[group.start : group.stop])
        context = window.look(
            fixed[0],
            between,
            fixed[-1],
            sum(sizes),
            self.model.tokenizer,
            self.model.window,
            self.model.checkpoint.defaults.get("context", self.model.window),
            self._outline(view, holes[0]),
            note,
        )
        left = self.model.window - sum(map(len, context)) - sum(sizes)
        elastic = self.model.tokenizer.expand_id is not None
        room = [min(2 * size, left // len(sizes)) if elastic else 0 for size in sizes]
        return Canvas.of(context, sizes, fixed, vocabulary(self.model), room)

    def _outline(self, view: bytes, hole: Span) -> tuple[Span, ...]:
        """What the model should know of the text before a hole if it cannot see all of it."""
        if self.grammar is None or not self.model.checkpoint.defaults.get("outline", True):
            return ()
        return outline(self.grammar, view, hole.start)

    def _result(
        self,
        outcomes: Sequence[tuple[Outcome, Verdict]],
        texts: Sequence[bytes],
        witness: tuple[bytes, ...] | None,
        seconds: float,
    ) -> Result:
        draft = filled(self.view, self.spans, texts)
        said = [verdict for outcome, verdict in outcomes for _ in outcome.fills]
        if self.checker and "failed" not in said and self.checker.faults(draft):
            said = ["failed"] * len(said)
        if "failed" in said and witness is not None:
            # One fallback serves all holes: answers and witnesses were never judged together.
            draft, said = self._fallback(draft, witness), ["fallback"] * len(said)
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

    def _fallback(self, draft: Draft, witness: tuple[bytes, ...]) -> Draft:
        """Without the model: the answer mended, where nothing stood before; else the witness."""
        assert self.checker is not None and self.grammar is not None
        empty = not any(self.view[span.start : span.end].strip() for span in self.spans)
        found = mended(self.checker, draft, self.grammar.witnesses) if empty else None
        return found or filled(self.view, self.spans, witness)
