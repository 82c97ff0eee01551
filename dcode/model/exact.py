"""A tokenizer made exact: the ids of a text give back its very bytes, and no text stands for a control token.

Published tokenizers rewrite what they read (normal forms of Unicode, a blank in front) and find control tokens in it:
"vector<M>" would hold the mask. In a file that is edited byte for byte neither may happen.
"""

import json
from typing import Any

from tokenizers import AddedToken, normalizers, pre_tokenizers
from tokenizers import Tokenizer as Engine

SPELLING = ("Replace", "ByteLevel")
"""The normalizers that only spell blanks and bytes in the vocabulary's alphabet; the others change the text."""

SAMPLE = "\x00\t\n\r\n  if x:\u00a0'e\u0301\u00e9\ufb01\u4e16\U0001f642' \x7f"
"""What tokenizers like to change: white space, control characters, letters that Unicode can write in two ways."""


def make_exact(engine: Engine) -> str:
    """Let it change and cut nothing, and take no text for an added token that is not blank.

    Returns a text that a tokenizer gives back unchanged only if this succeeded.
    """
    added = [token.content for token in engine.get_added_tokens_decoder().values() if token.content.strip()]
    engine.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in added])
    engine.encode_special_tokens = True
    engine.no_truncation()
    engine.no_padding()
    if engine.normalizer is not None:
        engine.normalizer = _of(normalizers.Sequence([]), _spelling(_spec(engine.normalizer)))
    if engine.pre_tokenizer is not None:
        engine.pre_tokenizer = _of(pre_tokenizers.Sequence([]), _unprefixed(_spec(engine.pre_tokenizer)))
    return SAMPLE + "".join(added)


def _spelling(normalizer: dict[str, Any]) -> dict[str, Any]:
    """Those parts of a normalizer that spell."""
    if normalizer["type"] in SPELLING:
        return normalizer
    kept = [_spelling(part) for part in normalizer.get("normalizers", ())]
    return {"type": "Sequence", "normalizers": kept}


def _unprefixed(cutter: dict[str, Any]) -> dict[str, Any]:
    """Without the blank that some put in front of a text."""
    never = {"add_prefix_space": False, "prepend_scheme": "never"}
    plain = {**cutter, **{key: value for key, value in never.items() if key in cutter}}
    if "pretokenizers" in cutter:
        plain["pretokenizers"] = [_unprefixed(part) for part in cutter["pretokenizers"]]
    return plain


def _spec(part: Any) -> dict[str, Any]:
    spec: dict[str, Any] = json.loads(part.__getstate__())
    return spec


def _of(part: Any, spec: dict[str, Any]) -> Any:
    part.__setstate__(json.dumps(spec).encode())
    return part
