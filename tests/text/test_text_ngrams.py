from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.text.ngrams import Ngrams, ngrams_of, rows_of, table

WORD = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@settings(deadline=None)
@given(WORD, st.integers(1, 4), st.integers(0, 3), st.integers(1, 5000))
def test_rows_are_those_of_gensims_fasttext(
    word: str, shortest: int, more: int, buckets: int
) -> None:
    fasttext = pytest.importorskip("gensim.models.fasttext")
    expected = fasttext.ft_ngram_hashes(word, shortest, shortest + more, buckets)
    assert sorted(rows_of(word, shortest, shortest + more, buckets)) == sorted(expected)


def test_ngrams_stand_between_signs() -> None:
    assert sorted(ngrams_of("where", 3, 3)) == sorted(["<wh", "whe", "her", "ere", "re>"])
    assert set(ngrams_of("ab", 1, 6)) == {"a", "b", "<a", "ab", "b>", "<ab", "ab>", "<ab>"}


def test_a_word_is_the_mean_of_its_ngrams() -> None:
    matrix = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    ngrams = Ngrams(matrix, 3, 4)
    rows = [int(row) for row in ngrams.rows("мир")]
    assert len(rows) == 5
    np.testing.assert_allclose(ngrams.vector("мир"), matrix[rows].mean(axis=0), rtol=1e-6)


def test_a_word_too_short_has_no_ngrams() -> None:
    assert Ngrams(np.ones((5, 3), np.float32), 4, 6).vector("a").tolist() == [0, 0, 0]


def test_the_table_holds_every_words_rows() -> None:
    words = ["one", "x", "three"]
    starts, rows = table(words, 3, 5, 97)
    for place, word in enumerate(words):
        found = rows[starts[place] : starts[place + 1]]
        assert found.tolist() == rows_of(word, 3, 5, 97).tolist()
    assert starts[-1] == len(rows)
