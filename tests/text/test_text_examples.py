"""Examples of fine-tuning: symbols and segments around texts, what is too long is cut or split."""

from __future__ import annotations

from itertools import chain

import pytest

from seqloom.corpus.tagged import TaggedSentence, TaggedSentences
from seqloom.text.examples import (
    UNKNOWN,
    pair_examples,
    split_pieces,
    tag_examples,
    text_examples,
)
from seqloom.text.pieces import Pieces
from seqloom.text.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def letters() -> Tokenizer:
    return Tokenizer.train(["abc def ghi jkl"], "character", 500, exact=False)


def test_a_text_stands_between_beginning_and_end(letters: Tokenizer) -> None:
    (one, two) = text_examples(letters, ["ab", ""], 16, labels=[4, 0]).items
    assert one.ids == [1, *letters.encode("ab"), 2]
    assert (one.segments, one.places, one.labels, one.number) == ([0] * 5, [0], [4], 0)
    assert (two.ids[0], two.ids[-1], two.number) == (1, 2, 1)
    assert text_examples(letters, ["ab"], 16).items[0].labels == [UNKNOWN]


def test_the_second_text_is_segment_one(letters: Tokenizer) -> None:
    (one,) = text_examples(letters, ["ab"], 16, seconds=["c"], labels=[1]).items
    a, b = letters.encode("ab"), letters.encode("c")
    assert one.ids == [1, *a, 2, *b, 2]
    assert one.segments == [0] * (len(a) + 2) + [1] * (len(b) + 1)


def test_long_texts_are_cut_and_counted(letters: Tokenizer) -> None:
    found = text_examples(letters, ["abcabcabc", "a"], 6, name="x.tsv")
    assert [len(each.ids) for each in found.items] == [6, 4]
    assert found.items[0].ids[-1] == 2, "the symbol of the end stays"
    assert found.said == (
        "x.tsv: 1 of 2 texts are longer than the context of 6 tokens and are cut to it; the "
        "longest has 12"
    )
    assert text_examples(letters, ["a"], 6).said is None


@pytest.mark.parametrize(("first", "second"), [(20, 3), (3, 20), (20, 20), (5, 5)])
def test_of_two_texts_the_longer_one_is_cut(first: int, second: int, letters: Tokenizer) -> None:
    found = text_examples(letters, ["a" * first], 15, seconds=["b" * second])
    (one,) = found.items
    assert len(one.ids) == min(15, first + second + 5)
    lengths = [one.segments.count(0) - 2, one.segments.count(1) - 1]
    assert lengths == {(20, 3): [8, 4], (3, 20): [4, 8], (20, 20): [6, 6]}.get(
        (first, second), [6, 6]
    )
    assert (found.said is None) == (first + second + 5 <= 15)


def tagged(*words: str) -> TaggedSentences:
    one = TaggedSentence(
        words, tuple(word[0] for word in words), (False,) * len(words), "x, line 1"
    )
    return TaggedSentences([one, one], "x")


def test_tags_stand_at_the_first_pieces_of_words(letters: Tokenizer) -> None:
    found = tag_examples(letters, tagged("ab", "c", "de"), {"a": 0, "c": 1}, 30)
    one, two = found.items
    assert one.ids == [1, *letters.encode("ab c de"), 2]
    assert one.labels == [0, 1, UNKNOWN]
    assert [letters.pieces([one.ids[place]])[0] for place in one.places[1:]] == ["c", "d"]
    assert (one.number, two.number, found.said) == (0, 1, None)


def test_long_sentences_are_split_between_words_and_counted(letters: Tokenizer) -> None:
    words = ["abc", "def", "ghi", "jkl"] * 3
    found = tag_examples(letters, tagged(*words), {"a": 0, "d": 1, "g": 2, "j": 3}, 16)
    assert max(len(each.ids) for each in found.items) <= 16
    first = [each for each in found.items if each.number == 0]
    assert [*chain(*(each.labels for each in first))] == [0, 1, 2, 3] * 3, "no word is lost"
    inside = [*chain(*(each.ids[1:-1] for each in first))]
    assert inside == letters.encode(" ".join(words))
    assert found.said == (
        "x: 2 of 2 sentences are longer than the context of 16 tokens and are split between "
        "words; the longest has 50"
    )


def test_a_word_longer_than_the_context_keeps_its_first_pieces() -> None:
    parts = list(split_pieces(Pieces([*range(10)], [0, 1, 8]), 4))
    assert parts == [Pieces([0], [0]), Pieces([1, 2, 3, 4], [0]), Pieces([8, 9], [0])]
    assert list(split_pieces(Pieces([*range(4)], [0, 2]), 4)) == [Pieces([0, 1, 2, 3], [0, 2])]
    assert list(split_pieces(Pieces([*range(6)], [1, 3, 5]), 3)) == [
        Pieces([0, 1, 2], [1]), Pieces([3, 4, 5], [0, 2]),
    ]  # fmt: skip


def test_equal_texts_of_pairs_have_equal_numbers(letters: Tokenizer) -> None:
    found = pair_examples(letters, [("a", "b"), ("c", "a"), ("c", "c")], 8)
    assert [each.labels for each in found.items] == [[0], [1], [2], [0], [2], [2]]
    assert found.group == 2
