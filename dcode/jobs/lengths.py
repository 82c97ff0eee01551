"""Lengths for a model's holes: a search, and the curve it needs, fitted on real texts.

How sure a model is of a hole depends on the number of its slots alone, too; the curve says how.
"""

from collections.abc import Callable, Iterator, Sequence

from dcode.diffusion.canvas import Canvas
from dcode.diffusion.length import FLAT, LENGTHS, Curve, Found, fit, search
from dcode.jobs.fill import vocabulary
from dcode.jobs.window import LEAST_CONTEXT
from dcode.model import registry
from dcode.model.load import Model

AROUND = 64
"""Tokens of context on each side of a hole."""


def find_lengths(model: Model, blank: Callable[[Sequence[int]], Canvas], sizes: Sequence[int], noted: int = 0) -> Found:
    """Slots for the holes of the canvas that `blank` makes, from a guess of the `sizes` that voids would need.

    `noted`: tokens that the first hole's note takes.
    """
    known = registry.curve(model.checkpoint.name)
    guess = [max(1, (2 * size) // 3) for size in sizes]  # as many tokens as stood there
    least = blank([1] * len(sizes)).ranges
    between = least[-1].stop - least[0].start - len(least)
    # Twice what voids would get at most, and with what is between them all holes fit the window.
    most = max(1, min(2 * max(sizes), (model.window - LEAST_CONTEXT - noted - between) // len(sizes)))
    return search(blank, guess, model.predict, Curve.of(known) if known else FLAT, most)


def fit_lengths(model: Model, texts: Sequence[bytes]) -> Curve:
    """The curve over holes in the middle of each text; one forward for every text and length that fits the window."""
    cut = [model.tokenizer.encode(text) for text in texts]
    longest = model.window - 2 * AROUND - 1

    def blanks(slots: int) -> Iterator[Canvas]:
        for ids in cut:
            middle = len(ids) // 2
            before = [model.tokenizer.begin_id, *ids[max(0, middle - AROUND) : middle]]
            yield Canvas.of([before, ids[middle : middle + AROUND]], [slots], [b"", b""], vocabulary(model))

    return fit(blanks, model.predict, [slots for slots in LENGTHS if slots <= longest])
