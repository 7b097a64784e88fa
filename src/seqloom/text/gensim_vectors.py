"""gensim's KeyedVectors and ours, one into the other, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from seqloom.errors import VectorsError
from seqloom.text.ngrams import Ngrams
from seqloom.text.vector_gathering import Tell
from seqloom.text.vectors import WordVectors

if TYPE_CHECKING:
    from gensim.models import KeyedVectors


def from_gensim(vectors: KeyedVectors) -> WordVectors:
    """Words, vectors and counts of gensim's; of its FastTextKeyedVectors the n-grams too."""
    given: Any = vectors
    counts = given.expandos.get("count")
    words = [str(key) for key in given.index_to_key]
    origin = {"gensim": type(given).__name__}
    return WordVectors(
        words,
        np.array(given.vectors, np.float32),
        None if counts is None else np.array(counts, np.int64),
        _ngrams(given),
        origin,
    )


def to_gensim(vectors: WordVectors, tell: Tell | None = None) -> KeyedVectors:
    """Words, vectors and counts as gensim's; ``tell`` hears when n-grams are left behind.

    Raises:
        VectorsError: gensim is not installed.
    """
    try:
        from gensim.models import KeyedVectors
    except ImportError:
        raise VectorsError("gensim is not installed. Install it: pip install gensim") from None
    if vectors.ngrams is not None and tell is not None:
        tell("KeyedVectors has no place for vectors of n-grams; only the words are handed over.")
    made = KeyedVectors(vectors.width)
    made.add_vectors(vectors.words, vectors.matrix)
    if vectors.counts is not None:
        for word, count in zip(vectors.words, vectors.counts.tolist(), strict=True):
            made.set_vecattr(word, "count", count)
    return made


def _ngrams(given: Any) -> Ngrams | None:
    """N-grams of a fastText model; one of gensim before 3.8 hashed them otherwise."""
    matrix = getattr(given, "vectors_ngrams", None)
    if matrix is None or not given.bucket or not given.compatible_hash:
        return None
    return Ngrams(np.array(matrix, np.float32), given.min_n, given.max_n)
