"""From counts of words to weights: term frequency times inverse document frequency, and a norm.

Axes: documents by V words of a vocabulary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from seqloom.errors import VectorsError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Frequency = Literal["share", "count", "log", "binary"]
Rarity = Literal["plain", "smooth", "none"]
Norm = Literal["none", "l2", "l1"]


def check_choice(name: str, given: Any, choices: Any) -> None:
    """Refuse what is not among the values of a ``Literal``.

    Raises:
        VectorsError: names the option, what was given and what there is.
    """
    if given not in get_args(choices):
        raise VectorsError(f"{name} {given!r}: expected one of {', '.join(get_args(choices))}.")


def rarity(in_documents: NDArray[np.int64], documents: int, kind: Rarity) -> NDArray[np.float64]:
    """The inverse document frequency of each word.

    Args:
        in_documents: how many documents hold each word [V], at least 1.
        documents: how many documents there are, |D|.
        kind: ``plain`` is ``log(|D| / |{d : t in d}|)``, natural (Spärck Jones 1972);
            ``smooth`` adds one document that holds every word, and 1 to the result, as
            scikit-learn does; ``none`` is 1.

    Returns:
        IDF(t, D) [V].
    """
    if kind == "none":
        return np.ones(len(in_documents))
    if kind == "smooth":
        return np.log((1 + documents) / (1 + in_documents)) + 1
    return np.log(documents / in_documents)


def weigh(
    counts: csr_array, idf: NDArray[np.float64], frequency: Frequency, norm: Norm
) -> csr_array:
    """The weights TF(t, d) IDF(t, D) of counts.

    Args:
        counts: how often each word occurs in each document [documents V].
        idf: of each word [V].
        frequency: TF. ``share``: n_t / sum of n_k over the words k of the vocabulary; ``count``:
            n_t; ``log``: 1 + ln n_t; ``binary``: 1.
        norm: what each document is brought to length 1 in; a document without weights stays zero.

    Returns:
        Weights [documents V], float64; zeros are not stored.
    """
    from scipy.sparse import csr_array

    documents = counts.shape[0]
    row = np.repeat(np.arange(documents), np.diff(counts.indptr))
    n = counts.data.astype(np.float64)
    if frequency == "share":
        n /= np.bincount(row, n, documents)[row]
    elif frequency == "log":
        n = 1 + np.log(n)
    elif frequency == "binary":
        n = np.ones_like(n)
    n *= idf[counts.indices]
    weights = csr_array((n, counts.indices, counts.indptr), counts.shape)
    weights.eliminate_zeros()
    return weights if norm == "none" else _brought_to_length_1(weights, norm)


def lengths(weights: csr_array, norm: Norm = "l2") -> NDArray[np.float64]:
    """The length of each document [documents]: root of the sum of squares, or the sum (l1)."""
    documents = weights.shape[0]
    row = np.repeat(np.arange(documents), np.diff(weights.indptr))
    if norm == "l1":
        return np.bincount(row, np.abs(weights.data), documents).astype(np.float64)
    return np.sqrt(np.bincount(row, weights.data**2, documents))


def _brought_to_length_1(weights: csr_array, norm: Norm) -> csr_array:
    # What is stored is not zero, so a row that has anything has a length.
    weights.data /= np.repeat(lengths(weights, norm), np.diff(weights.indptr))
    return weights
