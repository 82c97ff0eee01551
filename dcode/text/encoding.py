"""Which encoding a file is in, and its text in UTF-8.

Refused is what cannot be spliced and given back byte for byte. Languages are not known here: the pattern of
an encoding cookie is given by the caller.
"""

import codecs
import re

from dcode.errors import InputError

NEWLINE = re.compile(rb"\r\n|\r|\n")
"""All that ends a line: a form feed or U+2028 is an ordinary character."""

_WIDE_MARKS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_STATEFUL = re.compile(r"iso2022|hz|utf-7|(raw[-_])?unicode[-_]escape")  # bytes depend on those before
_ASCII = bytes(range(128))
_CONVERT = "convert it to UTF-8 first"


def refuse_binary(data: bytes, name: str) -> None:
    """InputError if the bytes are no text, or text in two or four bytes per character."""
    if data.startswith(_WIDE_MARKS):
        raise InputError(f"{name} is binary: it looks like UTF-16 or UTF-32", hint=_CONVERT)
    at = data.find(b"\0")
    if at >= 0:
        raise InputError(f"{name} is binary: byte {at} is NUL", hint="dcode works on text")


def declared_encoding(body: bytes, bom: bool, name: str, cookie: re.Pattern[bytes] | None) -> str:
    """Python's name of the encoding that the first two lines declare, "utf-8" if none.

    InputError if it is unknown or cannot be edited safely.
    """
    declared = _declared(body, cookie) if cookie else None
    if declared is None:
        return "utf-8"
    spelled = re.sub(r"-(unix|dos|mac)$", "", declared, flags=re.IGNORECASE)  # what editors append
    try:
        encoding = codecs.lookup(spelled).name.removesuffix("-sig")
    except LookupError:
        raise InputError(f"{name} declares an unknown encoding: {declared}") from None
    if bom and encoding != "utf-8":
        raise InputError(f"{name} has a UTF-8 byte order mark but declares {declared}", hint="remove one")
    if not _safe(encoding):
        raise InputError(f"{name} is in {declared} and cannot be edited safely", hint=_CONVERT)
    return encoding


def _declared(body: bytes, cookie: re.Pattern[bytes]) -> str | None:
    """The cookie's group in the first line, or in the second if the first is blank or a comment like it."""
    first, second, *_ = [*NEWLINE.split(body[:4096], maxsplit=2), b"", b""]
    match = cookie.search(first)
    if not match and first.strip()[:1] in (b"", second.strip()[:1]):
        match = cookie.search(second)
    return match[1].decode("ascii", "replace") if match else None


def _safe(encoding: str) -> bool:
    """Whether ASCII means itself and characters do not depend on those before them, as splicing needs."""
    if _STATEFUL.match(encoding):
        return False
    try:
        return _ASCII.decode(encoding).encode() == _ASCII == _ASCII.decode().encode(encoding)
    except (UnicodeError, LookupError):  # LookupError: a codec that is not for text
        return False


def to_utf8(body: bytes, encoding: str, name: str) -> bytes:
    """The text in UTF-8; InputError if it is not in `encoding`, or would not be the same bytes again."""
    if body.isascii():
        return body
    try:
        text = body.decode(encoding)
        if encoding == "utf-8":
            return body
        same = text.encode(encoding) == body
    except UnicodeDecodeError as error:
        line = len(NEWLINE.findall(body, 0, error.start)) + 1
        raise InputError(
            f"{name} is not valid {encoding}: line {line}, byte 0x{body[error.start]:02x}",
            hint="convert it to UTF-8, or declare its encoding",
        ) from None
    except UnicodeEncodeError:
        same = False
    if not same:
        raise InputError(f"{name} does not survive a round trip in {encoding} and cannot be edited safely")
    return text.encode("utf-8")
