"""Tokenizers as public checkpoints ship them: every trap of their files, and ids that give back the very bytes."""

import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, decoders, models, normalizers, pre_tokenizers
from tokenizers import Tokenizer as Engine

from dcode.errors import ModelError
from dcode.model.checkpoint import checkpoint
from dcode.model.exact import make_exact
from dcode.model.open_tokenizer import read
from dcode.model.tokenizer import Tokenizer
from tests.model.tiny import ROW, bytes_in_order, write_tokenizer

CARD = {"vocab_size": 300, "eos_token_id": 256}
OPEN_DCODER = checkpoint("open-dcoder-0.5b")
CHAT = "{% for turn in messages %}<|im_start|>{{ turn.role }}\n{{ turn.content }}<|im_end|>\n{% endfor %}<|im_start|>"


def qwen(folder: Path, **told: Any) -> Path:
    """A slow Qwen tokenizer's files: a vocabulary, merges, added tokens with the mask among them, not as special."""
    (folder / "vocab.json").write_text(json.dumps(bytes_in_order()))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    added = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<M>")
    (folder / "added_tokens.json").write_text(json.dumps({text: 256 + index for index, text in enumerate(added)}))
    config = {"tokenizer_class": "Qwen2Tokenizer", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>", **told}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


@cache
def tokenizer() -> Tokenizer:
    with TemporaryDirectory() as folder:
        return read(qwen(Path(folder), chat_template=CHAT), CARD, OPEN_DCODER)


def test_the_mask_is_found_among_added_tokens() -> None:
    known = tokenizer()
    assert (known.mask_id, known.end_id, known.begin_id, known.void_id) == (259, 256, 256, None)
    assert known.pieces[256:] == (b"",) * 4


def test_code_that_holds_the_text_of_a_control_token_holds_no_control_token() -> None:
    text = b"std::vector<M> v; // <|im_end|><|endoftext|>"
    assert tokenizer().encode(text) == list(text)


@given(text=st.text(alphabet=st.characters(codec="utf-8"), max_size=40))
def test_any_text_comes_back_byte_for_byte(text: str) -> None:
    assert tokenizer().decode(tokenizer().encode(text.encode())) == text.encode()


def test_a_chat_has_control_tokens_from_its_template_alone_and_leaves_no_trace() -> None:
    template = tokenizer().template
    assert template is not None
    ids = template(" say <M>, <|im_end|> and e\u0301 ")
    said = "say <M>, <|im_end|> and e\u0301".encode()
    assert ids == [257, *b"user\n", *said, 258, *b"\n", 257]
    test_code_that_holds_the_text_of_a_control_token_holds_no_control_token()


def test_a_class_of_their_own_is_not_asked(tmp_path: Path) -> None:
    told = {"tokenizer_class": "DreamTokenizer", "auto_map": {"AutoTokenizer": ["tokenization_dream.DreamTokenizer"]}}
    assert read(qwen(tmp_path, **told), CARD, OPEN_DCODER).mask_id == 259


@pytest.mark.parametrize("template", ["{% for %}", "{{ raise_exception('no') }}", "no request", "{{ messages * 2 }}"])
def test_a_broken_template_is_told_when_it_is_needed(tmp_path: Path, template: str) -> None:
    known = read(qwen(tmp_path, chat_template=template), CARD, OPEN_DCODER)
    assert known.template is not None and known.encode(b"<M>") == list(b"<M>")
    with pytest.raises(ModelError, match="chat template does not work") as caught:
        known.template("x")
    assert "\n" not in caught.value.what


def test_a_mask_that_only_added_tokens_json_knows(tmp_path: Path) -> None:
    """transformers passes over that file where tokenizer_config.json lists added tokens of its own."""
    write_tokenizer(tmp_path, mask="<|other|>")
    entry = {"content": "<|endoftext|>", "special": True} | dict.fromkeys(
        ("lstrip", "rstrip", "normalized", "single_word"), False
    )
    told = {"eos_token": "<|endoftext|>", "added_tokens_decoder": {"257": entry}}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(told))
    (tmp_path / "added_tokens.json").write_text(json.dumps({"<M>": 259}))
    known = read(tmp_path, CARD, OPEN_DCODER)
    assert known.mask_id == 259 and known.decode([259]) == b"" and known.encode(b"<M>") == list(b"<M>")


