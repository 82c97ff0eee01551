"""Fill one hole with a left-to-right base: draw candidates, cut them where the text behind fits, read, choose.

Left alone such a model runs on beyond the hole. So the end of a fill is chosen: every candidate is cut at its line
ends, and a cut counts by how well the file goes on behind it.
"""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate, zip_longest

import torch

from dcode.diffusion.canvas import Canvas
from dcode.diffusion.plan import Plan
from dcode.diffusion.reader import Branch, read
from dcode.diffusion.sampler import Step, denoise
from dcode.errors import ModelError
from dcode.jobs import window
from dcode.jobs.fill import Outcome, frame, from_the_left, is_late
from dcode.model.framing import AFTER, BEFORE
from dcode.model.lane import Lane
from dcode.model.load import Model
from dcode.syntax.grammar import Grammar
from dcode.syntax.unbound import unbound
from dcode.text.checker import Checker, Draft
from dcode.text.frame import Frame
from dcode.text.result import Stopped
from dcode.text.span import Span
from dcode.trust.policy import Policy


@dataclass(frozen=True, slots=True)
class Drawn:
    """A candidate as it was written: its ids and the probability of each; whether the model ended it itself."""

    ids: tuple[int, ...]
    sure: tuple[float, ...]
    ended: bool


@dataclass(frozen=True, slots=True)
class Cut:
    """A candidate's text up to `end`, in bytes behind the forced ones: what speaks for it."""

    drawn: int
    end: int
    text: bytes
    faults: int
    strange: bool
    unnamed: int
    score: float = 0.0

    @property
    def rank(self) -> tuple[bool, bool, float]:
        """The parser first, then the length that was asked for, then likelihood."""
        return self.faults > 0, self.strange, -self.score


@dataclass(frozen=True, slots=True)
class Hole:
    """A hole of a view: what stands around it, how many lines its answer should have (0: not known), its room."""

    view: bytes
    span: Span
    note: str
    lines: int
    slots: int

    @property
    def before(self) -> bytes:
        """The text in front of it."""
        return self.view[: self.span.start]

    @property
    def after(self) -> bytes:
        """The text behind it."""
        return self.view[self.span.end :]

    def draft(self, text: bytes) -> Draft:
        """The view with a text in its place."""
        return Draft(self.before + text + self.after, (Span(self.span.start, self.span.start + len(text)),))


def fill_hole(
    hole: Hole,
    model: Model,
    grammar: Grammar | None,
    checker: Checker | None,
    plan: Plan,
    policy: Policy,
    outline: Sequence[Span],
    deadline: float | None,
) -> Generator[Frame, None, list[Outcome]]:
    """Outcomes with different texts, the best first; a Frame for every token of the likeliest candidate.

    After `deadline` (time.monotonic) what has been written counts; there may be none.
    """
    framing, tokenizer = model.framing, model.tokenizer
    if framing is None or not framing.hole:
        name = model.checkpoint.name
        raise ModelError(f"nothing says how {name} is asked to fill a hole", hint="dcode gen works with it")
    shown = window.beside(hole.before, hole.after, hole.note, outline, tokenizer, model.window - hole.slots)
    head = framing.ids(framing.hole, {BEFORE: shown.before, AFTER: shown.after}, tokenizer)
    slots = hole.slots + len(tokenizer.encode(shown.forced))
    around = hole.before.removesuffix(shown.forced), hole.after
    canvas = Canvas.of([head, ()], [slots], around, from_the_left(model))
    canvas = replace(canvas, forced=shown.forced, is_over=partial(_is_over, hole, shown.forced, policy))
    lane = model.lane()
    prefill(model, head, lane)
    drawn, forwards = yield from draw(canvas, model, left_to_right(plan, policy, policy.candidates), lane, deadline)
    cuts = _cuts(hole, shown.forced, drawn, model, grammar, checker, policy)
    plain = _plain(model, shown.before, head, lane)
    chosen = _weighed(cuts, hole, shown.forced, drawn, model, plain, policy)
    return [_outcome(cut, drawn[cut.drawn], shown.forced, model, checker, hole, forwards, deadline) for cut in chosen]


