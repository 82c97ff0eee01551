"""Answer a request with code, by a left-to-right base that was taught to: its chat, a code fence open, one batch."""

import re
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

from dcode.diffusion.canvas import Canvas
from dcode.diffusion.plan import Plan
from dcode.errors import InputError, ModelError
from dcode.jobs.fill import FENCE, distinct, from_the_left, is_late
from dcode.jobs.fim import Drawn, draw, left_to_right, prefill
from dcode.model.framing import REQUEST
from dcode.model.load import Model
from dcode.syntax.grammar import Grammar
from dcode.text.frame import Frame
from dcode.text.result import Result, Stopped
from dcode.trust.policy import Policy

SLOTS = 768
"""The longest answer, in tokens, if nobody says another."""

CLOSED = re.compile(rb"(?m)^" + FENCE)
"""Where the code block that an answer begins with ends."""


MORE = 4
"""Candidates of a second batch, where none of the first is what was wanted."""


@dataclass(frozen=True, slots=True)
class Written:
    """A code block that answers a request: its text, how sure its tokens were, why it ended."""

    text: bytes
    confidence: float
    stopped: Stopped


def answers(
    words: str,
    model: Model,
    grammar: Grammar,
    plan: Plan,
    count: int,
    slots: int,
    deadline: float | None,
    judge: Callable[[Written], Result],
    is_wanted: Callable[[Result], bool],
    around: tuple[bytes, bytes] = (b"", b"\n"),
) -> Generator[Frame | Result, None, None]:
    """Up to `count` different Results for a request, best first, from one batch; from another where none is wanted.

    `judge` says what a code block makes of the file; `around` is what stands before and behind it there. The wanted
    ones lead, then what lacks no name, then what the model was surest of. Where all failed, the first is given.
    InputError for a request that leaves no room, ModelError for a model that was taught no chat.
    """
    policy = Policy.of(model.checkpoint.policy)
    plans = left_to_right(plan, policy, max(policy.programs, count))
    warm = replace(plans[0], temperature=policy.temperature, seed=plan.seed + 1)
    made: list[Result] = []
    spent = 0
    for batch in (plans, [warm] * MORE):
        written, forwards = yield from _draw(words, model, grammar, batch, slots, deadline, around, len(made))
        spent += forwards
        made += map(judge, written)
        if any(map(is_wanted, made)) or is_late(deadline):
            break
    ranked = sorted(made, key=lambda one: (not is_wanted(one), len(one.unbound), -one.regions[0].confidence))
    first, *others = distinct(one for one in ranked if one.verdict != "failed")[:count] or made[:1]
    yield replace(first, forwards=spent)
    yield from others


def _draw(
    words: str,
    model: Model,
    grammar: Grammar,
    plans: Sequence[Plan],
    slots: int,
    deadline: float | None,
    around: tuple[bytes, bytes],
    attempt: int,
) -> Generator[Frame, None, tuple[list[Written], int]]:
    """A code block for every plan, the first being candidate `attempt`; and the forwards it took."""
    framing, tokenizer = model.framing, model.tokenizer
    if framing is None or not framing.request:
        raise ModelError(f"nothing says how {model.checkpoint.name} is asked", hint="dcode infill works with it")
    head = framing.ids(framing.request, {REQUEST: tokenizer.encode(words.encode())}, tokenizer)
    head += tokenizer.encode(FENCE + grammar.name.encode() + b"\n")
    if len(head) + slots > model.window:
        raise InputError(
            f"the request's {len(head)} tokens and {slots} slots exceed the model's window of {model.window}",
            hint="shorten the request, or give fewer --slots",
        )
    canvas = replace(Canvas.of([head, ()], [slots], around, from_the_left(model)), is_over=CLOSED.search)
    lane = model.lane()
    prefill(model, head, lane)
    drawn, forwards = yield from draw(canvas, model, plans, lane, deadline, attempt)
    return [_written(one, model, deadline) for one in drawn], forwards


def asked(pattern: str, grammar: Grammar, **texts: str) -> str:
    """A request in the words that suit the model; what a person says is never taken for a place in them."""
    values = {"language": grammar.title, **texts}
    return re.sub(r"\{(\w+)\}", lambda found: values[found[1]], pattern)


def _written(one: Drawn, model: Model, deadline: float | None) -> Written:
    text, *behind = CLOSED.split(model.tokenizer.decode(one.ids), maxsplit=1)
    stopped: Stopped = "clean" if one.ended or behind else "time" if is_late(deadline) else "forwards"
    whole = text.decode("utf-8", "ignore").encode()  # a character that was cut short is none
    return Written(whole, sum(one.sure) / len(one.sure) if one.sure else 0.0, stopped)
