"""Rates of yes and no, as the benches print them."""

from collections.abc import Iterable

from dcode.evaluate.metrics import Rate


def rate(hits: Iterable[bool]) -> Rate:
    """How many of these are true."""
    every = list(hits)
    return Rate(sum(every), len(every))


def rate_json(one: Rate) -> dict[str, object]:
    """A rate with its 95 % interval, as plain values."""
    low, high = one.interval
    return {
        "hits": one.hits,
        "of": one.total,
        "rate": round(one.value, 4),
        "low": round(low, 4),
        "high": round(high, 4),
    }
