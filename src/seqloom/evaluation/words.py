"""Words of a set among the words that have vectors: how they are spelled there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, get_args

from seqloom.errors import EvaluationError

if TYPE_CHECKING:
    from seqloom.text.vectors import WordVectors

Case = Literal["auto", "lower", "keep"]
"""How the words of a set are looked up: see :func:`lowers`."""

_FEW = 100  # one word in so many with a capital, such as UNK, does not make a vocabulary mixed-case


def lowers(vectors: WordVectors, case: Case) -> bool:
    """Whether the words of a set are put into lower case before they are looked up.

    ``lower``: yes. ``keep``: no. ``auto``: yes if the vocabulary is in lower case, that is, if less
    than one word in a hundred has a capital letter. Over a vocabulary in lower case this finds the
    words that gensim finds with ``case_insensitive``.

    Raises:
        EvaluationError: another value.
    """
    if case not in get_args(Case):
        raise EvaluationError(f"unknown case {case!r}; expected {', '.join(get_args(Case))}.")
    if case != "auto":
        return case == "lower"
    capitals = sum(word != word.lower() for word in vectors.words)
    return capitals * _FEW < len(vectors.words)


def rows_of(vectors: WordVectors, words: Iterable[str], lower: bool) -> dict[str, int]:
    """Row of each word that has one, by the word as it was given.

    Only whole words of the vocabulary count; none is put together from n-grams, so that vectors
    with and without n-grams are measured on the same words.

    Args:
        vectors: where the words are looked up.
        words: words of a set.
        lower: look them up in lower case.
    """
    rows = ((word, vectors.row(word.lower() if lower else word)) for word in words)
    return {word: row for word, row in rows if row is not None}