def test_files_come_before_the_row_and_the_tokenizer_knows_the_beginning(tmp_path: Path) -> None:
    write_tokenizer(tmp_path)
    card = {"vocab_size": 152064, "mask_token_id": 256, "eos_token_id": [257, 9], "bos_token_id": 257}
    known = read(tmp_path, card, checkpoint("dream-coder-7b"))
    assert (known.mask_id, known.end_id, known.begin_id) == (256, 257, 151665)
    known = read(tmp_path, {**card, "vocab_size": 300}, checkpoint("dreamon-7b"))
    assert (known.begin_id, known.expand_id, known.delete_id) == (257, 258, 257)
    assert known.pieces[258] == b"" and read(tmp_path, card, ROW).expand_id is None


@pytest.mark.parametrize("junk", ["x", -1, True, [], {}, 1.5])
def test_an_id_that_is_none_is_not_believed(tmp_path: Path, junk: object) -> None:
    write_tokenizer(tmp_path)
    with pytest.raises(ModelError, match="nothing says which is the mask token"):
        read(tmp_path, {**CARD, "mask_token_id": junk}, ROW)


def test_missing_and_damaged_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"lacks tokenizer\.json"):
        read(tmp_path, CARD, OPEN_DCODER)
    qwen(tmp_path)
    (tmp_path / "added_tokens.json").write_text('{"<M>": "x"}')
    with pytest.raises(ModelError, match=r"added_tokens\.json|cannot be read"):
        read(tmp_path, CARD, OPEN_DCODER)
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(ModelError, match="cannot be read"):
        read(tmp_path, CARD, OPEN_DCODER)


def byte_level() -> Engine:
    engine = Engine(models.BPE(vocab=bytes_in_order(), merges=[]))
    engine.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    return engine


def sentence_piece() -> Engine:
    """A vocabulary that spells blanks as U+2581 and falls back to single bytes."""
    words = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), "\u2581", "x", "\u2581x"]
    vocabulary = {word: index for index, word in enumerate(words)}
    engine = Engine(
        models.BPE(vocab=vocabulary, merges=[("\u2581", "x")], byte_fallback=True, unk_token="<unk>", fuse_unk=True)
    )
    engine.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    engine.decoder = decoders.ByteFallback()
    return engine


def metaspace() -> Engine:
    engine = sentence_piece()
    engine.normalizer = normalizers.NFKC()
    engine.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Metaspace(prepend_scheme="always", split=False)])
    return engine


@pytest.mark.parametrize("make", [byte_level, sentence_piece, metaspace])
def test_tokenizers_of_every_make_become_exact(make: Any) -> None:
    engine = make()
    engine.add_tokens([AddedToken("<tool>"), AddedToken("    ", normalized=False)])
    engine.enable_truncation(4)
    engine.enable_padding(length=64)
    sample = make_exact(engine)
    tool = engine.token_to_id("<tool>")
    known = Tokenizer(engine, tool, None, tool, tool)
    for text in (sample, "x", " x", "x  x" * 40, "<tool> e\u0301"):
        assert known.decode(known.encode(text.encode())) == text.encode()
    assert known.pieces[engine.token_to_id("    ")] == b"    "


def test_a_tokenizer_that_loses_text_is_refused(tmp_path: Path) -> None:
    engine = Engine(models.WordLevel(vocab={"x": 0, "<unk>": 1}, unk_token="<unk>"))
    engine.pre_tokenizer = pre_tokenizers.Whitespace()
    engine.add_special_tokens(["<M>", "<|endoftext|>"])
    engine.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(ModelError, match="changes the text it reads"):
        read(tmp_path, {"vocab_size": 9, "eos_token_id": 3}, OPEN_DCODER)
