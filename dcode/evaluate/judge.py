"""The inside of a judgement: whether a program does what was asked, whatever it calls things.

`dcode.evaluate.prompts` puts this text before a call of `judge` and runs both in the sandbox, so it imports nothing
of dcode. A program may define a function, return or print its answer, change a list in place, write files, or be a
script: each is tried, in an empty folder of its own where files matter.
"""

import ast
import contextlib
import copy
import io
import itertools
import json
import math
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import FunctionType
from typing import Any

ANSWER = "<answer>"


@dataclass
class Seen:
    """What one call left: what it returned, printed and did to its arguments, and the files it wrote."""

    returned: Any = None
    printed: str = ""
    arguments: list[Any] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)


Check = Callable[..., bool]


def judge(program: str, test: dict[str, Any]) -> None:
    """Come back if some function, or the program as a script, meets the test; AssertionError if none does."""
    met = meets_cases(program, test["cases"]) if test["kind"] == "function" else meets_check(program, test)
    assert met, "nothing in the program does what was asked"


def meets_cases(program: str, cases: list[dict[str, Any]]) -> bool:
    """Whether one function gives every case what it wants."""
    names = [function.__name__ for function in functions(loaded(program))]
    return any(all(meets_case(program, name, case) for case in cases) for name in names)


def meets_case(program: str, name: str, case: dict[str, Any]) -> bool:
    """Whether the function gives the wanted value, for the arguments in one order or the other."""
    orders = itertools.permutations(case["args"]) if len(case["args"]) == 2 else [case["args"]]
    for arguments in orders:
        seen = called(loaded(program)[name], list(arguments))
        if seen is not None and any(equal(value, case["want"]) for value in told(seen)):
            return True
    return False


def meets_check(program: str, test: dict[str, Any]) -> bool:
    """Whether the program as a script, or one call of one of its functions, leaves what the check asks for."""
    check, groups = find_check(test["check"])
    here = Path.cwd()
    tries: list[tuple[str, list[Any]]] = [("", [])]
    # Defining is not running: what a program does while it is loaded must not pass for a call.
    with folder(here, "look"):
        exec(test["setup"], {"__name__": "setup"})
        with contextlib.suppress(Exception, SystemExit):
            tries += [(f.__name__, call) for f in functions(loaded(program)) for call in test["calls"]]
    for number, (name, call) in enumerate(tries):
        with folder(here, f"try{number}"):
            exec(test["setup"], {"__name__": "setup"})
            before = contents()
            seen = called(loaded(program)[name], call) if name else as_script(program)
            if seen is None:
                continue
            seen.files = [Path(path) for path, data in contents().items() if before.get(path) != data]
            with contextlib.suppress(Exception):
                if check(seen, *groups):
                    return True
    return False


def loaded(program: str) -> dict[str, Any]:
    """The program's names after it was imported."""
    names: dict[str, Any] = {"__name__": "answer", "__file__": ANSWER}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(program, ANSWER, "exec", dont_inherit=True), names)
    return names


def functions(names: dict[str, Any]) -> list[FunctionType]:
    """The functions that the program itself defines, the last one first: helpers stand first."""
    found = [each for name, each in names.items() if isinstance(each, FunctionType) and each.__name__ == name]
    return [each for each in reversed(found) if each.__code__.co_filename == ANSWER]


def called(function: Any, arguments: list[Any]) -> Seen | None:
    """What a call left, or None if it failed."""
    own, printed = copy.deepcopy(arguments), io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            returned = function(*own)
            if isinstance(returned, Iterator | map | filter | zip | range):
                returned = list(itertools.islice(returned, 10_000))
    except (Exception, SystemExit):
        return None
    return Seen(returned, printed.getvalue(), own, asked=arguments)


def as_script(program: str) -> Seen | None:
    """What the program leaves when it is run, or None if it failed."""
    printed, before = io.StringIO(), sys.argv
    sys.argv = [ANSWER]
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(program, ANSWER, "exec", dont_inherit=True), {"__name__": "__main__", "__file__": ANSWER})
    except SystemExit as left:
        return None if left.code else Seen(printed=printed.getvalue())
    except Exception:
        return None
    finally:
        sys.argv = before
    return Seen(printed=printed.getvalue())


def told(seen: Seen) -> Iterator[Any]:
    """The values by which a call may answer: returned, changed in place, or printed."""
    yield seen.returned
    if seen.returned is None:
        yield from seen.arguments
    text = seen.printed.strip()
    if text:
        yield text
        with contextlib.suppress(ValueError, SyntaxError):
            yield ast.literal_eval(text)


