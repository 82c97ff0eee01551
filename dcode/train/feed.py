"""What a run reads, step after step: made when it is wanted, or ahead of it by worker processes."""

import signal
from collections.abc import Callable, Iterator
from itertools import count

import torch
from torch.utils.data import DataLoader, Dataset

from dcode.train import data
from dcode.train.config import Stage, TrainConfig, stage_at
from dcode.train.cut import Cutter
from dcode.train.objective import Noised, next_tokens, noised

AHEAD = 4
"""Steps that each worker is ahead."""


def feed(
    corpus: data.Corpus, cutter: Cutter, config: TrainConfig, first: int, done: Callable[[], float]
) -> Iterator[Noised]:
    """The rows of step `first` and of all that follow; `done` tells the share of the run that is behind it.

    A step's stage is decided when its rows are begun, so workers enter a stage some steps late.
    """

    def steps() -> Iterator[tuple[int, Stage]]:
        for number in count(first):
            yield number, stage_at(done(), config)

    yield from DataLoader(
        _Steps(corpus, cutter, config),
        batch_size=None,
        sampler=steps(),
        num_workers=config.workers,
        worker_init_fn=_leave_signals,
        prefetch_factor=AHEAD if config.workers else None,
    )


class _Steps(Dataset[Noised]):
    """The rows of a step, decided by its number, its stage and the seed alone."""

    def __init__(self, corpus: data.Corpus, cutter: Cutter, config: TrainConfig) -> None:
        self._corpus, self._cutter, self._config = corpus, cutter, config

    def __getitem__(self, wanted: tuple[int, Stage]) -> Noised:
        (number, stage), config = wanted, self._config
        rows = max(1, config.batch_tokens // stage.length)
        made = data.batch(self._corpus, self._cutter, stage, rows, f"{config.seed}:{number}")
        if config.causal:
            return next_tokens(made)
        return noised(
            made,
            self._cutter.tokenizer.mask_id,
            torch.Generator().manual_seed(config.seed * 1_000_003 + number),
            corrupt_rows=config.corrupt_rows,
            corrupt_rate=config.corrupt_rate,
        )


def _leave_signals(_: int) -> None:
    """Ctrl-C reaches every process of a run; the first one ends the others when it is done."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
