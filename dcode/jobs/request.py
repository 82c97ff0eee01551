"""Answer a request with code, by a left-to-right base that was taught to: its chat, a code fence open, one batch."""

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

from dcode.diffusion.canvas import Canvas
from dcode.diffusion.plan import Plan
from dcode.errors import InputError, ModelError
from dcode.jobs.fill import FENCE, from_the_left
from dcode.jobs.fim import Drawn, draw, prefill
from dcode.model.framing import REQUEST
from dcode.model.load import Model
from dcode.syntax.grammar import Grammar
from dcode.text.frame import Frame

SLOTS = 768
"""The longest answer, in tokens, if nobody says another."""

CLOSED = re.compile(rb"(?m)^" + FENCE)
"""Where the code block that an answer begins with ends."""


@dataclass(frozen=True, slots=True)
class Written:
    """A code block that answers a request: its text, how sure its tokens were, whether the model ended it itself."""

    text: bytes
    confidence: float
    ended: bool


def answer(
    words: str,
    model: Model,
    grammar: Grammar,
    plans: Sequence[Plan],
    slots: int,
    deadline: float | None,
    around: tuple[bytes, bytes] = (b"", b"\n"),
    attempt: int = 0,
) -> Generator[Frame, None, tuple[list[Written], int]]:
    """A code block for every plan, and the forwards it took; `around` is what stands before and behind them in a file,
    `attempt` the number of the first.

    InputError for a request that leaves no room, ModelError for a model that was taught no chat.
    """
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
    return [_written(one, model) for one in drawn], forwards


def asked(pattern: str, grammar: Grammar, **texts: str) -> str:
    """A request in the words that suit the model; what a person says is never taken for a place in them."""
    values = {"language": grammar.title, **texts}
    return re.sub(r"\{(\w+)\}", lambda found: values[found[1]], pattern)


def _written(one: Drawn, model: Model) -> Written:
    text, *behind = CLOSED.split(model.tokenizer.decode(one.ids), maxsplit=1)
    text = text.decode("utf-8", "ignore").encode()
    return Written(text, sum(one.sure) / len(one.sure) if one.sure else 0.0, one.ended or bool(behind))