def equal(value: Any, want: Any) -> bool:
    """The same value: lists and tuples alike, floats within a millionth."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(want, bool) or isinstance(value, bool):
        return isinstance(value, bool) and isinstance(want, bool) and value == want
    if isinstance(want, int | float):
        return isinstance(value, int | float) and math.isclose(value, want, rel_tol=1e-6, abs_tol=1e-6)
    if isinstance(want, list):
        return isinstance(value, list | tuple) and len(value) == len(want) and all(map(equal, value, want))
    return bool(value == want)


def is_number(seen: Seen, wanted: str) -> bool:
    """The number is returned, or is the last one printed."""
    numbers = re.findall(r"-?\d+(?:\.\d+)?", seen.printed)
    return equal(seen.returned, float(wanted)) or bool(numbers and equal(float(numbers[-1]), float(wanted)))


def are_names(seen: Seen, wanted: str) -> bool:
    """The files' names, or paths that end in them, are returned or printed, and no others."""
    names = set(re.findall(r"[\w.-]+\.\w+", wanted))
    listed = [seen.returned] if isinstance(seen.returned, str) else seen.returned
    if isinstance(listed, Iterable) and {Path(str(path)).name for path in listed} == names:
        return True
    return {Path(path).name for path in re.findall(r"[\w./\\-]+\.\w+", seen.printed)} == names


def holds_list(seen: Seen, name: str) -> bool:
    """The JSON file holds the list that was given."""
    given = next(each for each in seen.asked if isinstance(each, list))
    return bool(json.loads(Path(name).read_text("utf-8")) == given)


def is_image(seen: Seen, width: str, height: str) -> bool:
    """An image of this size."""
    return any(image.size == (int(width), int(height)) for image in images(seen))


def is_gray(seen: Seen, width: str, height: str) -> bool:
    """An image of this size without colour."""

    def gray(image: Any) -> bool:
        red, green, blue = (band.tobytes() for band in image.convert("RGB").split())
        return bool(red == green == blue)

    return any(image.size == (int(width), int(height)) and gray(image) for image in images(seen))


def are_halves(seen: Seen, *sizes: str) -> bool:
    """Two images, of the first size side by side or of the second one above the other, that make the input."""
    wide, high = tuple(map(int, sizes[:2])), tuple(map(int, sizes[2:]))
    whole = image_at(Path("input.png"))
    return any(
        first.size == second.size == size and pasted(whole, first, second, corner) == whole.tobytes()
        for first, second in itertools.permutations(images(seen), 2)
        for size, corner in ((wide, (wide[0], 0)), (high, (0, high[1])))
    )


def pasted(whole: Any, first: Any, second: Any, corner: tuple[int, int]) -> bytes:
    """The pixels of a picture as large as `whole` with the two put together."""
    sheet = whole.copy()
    sheet.paste(0, (0, 0, *sheet.size))
    sheet.paste(first.convert(whole.mode), (0, 0))
    sheet.paste(second.convert(whole.mode), corner)
    return bytes(sheet.tobytes())


CHECKS: tuple[tuple[str, Check], ...] = (
    (r"([\d.]+) is returned or printed", is_number),
    (r"exactly (.+) \(names or paths\) are returned or printed", are_names),
    (r"(\S+) holds the list", holds_list),
    (r"an image of (\d+)x(\d+) is returned or written", is_image),
    (r"an image of (\d+)x(\d+) whose channels are equal \(.*\) is returned or written", is_gray),
    (
        r"two images of (\d+)x(\d+) \(or two of (\d+)x(\d+)\) are returned or written, and side by side they equal "
        r"the input",
        are_halves,
    ),
)
"""How a check may be put in words, and the function that decides it; the groups are its further arguments."""


def find_check(text: str) -> tuple[Check, tuple[str, ...]]:
    """The function and its arguments; LookupError for a sentence that nobody has put into code."""
    for sentence, check in CHECKS:
        if found := re.fullmatch(sentence, text):
            return check, found.groups()
    raise LookupError(text)


def images(seen: Seen) -> list[Any]:
    """The pictures that a call returned or wrote."""
    returned = list(seen.returned) if isinstance(seen.returned, list | tuple) else [seen.returned]
    found = [each for each in returned if hasattr(each, "convert") and hasattr(each, "size")]
    for path in seen.files:
        with contextlib.suppress(Exception):
            found.append(image_at(path))
    return found


def image_at(path: Path) -> Any:
    """The picture in a file, read in full."""
    with import_module("PIL.Image").open(path) as image:
        return image.copy()


def contents() -> dict[str, bytes]:
    """The files below this folder and what is in them."""
    return {str(path): path.read_bytes() for path in sorted(Path().rglob("*")) if path.is_file()}


@contextlib.contextmanager
def folder(here: Path, name: str) -> Iterator[None]:
    """Work in a new folder."""
    place = here / name
    place.mkdir()
    os.chdir(place)
    try:
        yield
    finally:
        os.chdir(here)
