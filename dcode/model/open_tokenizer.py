"""The tokenizer of a public checkpoint, read by transformers without any code of the checkpoint's own.

Importing transformers takes seconds, so only the loading of such a checkpoint imports this file.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerFast
from transformers import Qwen2TokenizerFast as Qwen2  # type: ignore[attr-defined]  # in release 5 only an alias

from dcode.errors import ModelError
from dcode.model.checkpoint import Checkpoint
from dcode.model.exact import make_exact
from dcode.model.tokenizer import Tokenizer

ADDED = "added_tokens.json"
NAMED = "load it under its name: -m NAME=FOLDER, with a NAME of dcode models list"
PLACE = "\ue000the request\ue000"
"""Stands for the request in a chat template, so that nothing in a request can be taken for a control token."""


def read(folder: Path, card: Mapping[str, Any], row: Checkpoint) -> Tokenizer:
    """The tokenizer in a folder and its special ids: from the files first, then from the row; never guessed."""
    theirs = _theirs(folder)
    named = {str(token.content): number for number, token in theirs.added_tokens_decoder.items()}
    # Where tokenizer_config.json lists added tokens, transformers passes over this file: it may know the mask alone.
    named = {**_table(folder / ADDED), **named}

    def in_row(number: int | None) -> int | None:
        # A row speaks of the published checkpoint: an id that this network has no place for is another's.
        return number if number is not None and number < (_one(card.get("vocab_size")) or len(theirs)) else None

    def found(what: str, *places: Any) -> int:
        number = next((one for place in places if (one := _one(place)) is not None), None)
        if number is None:
            raise ModelError(f"nothing says which is the {what} of {folder}", hint=NAMED)
        return number

    by_name = named.get(row.mask_token or "")
    mask = found("mask token", card.get("mask_token_id"), theirs.mask_token_id, by_name, in_row(row.mask_id))
    pad = theirs.pad_token_id
    end = found("end token", card.get("eos_token_id"), theirs.eos_token_id, in_row(row.end_id), pad)
    begin = found("begin token", theirs.bos_token_id, in_row(row.begin_id), card.get("bos_token_id"), end)
    expand = delete = None
    if row.length == "expand":
        expand = found("expand token", named.get(row.expand_token or ""), in_row(row.expand_id))
        delete = found("delete token", end if row.delete_id == row.end_id else in_row(row.delete_id))
    engine, template = theirs.backend_tokenizer, _template(theirs)
    sample = make_exact(engine).encode()
    tokenizer = Tokenizer(engine, mask, None, begin, end, expand, delete, template)
    if tokenizer.decode(tokenizer.encode(sample)) != sample:
        raise ModelError(f"the tokenizer in {folder} changes the text it reads: dcode edits byte for byte")
    return tokenizer


def _theirs(folder: Path) -> Any:
    """Their tokenizer, by the public class that reads its files; what class they name may be code of their own."""
    whole = (folder / "tokenizer.json").is_file()
    if not whole and not all((folder / name).is_file() for name in ("vocab.json", "merges.txt")):
        raise ModelError(f"{folder} lacks tokenizer.json", hint="vocab.json and merges.txt could stand in for it")
    try:
        return (PreTrainedTokenizerFast if whole else Qwen2).from_pretrained(folder, local_files_only=True)
    except Exception as error:  # transformers raises whatever its parsers raise
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise ModelError(f"the tokenizer in {folder} cannot be read: {reason}") from None


def _table(path: Path) -> dict[str, int]:
    """Token → id; ModelError for a file that says something else."""
    if not path.is_file():
        return {}
    try:
        return {str(token): int(number) for token, number in json.loads(path.read_bytes()).items()}
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError, OSError):
        raise ModelError(f"{path} cannot be read: it is no table of ids") from None


def _template(theirs: Any) -> Callable[[str], list[int]] | None:
    """Writes a request as a turn of their chat, if there is one: only what it writes itself can be a control token.

    It is asked once, before the tokenizer is made exact; how it failed is told when it is needed.
    """
    if not theirs.chat_template:
        return None
    turn, reason = [{"role": "user", "content": PLACE}], ""
    around: list[list[int]] = []
    try:
        shown = theirs.apply_chat_template(turn, add_generation_prompt=True, tokenize=False)
        before, after = shown.split(PLACE)
        around = [theirs.encode(part, add_special_tokens=False) for part in (before, after)]
    except Exception as error:  # a template is a program: whatever it raises
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]

    def ids(request: str) -> list[int]:
        if reason:
            raise ModelError(f"the model's chat template does not work: {reason}")
        asked = theirs.backend_tokenizer.encode(request.strip(), add_special_tokens=False).ids
        return [*around[0], *asked, *around[1]]

    return ids


def _one(value: Any) -> int | None:
    """An id, or the first of several; None for anything else."""
    number = value[0] if isinstance(value, list) and value else value
    return number if isinstance(number, int) and not isinstance(number, bool) and number >= 0 else None
