"""A text file of many rows that appears whole or not at all: a kill or a full disk leaves what was there before."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from dcode.errors import InputError


@contextmanager
def whole(path: Path) -> Iterator[TextIO]:
    """What is written goes beside `path` and takes its name at the end; InputError if the disk does not let it."""
    beside = path.with_name(f"{path.name}.part")
    try:
        with beside.open("w", encoding="utf-8", newline="\n") as sink:
            yield sink
            sink.flush()
            os.fsync(sink.fileno())
        beside.replace(path)
    except OSError as error:
        raise InputError(f"{path} could not be written: {error.strerror}") from None
    finally:
        beside.unlink(missing_ok=True)
