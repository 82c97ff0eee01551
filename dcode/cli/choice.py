"""Which candidate may be used, and what to say when none may. It knows results, no terminal, and writes nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dcode.errors import InputError, NothingPassed
from dcode.syntax.grammar import Grammar
from dcode.text.checker import Draft
from dcode.text.edit import splice
from dcode.text.fault import Fault
from dcode.text.result import Result
from dcode.text.secrets import brings_secret
from dcode.text.source import Source
from dcode.text.span import Span

AGAIN = "try -n 4, more --steps or another --seed"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a candidate for a file must be like, to be printed or, with `to_write`, to be written."""

    source: Source
    language: Grammar
    allow_fallback: bool
    to_write: bool

    def usable(self, results: Iterable[Result]) -> list[Result]:
        """The candidates that pass, best first."""
        return [result for result in results if self.refusal(result) is None]

    def refusal(self, result: Result) -> NothingPassed | None:
        """Why a candidate does not pass; None if it does.

        A filler that is not the model's answer counts only if asked for, and where nothing stood before. A file
        never gets a fault that it did not have, also where nobody was to look.
        """
        try:
            splice(self.source, result.edits)
        except InputError as error:
            return NothingPassed(f"no candidate passed: {error.what}", hint=AGAIN)
        if brings_secret(self.source.view, result.view):
            return NothingPassed("the answer holds what looks like a secret: it is not shown", hint=AGAIN)
        fillers = [region for region in result.regions if region.verdict == "fallback"]
        over_text = any(region.old.strip() for region in fillers)
        if fillers and (over_text or not self.allow_fallback):
            hint = AGAIN if over_text else "--allow-fallback accepts it"
            return NothingPassed("the model's answer does not parse, only a filler does", hint=hint)
        if result.verdict == "failed":
            return NothingPassed(f"no candidate passed{self._where(result)}", hint=AGAIN)
        if self.to_write and result.verdict == "unchecked" and (where := self._where(result)):
            return NothingPassed(f"the unchecked answer is not written{where}", hint=AGAIN)
        return None

    def _where(self, result: Result) -> str:
        """The first fault that a candidate brings, in words; "" if it brings none."""
        if result.view == self.source.view:
            return ""
        fault = next(iter(new_faults(self.language, self.source, result)), None)
        return "" if fault is None else f": line {result.view[: fault.span.start].count(10) + 1}, {fault.message}"


def new_faults(language: Grammar, source: Source, result: Result) -> Sequence[Fault]:
    """The faults that a candidate brings, whoever looked before."""
    from dcode.syntax.check import GrammarChecker

    holes, moved = [], 0
    for region in result.regions:
        start = region.span.start + moved
        holes.append(Span(start, start + len(region.new)))
        moved += len(region.new) - len(region.span)
    checker = GrammarChecker(language, source.view, [region.span for region in result.regions])
    return checker.faults(Draft(result.view, tuple(holes)))


def summary(result: Result, seconds: float) -> str:
    """How good a result is and what it cost, for the person who waits.

    A parser's "verified" says nothing of what a program does; how sure the model was of its tokens says a little.
    """
    sure = min((region.confidence for region in result.regions), default=1.0)
    parts = [result.verdict, f"{100 * sure:.0f} % sure", f"{result.forwards} forwards"]
    if result.unbound:
        parts.insert(1, f"undefined: {' '.join(result.unbound)}")
    if result.repairs:
        parts.append(f"{result.repairs} repair{'' if result.repairs == 1 else 's'}")
    if result.stopped == "time":
        parts.append("cut short by the time budget")
    return ", ".join([*parts, f"{seconds:.1f} s"])
