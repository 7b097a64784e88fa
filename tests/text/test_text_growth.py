"""Vocabularies that grow by tags: what text becomes, where old tokens went, foreign ones too."""

from __future__ import annotations

import numpy as np
import pytest
import tokenizers
from tokenizers import models, pre_tokenizers

from seqloom.errors import TokenizerError
from seqloom.symbols import Symbols
from seqloom.text.growth import grown, old_ids, shared_ids, with_tags
from seqloom.text.pipeline import KINDS
from seqloom.text.tokenizer import Tokenizer

THEIRS = {"▁dog": 0, "[B]": 1, "[P]": 2, "[E]": 3}
TEXTS = ["two dogs run", "a man runs", "one dog", "</s> <2fr> ▁x"]


@pytest.fixture(params=KINDS)
def learned(request: pytest.FixtureRequest, sentences: list[str]) -> Tokenizer:
    return Tokenizer.train(
        sentences, request.param, 340, tags=["de"], mask=request.param == "bpe", exact=False
    )


def test_text_is_cut_as_before_and_old_tokens_keep_their_rows(learned: Tokenizer) -> None:
    new = grown(learned, ["fr", "<bt>", "de", "<2fr>"])
    assert new.tags == ("<2de>", "<2fr>", "<bt>")
    assert new.size == learned.size + 2
    assert new.kind == learned.kind
    assert new.symbols == learned.symbols
    assert new.control == learned.control + 2
    rows = old_ids(learned, new)
    assert sorted(rows[rows >= 0]) == list(range(learned.size))
    assert [new.tokens[place] for place in np.flatnonzero(rows < 0)] == ["<2fr>", "<bt>"]
    for text in TEXTS:
        ids = new.encode(text, tags=["de"])
        assert rows[ids].tolist() == learned.encode(text, tags=["de"])
        assert new.decode(ids) == text
        assert new.encode(text, tags=["<bt>", "fr"])[2:] == new.encode(text)


def test_a_grown_vocabulary_is_saved_and_read_again(learned: Tokenizer, tmp_path) -> None:
    new = grown(learned, ["fr"])
    new.save(tmp_path / "tokenizer.json")
    found = Tokenizer.load(tmp_path / "tokenizer.json")
    assert found.fingerprint == new.fingerprint != learned.fingerprint
    assert found.encode("a dog", tags=["fr"]) == new.encode("a dog", tags=["fr"])


def test_nothing_new_changes_nothing(learned: Tokenizer) -> None:
    assert grown(learned, ["de"]) is learned
    source, target = with_tags((learned, learned), ["fr"])
    assert source is target
    other = Tokenizer.train(TEXTS, "character", 300, exact=False)
    source, target = with_tags((learned, other), ["fr"])
    assert source.tags == ("<2de>", "<2fr>")
    assert target is other
    assert with_tags((None, None), ["fr"]) == (None, None)


def test_tokens_are_found_by_their_text_and_special_ones_by_their_use() -> None:
    ours = Tokenizer.train(["dog run"] * 9, "word", 300, exact=False)
    backend = tokenizers.Tokenizer(models.WordLevel(THEIRS, "[E]"))
    rows = shared_ids(Tokenizer(backend, Symbols(2, 1, 3, None)), ours)
    assert rows[:4].tolist() == [2, 1, 3, -1]
    assert rows[ours.encode("dog")].tolist() == [0]
    assert rows[ours.encode("run")].tolist() == [-1]


def test_what_is_no_tag_is_refused(learned: Tokenizer) -> None:
    with pytest.raises(TokenizerError, match="is not a language code"):
        grown(learned, ["two words"])


def test_a_foreign_vocabulary_grows_at_its_end() -> None:
    backend = tokenizers.Tokenizer(
        models.WordLevel({"[PAD]": 0, "[B]": 1, "[E]": 2, "dog": 3}, "[E]")
    )
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    old = Tokenizer(backend, Symbols(0, 1, 2, None))
    new = grown(old, ["fr"])
    assert new.tokens == ("[PAD]", "[B]", "[E]", "dog", "<2fr>")
    assert new.encode("dog", tags=["fr"]) == [4, 3]
    assert old_ids(old, new).tolist() == [0, 1, 2, 3, -1]
    assert old.size == 4