def left_to_right(plan: Plan, policy: Policy, count: int) -> list[Plan]:
    """The Plans of a network without masks, one token after another: the likeliest text, then drawn ones."""
    first = replace(plan, order="left", commit="fixed", per_step=1, block=1, steps=0)
    warm = replace(first, temperature=plan.temperature or policy.temperature, top_p=min(plan.top_p, policy.top_p))
    return [first, *[warm] * (count - 1)]


def prefill(model: Model, ids: Sequence[int], lane: Lane) -> None:
    """Compute the rows of a context, once."""
    ids_BL = torch.tensor([[*ids, 0]])
    model.predict(ids_BL, torch.arange(len(ids) + 1)[None] == len(ids), lane)


def draw(
    canvas: Canvas, model: Model, plans: Sequence[Plan], lane: Lane, deadline: float | None, attempt: int = 0
) -> Generator[Frame, None, tuple[list[Drawn], int]]:
    """Candidates from forks of one lane, in one batch, with a plan each; and how many forwards it took.

    Frames are of the first, which is candidate number `attempt`.
    """
    begun, last, forwards = time.monotonic(), dict[int, Step](), 0
    for step in denoise([canvas] * len(plans), model.predict, plans, [None] * len(plans), lane.fork(len(plans))):
        last[step.row], forwards = step, max(forwards, step.index)
        if step.row == 0:
            yield frame(step, time.monotonic() - begun, attempt)
        if is_late(deadline) and len(last) == len(plans):
            break
    found = []
    (hole,) = canvas.ranges
    for row in sorted(last):
        now = last[row].canvas
        written = now.taken_L[hole.start : hole.stop].nonzero()[:, 0] + hole.start
        ids, sure = now.ids_L[written].tolist(), last[row].confidence_L[written].tolist()
        text = next((n for n, number in enumerate(ids) if number in now.vocabulary.stops), len(ids))
        found.append(Drawn(tuple(ids[:text]), tuple(sure[:text]), text < len(ids)))
    return found, forwards


def _is_over(hole: Hole, forced: bytes, policy: Policy, text: bytes) -> bool:
    """Whether what was written has all the lines it may have, or says again what follows."""
    lines = text[len(forced) :].count(b"\n")
    if hole.lines and lines >= hole.lines + _slack(hole.lines, policy):
        return True
    return lines > 0 and _repeats(text.rpartition(b"\n")[0], hole.after)


def _slack(lines: int, policy: Policy) -> int:
    """How many lines more or less an answer of so many may have; one line stays one."""
    return max(int(lines > 1), int(lines * policy.length_slack))


def _repeats(text: bytes, after: bytes) -> bool:
    """Whether a text ends with the first line that follows it; signs alone may stand there twice."""
    last = text.rstrip().rpartition(b"\n")[2].strip()
    following = after.lstrip().partition(b"\n")[0].strip()
    return last == following and sum(chr(byte).isalnum() for byte in last) > 2


def _ends(text: bytes, hole: Hole, ended: bool) -> Iterator[int]:
    """Where a candidate may end: at its own end, at line ends, or where it says what stands behind the hole."""
    rest = hole.after.partition(b"\n")[0]
    whole_lines = hole.before[-1:] in (b"", b"\n") and hole.after[:1] != b"\n"
    if ended:
        yield len(text.rstrip(b"\n")) if hole.after[:1] == b"\n" else len(text)
    if rest.strip() and not whole_lines:
        at = text.find(rest)
        while at >= 0:
            yield at
            at = text.find(rest, at + 1)
        return
    at = text.find(b"\n")
    while at >= 0:
        yield at + whole_lines
        at = text.find(b"\n", at + 1)


def _cuts(
    hole: Hole,
    forced: bytes,
    drawn: Sequence[Drawn],
    model: Model,
    grammar: Grammar | None,
    checker: Checker | None,
    policy: Policy,
) -> list[Cut]:
    """Every different text that a candidate may end as, the parser's friends first, at most so many as are weighed."""
    texts: list[list[tuple[int, int, bytes]]] = []
    for number, one in enumerate(drawn):
        full = model.tokenizer.decode(one.ids)
        text = full[len(forced) :] if full.startswith(forced) else b""
        ends = dict.fromkeys(_ends(text, hole, one.ended)) or {len(text): None}
        texts.append([(number, end, text[:end]) for end in ends])
    seen: dict[bytes, tuple[int, int]] = {}
    for group in zip_longest(*texts):
        for number, end, text in filter(None, group):
            seen.setdefault(text, (number, end))
    lacked = unbound(grammar, hole.view) if grammar else ()
    cuts = []
    for text, (number, end) in seen.items():
        if not text.strip() or _repeats(text, hole.after):
            continue
        draft = hole.draft(text)
        faults = len(checker.faults(draft)) if checker else 0
        names = unbound(grammar, draft.data) if grammar and not faults else ()
        unnamed = sum(name not in lacked for name in names)
        cuts.append(Cut(number, end, text, faults, _is_strange(text, hole.lines, policy), unnamed))
    return sorted(cuts, key=lambda cut: cut.rank[:2])[: policy.cuts]


