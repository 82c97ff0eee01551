"""Figures and how far to trust them. It knows numbers and program text, not models, tasks or files."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

Z95 = 1.959963984540054
"""The standard normal quantile that leaves 2.5 % on either side."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`hits` out of `total`, with the Wilson interval at 95 %."""

    hits: int
    total: int

    @property
    def value(self) -> float:
        """The share, 0 of nothing."""
        return self.hits / self.total if self.total else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true share lies, 19 times in 20."""
        return wilson(self.hits, self.total)


def pass_at_k(n: int, c: int, k: int) -> float:
    """The chance that one of `k` of the `n` samples, `c` of which are right, is right (arXiv 2107.03374)."""
    assert 0 <= c <= n and 1 <= k <= n, (n, c, k)
    wrong = 1.0
    for size in range(n - c + 1, n + 1):
        wrong *= max(0.0, 1.0 - k / size)
    return 1.0 - wrong


def wilson(successes: int, n: int, z: float = Z95) -> tuple[float, float]:
    """Wilson's score interval for a share; (0, 1) if nothing was tried."""
    assert 0 <= successes <= n, (successes, n)
    if n == 0:
        return 0.0, 1.0
    share, scale = successes / n, 1 + z * z / n
    middle = (share + z * z / (2 * n)) / scale
    half = z / scale * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # Rounding must not push a bound past the share itself at 0 and at 1.
    return max(0.0, min(middle - half, share)), min(1.0, max(middle + half, share))


def bootstrap(
    values: Sequence[float],
    *,
    clusters: Sequence[str] | None = None,
    seed: int = 0,
    resamples: int = 2000,
    level: float = 0.95,
) -> tuple[float, float]:
    """Percentile interval of the mean; the same seed gives the same interval.

    Values of one cluster (tasks of one family, say) rise and fall together, so whole clusters are drawn again.
    """
    assert values, "the mean of nothing has no interval"
    names = list(range(len(values))) if clusters is None else clusters
    _, member = np.unique(np.asarray(names), return_inverse=True)
    sums, sizes = np.bincount(member, weights=np.asarray(values, dtype=float)), np.bincount(member)
    draws = np.random.default_rng(seed).integers(0, len(sums), (resamples, len(sums)))
    means = sums[draws].sum(axis=1) / sizes[draws].sum(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def exact_match(text: str, canonical: str) -> bool:
    """Whether two fills are the same text but for whitespace at the end; indentation counts."""
    return text.rstrip() == canonical.rstrip()


def parses(program: str) -> bool:
    """Whether the running Python compiles `program`; nothing of it is run."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(program, "<program>", "exec", dont_inherit=True)
        except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError):
            return False
    return True
