"""Character n-grams of words, hashed (Bojanowski et al. 2017, section 3.2).

``where`` in n-grams of three letters is ``<wh``, ``whe``, ``her``, ``ere``, ``re>``, with signs for
the beginning and the end of the word. N-grams share a fixed number of rows
through a hash, so that the table does not grow with the corpus and any word has a vector.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

_OFFSET, _PRIME = 2166136261, 16777619  # FNV-1a of 32 bits
_WORD = 0xFFFFFFFF


@dataclass(frozen=True)
class Ngrams:
    """Vectors of character n-grams, by hash."""

    matrix: np.ndarray
    """Rows [buckets D] float32; n-grams with the same hash share one."""
    shortest: int = 3
    """Letters of the shortest n-grams, the signs for beginning and end counted."""
    longest: int = 6
    """Letters of the longest ones."""

    def rows(self, word: str) -> np.ndarray:
        """The rows of a word's n-grams, int64."""
        return rows_of(word, self.shortest, self.longest, len(self.matrix))

    def vector(self, word: str) -> np.ndarray:
        """Mean of the n-grams' vectors [D]; zeros for a word too short to have any."""
        rows = self.rows(word)
        if not len(rows):
            return np.zeros(self.matrix.shape[1], np.float32)
        return self.matrix[rows].mean(axis=0)


def rows_of(word: str, shortest: int, longest: int, buckets: int) -> np.ndarray:
    """Rows of a word's n-grams among ``buckets`` of them, int64."""
    hashes = [hashed(ngram.encode()) for ngram in ngrams_of(word, shortest, longest)]
    return np.array(hashes, dtype=np.int64) % buckets


def ngrams_of(word: str, shortest: int, longest: int) -> Iterator[str]:
    """The n-grams of ``<word>``; its first and last sign alone are none."""
    marked = f"<{word}>"
    for start in range(len(marked)):
        for length in range(shortest, min(longest, len(marked) - start) + 1):
            if length > 1 or 0 < start < len(marked) - 1:
                yield marked[start : start + length]


def hashed(text: bytes) -> int:
    """FNV-1a of 32 bits, as fastText has it: bytes above 127 count as negative numbers."""
    value = _OFFSET
    for byte in text:
        signed = byte if byte < 128 else byte | 0xFFFFFF00
        value = ((value ^ signed) * _PRIME) & _WORD
    return value


def table(
    words: Sequence[str], shortest: int, longest: int, buckets: int
) -> tuple[np.ndarray, np.ndarray]:
    """The n-gram rows of a vocabulary, one word after the other.

    Returns:
        Where each word's rows begin [V+1], and the rows themselves; both int64.
    """
    rows = [rows_of(word, shortest, longest, buckets) for word in words]
    starts = np.zeros(len(words) + 1, np.int64)
    np.cumsum([len(each) for each in rows], out=starts[1:])
    return starts, np.concatenate([*rows, np.zeros(0, np.int64)])
