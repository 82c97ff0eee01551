"""The smallest change after which nothing is plainly wrong with a region: that it parses, and what a program evidently
lacks. No instruction is read; it is one answer beside those that a model writes anew.
"""

import time
from collections.abc import Generator, Sequence
from dataclasses import replace

from dcode.diffusion.plan import Plan
from dcode.jobs.fix import fix
from dcode.jobs.proofread import reading
from dcode.model.load import Model
from dcode.syntax.check import file_faults
from dcode.syntax.evident import put_right
from dcode.syntax.grammar import Grammar
from dcode.syntax.unbound import unbound
from dcode.text.frame import Frame
from dcode.text.result import Region, Result
from dcode.text.source import Source
from dcode.text.span import Span

LESS = 2.0
"""In nats: how much less what was written anew must be doubted than the smallest change. Of 36 repairs of lessons (seed
301) that had both 28 were right; 26 at 0, 27 at 3, 27 if the smallest change always leads."""


def smallest(
    source: Source, span: Span, model: Model, grammar: Grammar, plan: Plan, deadline: float | None = None
) -> Generator[Frame, None, Result | None]:
    """The view with `span`, as one region, put right; None if nothing plain is wrong there, or not only there.

    Its region's confidence is 0: nobody has read it.
    """
    begun, view, forwards, rounds = time.monotonic(), source.view, 0, 0
    before = file_faults(grammar, view)
    if any(fault.span.start <= span.end and span.start <= fault.span.end for fault in before):
        for seen in fix(source, model, grammar, plan, deadline=deadline):
            if isinstance(seen, Result):
                view, forwards, rounds = seen.view, seen.forwards, seen.repairs
            else:
                yield seen
    named = put_right(grammar, view)
    new = _inside(source.view, span, named) or _inside(source.view, span, view)
    if new is None or new == source.view[span.start : span.end]:
        return None
    view = source.view[: span.start] + new + source.view[span.end :]
    if file_faults(grammar, view):
        return None
    region = Region(span, source.view[span.start : span.end], new, "verified", 0.0)
    seconds = {"total": time.monotonic() - begun}
    return Result((region,), view, before, (), forwards, rounds, seconds)


def beside(
    right: Result, written: Sequence[Result], source: Source, note: str, model: Model, grammar: Grammar
) -> list[Result]:
    """The smallest change and what was written, best first: what was written leads if it passed, is new, leaves no more
    names unbound and is doubted that much less when the model reads both below the lines of a note. The first is told
    what both of them cost."""
    best, (region,) = written[0], right.regions
    ours, theirs = (reading(source.view, region.span, one.regions[0].new, note, model) for one in (right, best))
    forwards = best.forwards + right.forwards + sum(one is not None for one in (ours, theirs))
    lacking, others = (len(unbound(grammar, one.view)) for one in (right, best))
    leads = best.verdict == "verified" and best.view != source.view and others <= lacking
    if ours is not None and theirs is not None:
        leads = leads and float(theirs.sum()) > float(ours.sum()) + LESS
        right = replace(right, regions=(replace(region, confidence=float(ours.exp().mean())),))
    first, *rest = [best, right, *written[1:]] if leads else [right, *written]
    return [replace(first, forwards=forwards), *rest]


def _inside(old: bytes, span: Span, new: bytes) -> bytes | None:
    """What became of the span; None if something else changed, or it was left as it is."""
    head, tail = old[: span.start], old[span.end :]
    kept = len(new) >= len(head) + len(tail) and new.startswith(head) and new.endswith(tail)
    return new[len(head) : len(new) - len(tail)] if kept and new != old else None
