"""What the hook's worker tells the process that waits for it: one line of JSON for each proposal, one for trouble."""

import json
from dataclasses import asdict, dataclass

from dcode.errors import DcodeError, OutOfTime


@dataclass(frozen=True, slots=True)
class Offer:
    """A proposal that is kept: its id, the key to remember it by, and what a person needs to judge it.

    `first` and `last` are the lines that it is about, from 1; `added` and `removed` count those of the patch.
    """

    id: str
    key: str
    rule: str
    path: str
    first: int
    last: int
    why: str
    verdict: str
    added: int
    removed: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no proposal, and the exit code of that: 0 if the model knew none or the time was too short."""

    said: str
    code: int

    @staticmethod
    def of(error: DcodeError) -> "Trouble":
        """The trouble that an error stands for."""
        return Trouble(str(error), 0 if isinstance(error, OutOfTime) else error.exit_code)


def encoded(line: Offer | Trouble) -> bytes:
    """The line, with its newline."""
    return json.dumps(asdict(line)).encode("ascii") + b"\n"


def decoded(output: bytes) -> tuple[list[Offer], list[Trouble]]:
    """The whole lines of an output; the last one may be torn, and then it is none."""
    values = [json.loads(text) for text in output.split(b"\n")[:-1]]
    return [Offer(**one) for one in values if "id" in one], [Trouble(**one) for one in values if "said" in one]
