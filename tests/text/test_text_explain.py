"""The steps from characters to pieces end where the tokenizer ends."""

from __future__ import annotations

import json

import pytest

from seqloom.errors import TokenizerError
from seqloom.text.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def small() -> Tokenizer:
    """Merges by hand: (l, o) 8 times, (lo, w) 7, (▁, low) 6."""
    return Tokenizer.train(["low"] * 6 + ["slow"] + ["slo"], "bpe", 4 + 256 + 10, exact=False)


def test_merges_step_by_step(small):
    (word,) = small.explain("low").words
    assert word.word == "▁low"
    assert word.start == ("▁", "l", "o", "w")
    assert [(step.left, step.right, step.rank) for step in word.steps] == [
        ("l", "o", 0),
        ("lo", "w", 1),
        ("▁", "low", 2),
    ]
    assert [step.pieces for step in word.steps] == [
        ("▁", "lo", "w"),
        ("▁", "low"),
        ("▁low",),
    ]
    assert word.pieces == ("▁low",)


def test_text_of_an_explanation(small):
    assert small.explain("low").text().splitlines() == [
        "▁low",
        "       start  ▁ l o w",
        "     merge 0  ▁ lo w    (l + o)",
        "     merge 1  ▁ low    (lo + w)",
        "     merge 2  ▁low    (▁ + low)",
    ]
    assert str(small.explain("low")) == small.explain("low").text()


@pytest.mark.parametrize(
    "text",
    ["unbelievable Hunde.", "groß ✓ €5", "  don't  stop ▁ 1999", "Straßenhundehaus", ""],
)
def test_ends_in_the_ids_of_the_tokenizer(tokenizer, text):
    explanation = tokenizer.explain(text)
    ids = [index for word in explanation.words for index in word.ids]
    assert ids == tokenizer.encode(text)
    pieces = [piece for word in explanation.words for piece in word.pieces]
    assert pieces == tokenizer.pieces(ids)


def test_every_step_joins_one_pair_with_its_learned_rank(bpe, sentences):
    merges = [tuple(merge) for merge in bpe.description["model"]["merges"]]
    for word in bpe.explain(sentences[0]).words:
        before = word.start
        for step in word.steps:
            assert merges[step.rank] == (step.left, step.right)
            assert len(step.pieces) == len(before) - 1
            assert "".join(step.pieces) == "".join(before)
            before = step.pieces


def test_unigram_shows_log_probabilities(tokenizers):
    tokenizer = tokenizers["unigram"]
    scores = dict(tokenizer.description["model"]["vocab"])
    explanation = tokenizer.explain("Hunde dogs ✓")
    for word in explanation.words:
        assert word.scores == tuple(scores[piece] for piece in word.pieces)
        assert word.steps == ()
    assert f"▁Hunde ({scores['▁Hunde']:.2f})" in explanation.text()
    assert all(score < 0 for word in explanation.words for score in word.scores)


def test_words_and_characters_show_their_pieces(tokenizers):
    assert tokenizers["word"].explain("Hund xyz").text().splitlines()[0] == "▁Hund: ▁Hund"
    assert tokenizers["character"].explain("ab").text().splitlines()[0] == "▁: ▁"


def test_record_is_json(bpe):
    record = json.loads(json.dumps(bpe.explain("Hund").as_dict()))
    assert (record["version"], record["kind"], record["tokenizer"]) == (1, "tokens", "bpe")
    assert record["words"][0]["pieces"] == ["▁Hund"]


def test_bytes_of_byte_bpe_are_readable(tokenizers):
    (word,) = tokenizers["byte_bpe"].explain("€").words
    assert word.word == "▁€"
    assert word.start == ("▁", "<0xE2>", "<0x82>", "<0xAC>")


def test_lone_surrogates_are_refused(bpe):
    with pytest.raises(TokenizerError, match="lone surrogate"):
        bpe.explain("\udfff")
