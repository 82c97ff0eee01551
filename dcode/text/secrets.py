"""Does a line look like a secret? Such lines are never proposed and never logged.

Known shapes of keys and tokens are recognised anywhere; an unknown one by the name it is given and by how random it
looks. It knows no language, and errs on the side of silence.
"""

import math
import re
from collections import Counter

_KNOWN = re.compile(
    rb"""
      -----BEGIN\ (?:[A-Z0-9]+\ )*PRIVATE\ KEY(?:\ BLOCK)?-----
    | PuTTY-User-Key-File-
    | AGE-SECRET-KEY-1[0-9A-Z]{20,}
    | (?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])   # Amazon
    | (?<![A-Za-z0-9])gh[pousr]_[A-Za-z0-9]{36}                            # GitHub
    | (?<![A-Za-z0-9])github_pat_[A-Za-z0-9_]{40,}
    | (?<![A-Za-z0-9])gl(?:pat|dt|rt|ptt|soat)-[A-Za-z0-9_-]{20,}          # GitLab
    | (?<![A-Za-z0-9])xox[abeoprs]-[0-9A-Za-z-]{10,}                       # Slack
    | hooks\.slack\.com/services/T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/[A-Za-z0-9]{16,}
    | (?<![A-Za-z0-9])AIza[0-9A-Za-z_-]{35}                                # Google
    | (?<![A-Za-z0-9])ya29\.[0-9A-Za-z_-]{20,}
    | (?<![A-Za-z0-9])(?:sk|rk|pk)_live_[0-9A-Za-z]{16,}                   # Stripe
    | (?<![A-Za-z0-9])whsec_[0-9A-Za-z+/=]{24,}
    | (?<![A-Za-z0-9])sk-(?:[a-z]+[0-9]*-)*(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{32,}   # several model hosts
    | (?<![A-Za-z0-9])hf_[A-Za-z0-9]{30,}
    | (?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}
    | (?<![A-Za-z0-9])pypi-AgE[A-Za-z0-9_-]{40,}
    | (?<![A-Za-z0-9])dop_v1_[0-9a-f]{64}                                  # DigitalOcean
    | (?<![A-Za-z0-9])SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{32,}           # SendGrid
    | (?<![A-Za-z0-9])shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}                   # Shopify
    | (?<![A-Za-z0-9])[0-9]{8,10}:AA[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])     # Telegram
    | (?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}   # a signed web token
    """,
    re.VERBOSE,
)
"""Shapes that issuers chose so that they can be recognised."""

_IN_ADDRESS = re.compile(
    rb"""\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@'"`]{0,80}:(?P<value>[^\s/@'"`]{1,200})@[A-Za-z0-9\[]"""
)
"""The password in an address: scheme://name:password@host."""

_NAMED = re.compile(
    rb"""
    (?:pass(?:word|wd|phrase|code)?|pwd|secret|token|credentials?|bearer
      |(?:api|access|auth|private|account|signing|encryption|master|session|service|shared|storage)[_-]?key)
    [A-Za-z0-9_-]*                                      # token_v2, secret_key, PASSWORD_PROD
    ["'`\])]*  \s*  (?P<by>=>|:=|=|:|,|\(|\ )\s*            # how languages and formats put a value to a name
    (?:[A-Za-z_][\w.<>\[\] ]{0,30}?=\s*)?               # a type in between: password: str =
    (?:[Bb]earer\s+)?
    (?: [A-Za-z]{0,2}(?P<quote>["'`])(?P<text>[^"'`\s]{8,})(?P=quote)
      | (?P<bare>[A-Za-z0-9+/=_.~-]{16,})(?=\s*[;,]?\s*(?:\#.*|//.*)?$)
    )
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""A value that is given a name which speaks of secrets."""

_PLACEHOLDER = re.compile(
    rb"""
      [<>{}$%*]|\.\.\.|\[.*\]|^[\W_]*$                             # <token>, ${TOKEN}, %s, ****
    | x{4}|(.)\1{5}|12345678|abcdef.?12345|0123456
    | change.?me|your|example|placeholder|dummy|sample|fake|mock|redacted|insert|todo|none|null|undefined|here$
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""What stands where a person is to put a value."""

_SHORTEST_RANDOM = 16
_BITS_A_CHARACTER = 3.0
_TURNS = 4
_TURNS_A_CHARACTER = 0.42


def looks_secret(line: bytes) -> bool:
    """Whether a line holds a private key, a token or a password, as far as its look can tell."""
    if _KNOWN.search(line):
        return True
    if any(not _is_placeholder(match["value"]) for match in _IN_ADDRESS.finditer(line)):
        return True
    return any(_is_value(match) for match in _NAMED.finditer(line))


def brings_secret(before: bytes, after: bytes) -> bool:
    """Whether a line of `after` looks like a secret and was not in `before`, whatever its indent."""
    known = {line.strip() for line in before.splitlines()}
    return any(line not in known and looks_secret(line) for line in map(bytes.strip, after.splitlines()))


def _is_value(match: re.Match[bytes]) -> bool:
    """Whether what is assigned is a value of its own: random enough, and for a quoted password short is enough."""
    text = match["text"]
    if text is None:
        return not _is_placeholder(match["bare"]) and _is_random(match["bare"])
    if _is_placeholder(text):
        return False
    password = match["by"] != b" " and match[0].lower().startswith((b"pass", b"pwd"))
    return _is_random(text) or (password and _is_password(text))


def _is_placeholder(value: bytes) -> bool:
    return _PLACEHOLDER.search(value) is not None or value.lower() in (b"password", b"passwd", b"secret", b"pass")


def _is_random(value: bytes) -> bool:
    """Long, rich in different characters, and turning between small letters, capitals and digits as no word does."""
    if len(value) < _SHORTEST_RANDOM:
        return False
    counts = Counter(value).values()
    bits = -sum(count / len(value) * math.log2(count / len(value)) for count in counts)
    numbers = len(re.findall(rb"[0-9](?=[A-Za-z])|[A-Za-z](?=[0-9])", value))
    turns = numbers + len(re.findall(rb"[a-z](?=[A-Z])|[A-Z](?=[a-z])", value))
    return bits >= _BITS_A_CHARACTER and (numbers >= _TURNS or turns >= _TURNS_A_CHARACTER * len(value))


def _is_password(value: bytes) -> bool:
    """At least three of: small letters, capitals, digits, signs."""
    kinds = (rb"[a-z]", rb"[A-Z]", rb"[0-9]", rb"[^A-Za-z0-9_./-]")
    return sum(re.search(kind, value) is not None for kind in kinds) >= 3
