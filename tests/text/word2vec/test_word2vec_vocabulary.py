from __future__ import annotations

import heapq
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqloom.errors import VectorsError
from seqloom.text.word2vec.encoded import EncodedText, encode
from seqloom.text.word2vec.vocabulary import (
    LEFT_OUT,
    alias_table,
    huffman,
    keep_chances,
    vocabulary_of,
)
from seqloom.text.words import WordRule

COUNTS = st.lists(st.integers(1, 1000), min_size=2, max_size=40).map(
    lambda counts: np.array(sorted(counts, reverse=True), np.int64)
)


def encoded(tmp_path: Path, text: str) -> EncodedText:
    (tmp_path / "text.txt").write_text(text, encoding="utf-8")
    return encode([tmp_path / "text.txt"], WordRule(), tmp_path / "numbers", lambda *told: None)


def test_words_come_by_count_and_equal_counts_by_appearance(tmp_path: Path) -> None:
    found = vocabulary_of(encoded(tmp_path, "d c b a\nb a c\na\n"), 1)
    assert found.words == ["a", "c", "b", "d"]
    assert found.counts.tolist() == [3, 2, 2, 1]


def test_rare_words_are_left_out_of_the_mapping(tmp_path: Path) -> None:
    text = encoded(tmp_path, "rare a b a b\n")
    found = vocabulary_of(text, 2)
    assert found.words == ["a", "b"]
    assert found.mapping[text.words["rare"]] == LEFT_OUT
    assert [chunk.tolist() for chunk in text.chunks(100, found.mapping)] == [[0, 1, 0, 1, -1]]


def test_an_empty_vocabulary_tells_the_counts_there_are(tmp_path: Path) -> None:
    with pytest.raises(VectorsError) as caught:
        vocabulary_of(encoded(tmp_path, "a b c a b a\n"), 5)
    message = str(caught.value)
    assert "no word occurs 5 times (--min-count)" in message
    assert "6 words, 3 different" in message
    assert "3 occur once, 2 occur 2 times" in message
    assert "the most frequent 3 times" in message


def test_a_text_without_words_says_so(tmp_path: Path) -> None:
    with pytest.raises(VectorsError, match="the text has no words"):
        vocabulary_of(encoded(tmp_path, "... !!!\n\n"), 1)


def test_one_word_alone_is_too_little(tmp_path: Path) -> None:
    with pytest.raises(VectorsError, match="one word alone occurs 3 times"):
        vocabulary_of(encoded(tmp_path, "a a a b\n"), 3)


@given(COUNTS, st.sampled_from([0.0, 0.75, 1.0]))
def test_the_alias_table_draws_by_count_to_a_power(counts: np.ndarray, power: float) -> None:
    share, other = alias_table(counts, power)
    chances = share.astype(np.float64)
    np.add.at(chances, other, 1 - share.astype(np.float64))
    expected = counts**power / (counts**power).sum()
    np.testing.assert_allclose(chances / len(counts), expected, atol=1e-6)


@given(COUNTS)
def test_the_tree_is_a_code_without_prefixes(counts: np.ndarray) -> None:
    starts, nodes, codes = huffman(counts)
    ways = [
        "".join(str(int(turn)) for turn in codes[starts[w] : starts[w + 1]])
        for w in range(len(counts))
    ]
    assert len(set(ways)) == len(ways)
    assert not any(a != b and b.startswith(a) for a in ways for b in ways)
    assert set(nodes.tolist()) == set(range(len(counts) - 1))
    # The same turns so far lead to the same node.
    places: dict[str, int] = {}
    for word, way in enumerate(ways):
        for step, node in enumerate(nodes[starts[word] : starts[word + 1]].tolist()):
            assert places.setdefault(way[:step], node) == node


@given(COUNTS)
def test_no_code_is_shorter_than_the_tree(counts: np.ndarray) -> None:
    starts, _, _ = huffman(counts)
    heap = counts.tolist()
    heapq.heapify(heap)
    least = 0  # what Huffman's algorithm spends: the sum of all inner nodes
    while len(heap) > 1:
        both = heapq.heappop(heap) + heapq.heappop(heap)
        least += both
        heapq.heappush(heap, both)
    assert int((np.diff(starts) * counts).sum()) == least


def test_frequent_words_are_skipped_as_in_the_program_of_mikolov() -> None:
    counts = np.array([900, 90, 10])
    chances = keep_chances(counts, 0.01)
    frequency = counts / 1000
    expected = np.minimum((np.sqrt(frequency / 0.01) + 1) * 0.01 / frequency, 1)
    np.testing.assert_allclose(chances, expected, rtol=1e-6)
    assert chances[0] < chances[1] < 1


def test_nothing_is_skipped_without_a_share() -> None:
    assert keep_chances(np.array([5, 1]), 0).tolist() == [1, 1]
