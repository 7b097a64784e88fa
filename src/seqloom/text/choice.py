"""Which words become the vocabulary of a bag of words: stop words, n-grams, document counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from seqloom.errors import VectorsError

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class Terms:
    """From the words of a document to what is counted: no stop words, and n-grams of the rest.

    As in scikit-learn, an n-gram may span a stop word that was left out.

    Args:
        stop: lower-cased words to leave out.
        ngrams: length of the shortest and the longest n-grams.
    """

    def __init__(self, stop: frozenset[str], ngrams: tuple[int, int]) -> None:
        self._stop = stop
        self._shortest, self._longest = ngrams
        self.documents = self.words = self.kept = 0
        """Documents and words so far, and words that were no stop words."""

    def __call__(self, words: list[str]) -> list[str]:
        """The terms of one document, its n-grams joined by spaces."""
        self.documents += 1
        self.words += len(words)
        if self._stop:
            words = [word for word in words if word.lower() not in self._stop]
        self.kept += len(words)
        if self._longest == 1:
            return words
        return [
            " ".join(words[start : start + length])
            for length in range(self._shortest, self._longest + 1)
            for start in range(len(words) - length + 1)
        ]


def refuse_empty(terms: Terms, stop_words: str | None, cause: Exception) -> NoReturn:
    """Say why nothing was found to count.

    Raises:
        VectorsError: always.
    """
    if not terms.documents:
        raise VectorsError("there are no documents; give at least one text.") from cause
    documents = f"{terms.documents:,} document{'s' if terms.documents > 1 else ''}"
    if not terms.words:
        what = f"{documents} without a word; --spaces takes words as they stand between spaces."
    elif not terms.kept:
        what = f"all {terms.words:,} words of {documents} are stop words ({stop_words})."
    else:
        what = f"{terms.kept:,} words in {documents}, but too few in a row for such n-grams."
    raise VectorsError(f"nothing for the bag to hold: {what}") from cause


def chosen_columns(
    counts: csr_array,
    words: NDArray[Any],
    min_documents: int | float,
    max_documents: int | float,
    max_features: int | None,
) -> NDArray[np.int64]:
    """The columns to keep, with the meaning that these bounds have in scikit-learn.

    Args:
        counts: how often each word occurs in each document [documents V].
        words: the words [V].
        min_documents: the least number (int) or share (float) of documents that hold a word.
        max_documents: the largest.
        max_features: the most frequent ones alone, so many; of equal ones the first.

    Raises:
        VectorsError: none is left; tells the counts.
    """
    documents = counts.shape[0]
    in_documents = np.bincount(counts.indices, minlength=len(words))
    least, most = (
        bound * documents if isinstance(bound, float) else bound
        for bound in (min_documents, max_documents)
    )
    columns = np.flatnonzero((in_documents >= least) & (in_documents <= most))
    if not len(columns):
        order = np.argsort(-in_documents, kind="stable")[:5]
        highest = ", ".join(f"{words[place]} in {in_documents[place]:,}" for place in order)
        raise VectorsError(
            f"no word is in at least {least:,.10g} and at most {most:,.10g} of the {documents:,} "
            f"documents (min_documents {min_documents}, max_documents {max_documents}). "
            f"{len(words):,} words occur; the most widespread: {highest}; "
            f"{(in_documents == 1).sum():,} are in one document only. Choose other bounds."
        )
    if max_features is not None:
        totals = counts.sum(axis=0)[columns]
        columns = np.sort(columns[np.argsort(-totals, kind="stable")[:max_features]])
    return columns
