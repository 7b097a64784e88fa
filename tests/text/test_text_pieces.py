"""Words that are given as pieces: those of the sentence, and the first piece of each word."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import models, normalizers, pre_tokenizers, trainers

from seqloom.corpus.tagged import TaggedSentence, read_tagged
from seqloom.errors import TokenizerError
from seqloom.symbols import Symbols
from seqloom.text.pieces import Pieces, pieces_of
from seqloom.text.tokenizer import Tokenizer

TEXTS = [
    "I do not know what to do in New York.",
    "You cannot know it, can you? It's 1,234.50 dollars.",
    "Наивный человек в 东京 sees naïve people!",
    "We're gonna go, don't you know.",
]
_VISIBLE = st.characters(exclude_categories=["Cs", "Z"])
KINDS = ("bpe", "byte_bpe", "unigram", "word", "character")


@pytest.fixture(scope="module", params=KINDS)
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    return Tokenizer.train(TEXTS * 3, request.param, 420, exact=False)


class Foreign:
    """Another library's tokenizer: it changes the text, and has no word for what it drops."""

    def __init__(self, backend: tokenizers.Tokenizer) -> None:
        self.backend = backend
        self.symbols = Symbols()

    def locate_batch(self, texts: list[str]) -> list[tuple[list[int], list[tuple[int, int]]]]:
        found = self.backend.encode_batch(texts, add_special_tokens=False)
        return [(each.ids, each.offsets) for each in found]


def word_piece() -> Any:
    """BERT's own: lower case, no accents, control characters dropped."""
    backend = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer()
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=150, special_tokens=["[PAD]", "[UNK]"], show_progress=False
    )
    backend.train_from_iterator(TEXTS * 3, trainer)
    return Foreign(backend)


def byte_level() -> Any:
    """GPT-2's own: a space belongs to the word behind it, none stands before the first."""
    backend = tokenizers.Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(vocab_size=400, show_progress=False)
    backend.train_from_iterator(TEXTS * 3, trainer)
    return Foreign(backend)


def sentence(*words: str, joined: str = "") -> TaggedSentence:
    """Words; those whose number is in ``joined`` have no space before them."""
    glued = tuple(str(number) in joined for number in range(len(words)))
    return TaggedSentence(words, ("X",) * len(words), glued, "a.conllu, line 7")


def cut(tokenizer: Any, *sentences: TaggedSentence) -> list[Pieces]:
    return list(pieces_of(tokenizer, sentences))


def test_pieces_are_those_of_the_sentence_as_people_write_it(tokenizer: Tokenizer) -> None:
    words = sentence("You", "know", "it", ",", "can", "you", "?", joined="36")
    assert words.text == "You know it, can you?"
    (found,) = cut(tokenizer, words)
    assert found.ids == tokenizer.encode(words.text)
    assert len(found.firsts) == 7
    assert found.firsts == sorted(set(found.firsts))


def test_the_pieces_from_one_first_to_the_next_spell_the_word(tokenizer: Tokenizer) -> None:
    words = sentence("Наивный", "x", "in", "New York", ",", "1,234.50", "naïve", joined="4")
    (found,) = cut(tokenizer, words)
    edges = [*found.firsts, len(found.ids)]
    spelled = [tokenizer.decode(found.ids[start:end]).strip() for start, end in pairwise(edges)]
    assert spelled == list(words.words)


def test_words_written_together_never_share_a_piece(tokenizer: Tokenizer) -> None:
    words = sentence("can", "not", "gon", "na", "do", "n't", joined="135")
    (found,) = cut(tokenizer, words)
    assert len(set(found.firsts)) == 6
    edges = [*found.firsts, len(found.ids)]
    parts = [found.ids[start:end] for start, end in pairwise(edges)]
    assert [tokenizer.decode(part).strip() for part in parts] == list(words.words)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.text(_VISIBLE, min_size=1), st.booleans()), min_size=1, max_size=8))
def test_every_word_has_a_first_piece(words: list[tuple[str, bool]]) -> None:
    given_words = tuple(word for word, _ in words)
    tagged = TaggedSentence(given_words, ("X",) * len(words), tuple(g for _, g in words), "here")
    for tokenizer in (Tokenizer.train(TEXTS, "bpe", 330, exact=False), word_piece(), byte_level()):
        (found,) = cut(tokenizer, tagged)
        assert len(found.firsts) == len(words)
        assert found.firsts == sorted(found.firsts)
        assert all(0 <= first < len(found.ids) for first in found.firsts)


@pytest.mark.parametrize("make", [word_piece, byte_level])
def test_a_foreign_tokenizer_works_as_well(make: Any) -> None:
    tokenizer = make()
    words = sentence("You", "know", "naïve", "people", "!", joined="4")
    (found,) = cut(tokenizer, words)
    assert found.ids == tokenizer.locate_batch(["You know naïve people!"])[0][0]
    assert len(set(found.firsts)) == 5


def test_a_word_that_the_tokenizer_drops_is_unknown() -> None:
    tokenizer = word_piece()
    plain = cut(tokenizer, sentence("You", "know"))[0]
    words = sentence("\u0007", "You", "\u0007", "know", "\u0007")
    (found,) = cut(tokenizer, words)
    you, know = plain.ids[: plain.firsts[1]], plain.ids[plain.firsts[1] :]
    assert found.ids == [3, *you, 3, *know, 3]
    assert found.firsts == [0, 1, 1 + len(you), 2 + len(you), 2 + len(plain.ids)]
    tokenizer.symbols = Symbols(unknown=None)
    with pytest.raises(
        TokenizerError, match=r"a\.conllu, line 7: .* no piece for the word '\\x07'"
    ):
        cut(tokenizer, words)


def test_the_english_web_treebank_has_a_piece_for_each_word(real_data: Path) -> None:
    found = read_tagged([real_data / "ud" / "UD_English-EWT" / "en_ewt-ud-dev.conllu"])
    tokenizer = Tokenizer.train([each.text for each in found.sentences], "bpe", 2000)
    same = 0
    for each, pieces in zip(found.sentences, cut(tokenizer, *found.sentences), strict=True):
        assert len(set(pieces.firsts)) == len(each.words), each
        same += pieces.ids == tokenizer.encode(each.text)
    assert same > 0.8 * len(found), "others hold words such as don't, which are two"
