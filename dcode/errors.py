"""Every error that is the user's to solve, and the exit code that goes with it.

DcodeError                   what happened, the user's own text, a hint
├── UsageError            2  the command line cannot be understood
├── NothingPassed         3  no candidate passed its checks; nothing was written
├── InputError            4  a file or a range that cannot be worked on
├── ModelError            5  weights, tokenizer or configuration of a model
└── OutOfTime             6  the time budget ended without a result

Anything else that escapes is our bug (123). This file knows nothing of the rest of dcode.
"""


class DcodeError(Exception):
    """A problem the user can solve: one line of what, echoing the user's text, and one line of how.

    `what` is a sentence without a full stop; `hint` says what to type or change instead.
    """

    exit_code = 123

    def __init__(self, what: str, *, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.what} ({self.hint})" if self.hint else self.what


class UsageError(DcodeError):
    """The command line cannot be understood, or needs an extra that is not installed."""

    exit_code = 2


class NothingPassed(DcodeError):
    """No candidate passed its checks, so nothing was written."""

    exit_code = 3


class InputError(DcodeError):
    """A file or a range in it that cannot be worked on."""

    exit_code = 4


class ModelError(DcodeError):
    """Weights, tokenizer or configuration of a model are missing, damaged or unfit for the job."""

    exit_code = 5


class OutOfTime(DcodeError):
    """The time budget ended before there was a result."""

    exit_code = 6