def _is_strange(text: bytes, lines: int, policy: Policy) -> bool:
    """Whether it has another length than was asked for."""
    own = text.rstrip(b"\n").count(b"\n") + 1
    return lines > 0 and abs(own - lines) > _slack(lines, policy)


def _plain(model: Model, before: Sequence[int], head: Sequence[int], lane: Lane) -> Lane:
    """A lane that has read the text before the hole alone: the frame's own rows where that text comes first in it."""
    if [*head[1 : 1 + len(before)]] == [*before]:
        return lane.upto(1 + len(before))
    other = model.lane()
    prefill(model, [model.tokenizer.end_id, *before], other)
    return other


def _weighed(
    cuts: Sequence[Cut],
    hole: Hole,
    forced: bytes,
    drawn: Sequence[Drawn],
    model: Model,
    plain: Lane,
    policy: Policy,
) -> list[Cut]:
    """The cuts by what the model thinks of them, the best first."""
    tokenizer, found = model.tokenizer, list[Cut]()
    following = tokenizer.decode(tokenizer.encode(_prefix(hole.after, 16 * policy.ahead))[: policy.ahead])
    at_end = [tokenizer.end_id] if len(following) == len(hole.after) else []
    for number, one in enumerate(drawn):
        own = [cut for cut in cuts if cut.drawn == number]
        if not own:
            continue
        ends = [*accumulate(len(tokenizer.pieces[n]) for n in one.ids)]
        branches, insides = [], []
        for cut in own:
            # The token in front of a cut is read anew with what follows: a line end is often part of it.
            stop = len(forced) + cut.end
            keep = max(0, sum(end <= stop for end in ends) - 1)
            start = ends[keep - 1] if keep else 0
            tail = (forced + cut.text)[start:]
            ids = _encode(tail + following, tokenizer.encode) + at_end
            sizes = [*accumulate(len(tokenizer.pieces[n]) for n in ids)]
            branches.append(Branch(keep, tuple(ids)))
            insides.append(sum(size <= len(tail) for size in sizes))
        trunk = one.ids[: max(branch.after for branch in branches)]
        log_p, others = read(trunk, branches, model, plain)
        for cut, branch, inside, behind in zip(own, branches, insides, others, strict=True):
            written = float(log_p[: branch.after].sum() + behind[:inside].sum())
            score = float(behind[inside:].sum()) + policy.fill_weight * written - policy.unnamed * cut.unnamed
            found.append(replace(cut, score=score))
    return sorted(found, key=lambda cut: cut.rank)


def _prefix(text: bytes, most: int) -> bytes:
    """At most so many bytes, to the end of a character."""
    while most < len(text) and text[most] & 0xC0 == 0x80:
        most += 1
    return text[:most]


def _encode(text: bytes, encode: Callable[[bytes], list[int]]) -> list[int]:
    """Ids of bytes that may begin or end inside a character: of their whole characters."""
    return encode(text.decode("utf-8", "ignore").encode())


def _outcome(
    cut: Cut,
    one: Drawn,
    forced: bytes,
    model: Model,
    checker: Checker | None,
    hole: Hole,
    forwards: int,
    deadline: float | None,
) -> Outcome:
    ends = [*accumulate(len(model.tokenizer.pieces[n]) for n in one.ids)]
    sure = [p for p, end in zip(one.sure, ends, strict=True) if end <= len(forced) + cut.end] or [1.0]
    faults = tuple(checker.faults(hole.draft(cut.text))) if checker and cut.faults else ()
    stopped: Stopped = "time" if is_late(deadline) else "clean" if checker else "unchecked"
    return Outcome((cut.text,), (sum(sure) / len(sure),), faults, forwards, 0, stopped)
