"""Vocabularies of others, with a symbols.json beside them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, pre_tokenizers, trainers

from seqloom.errors import TokenizerError
from seqloom.symbols import Symbols
from seqloom.text.piece_tables import word_beginnings
from seqloom.text.tokenizer import Tokenizer, Tokenizers

SYMBOLS = Symbols(pad=1, begin=0, end=0, unknown=None, mask=None)


def backend() -> Backend:
    found = Backend(models.BPE())
    found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    found.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=280,
        special_tokens=["<|end|>", "<|pad me|>", "<2de>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    found.train_from_iterator(["the cat and the dog", "über den Wolken"], trainer)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    backend().save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "symbols.json").write_text(json.dumps(SYMBOLS._asdict()))
    return tmp_path


def test_it_cuts_as_it_was_made_to_and_keeps_its_symbols(folder: Path) -> None:
    tokenizer = Tokenizer.load(folder / "tokenizer.json")
    text = "the cat über <|end|> 😀"
    made = backend()
    made.encode_special_tokens = True
    assert tokenizer.kind == "foreign"
    assert tokenizer.symbols == SYMBOLS
    assert tokenizer.encode(text) == made.encode(text, add_special_tokens=False).ids
    assert tokenizer.decode([0, *tokenizer.encode(text), 0, 1]) == text
    assert tokenizer.tags == ("<2de>",)
    assert tokenizer.encode("the", tags=["de"])[0] == 2


def test_pieces_are_text_and_special_tokens_their_names(folder: Path) -> None:
    tokenizer = Tokenizer.load(folder / "tokenizer.json")
    assert tokenizer.pieces([0, 1, 2]) == ["<|end|>", "<|pad me|>", "<2de>"]
    assert "".join(tokenizer.pieces(tokenizer.encode("the cat"))) == "the▁cat"
    assert tokenizer.words("the cat") == ["the", "Ġcat"]
    assert tokenizer.explain("the cat").words[1].word == "▁cat"


def test_it_is_saved_and_loaded_with_its_symbols(folder: Path, tmp_path: Path) -> None:
    first = Tokenizer.load(folder / "tokenizer.json")
    other = tmp_path / "other"
    other.mkdir()
    Tokenizers(first, first).save(other)
    second = Tokenizers.load(other).source
    assert second.symbols == SYMBOLS
    assert second.fingerprint == first.fingerprint


def test_other_symbols_are_another_tokenizer(folder: Path) -> None:
    first = Tokenizer.load(folder / "tokenizer.json")
    (folder / "symbols.json").write_text(json.dumps(SYMBOLS._replace(end=1)._asdict()))
    assert Tokenizer.load(folder / "tokenizer.json").fingerprint != first.fingerprint


def test_without_a_pre_tokenizer_a_text_is_one_word(tmp_path: Path) -> None:
    plain = Backend(models.BPE({"a": 0, "b": 1, "ab": 2, "</s>": 3}, [("a", "b")]))
    plain.save(str(tmp_path / "tokenizer.json"))
    symbols = Symbols(pad=3, begin=3, end=3, unknown=None)
    (tmp_path / "symbols.json").write_text(json.dumps(symbols._asdict()))
    tokenizer = Tokenizer.load(tmp_path / "tokenizer.json")
    assert tokenizer.words("abab") == ["abab"]
    assert tokenizer.words("") == []
    assert tokenizer.pieces(tokenizer.encode("abb")) == ["ab", "b"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "not a list of special tokens"),
        ('{"start": 1}', "not a list of special tokens"),
        ('{"pad": 280}', r"pad is 280, expected an id below 280"),
        ('{"end": null}', r"end is None, expected an id below 280"),
    ],
)
def test_damaged_symbols_are_refused(folder: Path, text: str, complaint: str) -> None:
    (folder / "symbols.json").write_text(text)
    with pytest.raises(TokenizerError, match=complaint):
        Tokenizer.load(folder / "tokenizer.json")


def test_pieces_of_wordpiece_that_go_on_with_a_word_begin_none() -> None:
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "play", "##ing", ",", "東"]
    table = {piece: index for index, piece in enumerate(pieces)}
    made = Backend(models.WordPiece(table, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer = Tokenizer(made, Symbols(pad=0, begin=2, end=3, unknown=1, mask=4))
    begins = word_beginnings(tokenizer)
    assert [piece for piece, begin in zip(pieces, begins, strict=True) if not begin] == ["##ing"]
