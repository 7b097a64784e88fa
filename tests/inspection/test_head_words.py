"""Words of a treebank as tokens of a model: those that have none of their own are refused."""

from __future__ import annotations

from typing import Any

import pytest
import tokenizers
from tokenizers import models, pre_tokenizers

from seqloom.corpus.tagged import TaggedSentence
from seqloom.corpus.trees import Tree, Treebank
from seqloom.errors import TokenizerError
from seqloom.inspector.words import pieces_of_trees
from seqloom.symbols import Symbols
from seqloom.text.tokenizer import Tokenizer

VOCABULARY = {"<pad>": 0, "<s>": 1, "</s>": 2, "<unk>": 3, "two": 4, "dogs": 5, '?")': 6, "?": 7}


def foreign(split: Any) -> Tokenizer:
    backend = tokenizers.Tokenizer(models.WordLevel(VOCABULARY, unk_token="<unk>"))
    backend.pre_tokenizer = split
    return Tokenizer(backend, Symbols())


def bank(*words: str, joined: bool = False) -> Treebank:
    glued = (False, *[joined] * (len(words) - 1))
    row = TaggedSentence(words, ("x",) * len(words), glued, "a.conllu, line 7")
    return Treebank([Tree(row, tuple(range(-1, len(words) - 1)))], "a.conllu")


def test_known_words() -> None:
    [found], notes = pieces_of_trees(foreign(pre_tokenizers.WhitespaceSplit()), bank("two", "dogs"))
    assert (found.ids, found.firsts, notes) == ([4, 5], [0, 1], [])


def test_words_of_another_language() -> None:
    tokenizer = foreign(pre_tokenizers.WhitespaceSplit())
    assert pieces_of_trees(tokenizer, bank("two", "нет"))[0][0].ids == [4, 3]
    with pytest.raises(
        TokenizerError,
        match=r"a.conllu: 2 tokens of its 3 words are unknown to this model; is it in the language",
    ):
        pieces_of_trees(tokenizer, bank("two", "да", "нет"))


def test_words_that_share_a_token() -> None:
    whole: Any = None  # a text is one token
    with pytest.raises(
        TokenizerError, match=r"a.conllu, line 7: 'two' and 'dogs' share a token of this model"
    ):
        pieces_of_trees(foreign(whole), bank("two", "dogs"))


def test_spaces_are_put_in_until_no_piece_crosses_an_edge() -> None:
    """A space after the first word leaves a piece over the next two."""
    tokenizer = Tokenizer.train(['two dogs ?" ") dogs'] * 20, "bpe", 300, exact=False)
    words = ("dogs", "?", '"', ")")
    [found], _ = pieces_of_trees(tokenizer, bank(*words, joined=True))
    assert len(set(found.firsts)) == len(words)


def test_words_that_are_cut_into_many_pieces() -> None:
    texts = ["two dogs run to the big house"] * 20
    tokenizer = Tokenizer.train(texts, "bpe", 300, exact=False)
    assert pieces_of_trees(tokenizer, bank("two", "dogs"))[1] == []
    [found], notes = pieces_of_trees(tokenizer, bank("собаки", "бегут"))
    each = len(found.ids) / 2
    assert each > 10
    assert notes == [
        f"the words of a.conllu are cut into {each:.1f} pieces each; is it written in the language "
        "of the model?"
    ]
    letters = Tokenizer.train(["two dogs собаки бегут"] * 20, "character", 300, exact=False)
    assert pieces_of_trees(letters, bank("собаки", "бегут"))[1] == []
