"""What a job returns: plain values, enough for the diff, the JSON object and the exit code."""

from dataclasses import dataclass, field
from typing import Literal

from dcode.text.edit import Edit
from dcode.text.fault import Fault
from dcode.text.span import Span

Verdict = Literal["verified", "fallback", "uncertified", "unchecked", "failed"]
"""verified: the model's own answer, with no fault the file lacked · fallback: a filler known to parse, not the
model's answer · uncertified: no new fault, but no filler was known to parse beforehand · unchecked: nobody
looked (--no-feedback, or no grammar) · failed: new faults remain and there is no filler."""

Stopped = Literal["clean", "rounds", "forwards", "time", "unchecked"]


@dataclass(frozen=True, slots=True)
class Region:
    """One hole and its outcome: the `old` span of the view, the bytes that were there, the model's answer."""

    span: Span
    old: bytes
    new: bytes
    verdict: Verdict
    confidence: float

    @property
    def edit(self) -> Edit:
        """The region as an edit of the view."""
        return Edit(self.span, self.new)


@dataclass(frozen=True, slots=True)
class Result:
    """One candidate for one file: its regions, the new view, the faults before and after, and the cost.

    `unbound`: names that it uses and nothing in the file brings, where its language is known so well: all of a whole
    program's, of a rewritten region's those that the file did not lack before.
    """

    regions: tuple[Region, ...]
    view: bytes
    faults_before: tuple[Fault, ...]
    faults_after: tuple[Fault, ...]
    forwards: int
    repairs: int
    seconds: dict[str, float] = field(default_factory=dict)
    stopped: Stopped = "clean"
    unbound: tuple[str, ...] = ()

    @property
    def edits(self) -> tuple[Edit, ...]:
        """The regions as edits of the view, in order."""
        return tuple(region.edit for region in self.regions)

    @property
    def verdict(self) -> Verdict:
        """The weakest verdict of all regions."""
        order: tuple[Verdict, ...] = ("failed", "fallback", "unchecked", "uncertified", "verified")
        return min((region.verdict for region in self.regions), key=order.index, default="verified")
