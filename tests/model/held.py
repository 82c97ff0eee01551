"""How much memory loading a checkpoint at int8 and predicting once hold: a process of its own, with nothing else in it.

Run as `python tests/model/held.py FOLDER`; it prints one line of JSON.
"""

import json
import sys
import threading
import time
from pathlib import Path

import torch

from dcode.model.load import load

STATUS = Path("/proc/self/status")


class Memory:
    """Watches what the process itself holds, not the pages of mapped files: those the system can take back."""

    def __init__(self) -> None:
        self.most_bytes = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.02):
            held = next(int(line.split()[1]) for line in STATUS.read_text().splitlines() if line.startswith("RssAnon"))
            self.most_bytes = max(self.most_bytes, held * 1024)


def measure(folder: str) -> dict[str, float]:
    """Seconds to load, seconds of a forward over 64 positions of which 16 are wanted, bytes held at most."""
    ids = torch.randint(0, 256, (1, 64), generator=torch.Generator().manual_seed(0))
    want = torch.zeros_like(ids, dtype=torch.bool)
    want[:, 16:32] = True
    with Memory() as memory:
        start = time.monotonic()
        model = load(folder, precision="int8")
        loaded = time.monotonic()
        logits = model.predict(ids, want)
        done = time.monotonic()
    assert logits.shape == (16, model.vocab) and bool(logits.isfinite().all())
    return {"load_s": loaded - start, "forward_s": done - loaded, "most_bytes": memory.most_bytes}


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))
