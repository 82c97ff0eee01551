"""Train the embedded model's tokenizer: byte-level BPE whose tokens end where lines and indentation end.

It knows text only, no files and no model. The four control tokens have ids 0..3 but are plain entries of
the vocabulary that no merge leads to: they are not registered as "added tokens", whose spelling the
tokenizers library would look for in every text. So a file that spells `<|mask|>` encodes as ordinary
pieces, whatever flag the reader sets, and only `token_to_id` finds the control tokens.
"""

import json
from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

MASK, VOID, BEGIN, END = SPECIALS = ("<|mask|>", "<|void|>", "<|begin|>", "<|end|>")

# In order: a newline alone; indentation, at a line's start or a piece's; a word with the space and the
# underscores before it; one digit; up to four signs (an underscore that opens a word belongs to the word);
# blanks within a line; any other white space. Every character falls under one of them.
_PIECES = r"""\n|(?<=\n)[ \t]+|\A[ \t]+| ?_*\p{L}+|[0-9]| ?(?:[^\s\p{L}0-9_]|_(?!_*\p{L})){1,4}|[ \t]+|\s"""


def train_tokenizer(files: Iterable[str], size: int = 8192) -> Tokenizer:
    """A tokenizer of at most `size` entries: four control tokens, all 256 bytes, then merges by frequency.

    Pieces cut at a line start or at a first non-blank column encode as they do inside the whole text.
    """
    assert size >= len(SPECIALS) + 256, f"{size} entries cannot hold every byte"
    learner = Tokenizer(models.BPE())
    # Pieces by pattern, then bytes; no normalizer, so that text comes back exactly.
    learner.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    learner.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(SPECIALS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    learner.train_from_iterator(files, trainer)
    return _without_added_tokens(learner)


def _without_added_tokens(learner: Tokenizer) -> Tokenizer:
    """The same vocabulary and merges, with the control tokens beyond the reach of text."""
    state = json.loads(learner.to_str())
    assert [state["model"]["vocab"][name] for name in SPECIALS] == list(range(len(SPECIALS)))
    state["added_tokens"] = []
    return Tokenizer.from_str(json.dumps(state))
