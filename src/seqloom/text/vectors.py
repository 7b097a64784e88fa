"""Word vectors: a vocabulary, a row of numbers for each word, and what can be asked of them.

Axes: V words, D width. Words stand in the order of their frequency, the most frequent first.
Likeness is the cosine of two vectors; that of a vector of zeros to any other is 0. The folder::

    vectors.json          the words, how the vectors came about, a digest of the arrays
    vectors.safetensors   matrix [V D], counts [V], vectors of n-grams
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from seqloom.errors import VectorsError
from seqloom.text.ngrams import Ngrams
from seqloom.text.stored import load_stored, save_stored

NAME = "vectors"
"""Of the files ``vectors.json`` and ``vectors.safetensors``."""

_SIGNS = {"+": 1, "-": -1}
_BLOCK_ROWS = 2**14  # rows in double precision at a time
_COMPARED_SPELLINGS = 50_000  # of the most frequent words; more would take seconds


class WordVectors:
    """Words and their vectors.

    Args:
        words: each once, by frequency.
        matrix: their vectors [V D]; kept as float32.
        counts: how often each word was seen [V], if known.
        ngrams: vectors of character n-grams, from which words that are not there get theirs.
        origin: how the vectors came about, in values that JSON can hold.

    Raises:
        VectorsError: a word that repeats or is not Unicode, or a row too many or too few.
    """

    def __init__(
        self,
        words: Sequence[str],
        matrix: np.ndarray,
        counts: np.ndarray | None = None,
        ngrams: Ngrams | None = None,
        origin: Mapping[str, Any] | None = None,
    ) -> None:
        self.words = list(words)
        self.matrix = np.asarray(matrix, dtype=np.float32)
        self.counts = counts
        self.ngrams = ngrams
        self.origin = dict(origin or {})
        self._rows = {word: row for row, word in enumerate(self.words)}
        _check_words(self.words, self._rows)
        if self.matrix.ndim != 2 or len(self.matrix) != len(self.words):
            raise VectorsError(
                f"{len(self.words):,} words and a matrix of {self.matrix.shape}; expected one row "
                "a word."
            )

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self._rows

    def __repr__(self) -> str:
        return f"WordVectors({len(self):,} words, width {self.width})"

    @property
    def width(self) -> int:
        """Numbers in a vector, D."""
        return self.matrix.shape[1]

    @cached_property
    def unit(self) -> np.ndarray:
        """The rows at length 1 [V D]; rows of zeros stay as they are."""
        unit = np.empty_like(self.matrix)
        for start in range(0, len(unit), _BLOCK_ROWS):
            part = slice(start, start + _BLOCK_ROWS)
            unit[part] = _directions(self.matrix[part])
        return unit

    def row(self, word: str) -> int | None:
        """The row of a word, or None."""
        return self._rows.get(word)

    def vector(self, word: str) -> np.ndarray:
        """The vector of a word [D]; composed from n-grams where there are any.

        Raises:
            VectorsError: there is none; names words that are spelt much like it.
        """
        found = self._find(word)
        if found is None:
            raise VectorsError(self._unknown(word))
        return found

    def close(self, word: str, number: int = 3) -> list[str]:
        """Words spelt much like a word, the closest first; sought among the frequent ones."""
        cased = [form for form in (word.lower(), word.capitalize(), word.upper()) if form in self]
        frequent = self.words[:_COMPARED_SPELLINGS]
        near = [other for other in frequent if abs(len(other) - len(word)) <= 2]
        found = [*cased, *difflib.get_close_matches(word, near, number)]
        return [other for other in dict.fromkeys(found) if other != word][:number]

    def nearest(
        self, query: np.ndarray, number: int, leave_out: Collection[str] = ()
    ) -> list[tuple[str, float]]:
        """The words whose vectors are most like a query [D], with their cosines, best first.

        Of equal cosines the more frequent word comes first; ``leave_out`` names words to pass over.
        """
        cosines = self.unit @ _directions(np.asarray(query))
        hidden = {row for word in leave_out if (row := self._rows.get(word)) is not None}
        cosines[list(hidden)] = -np.inf
        number = min(number, len(self) - len(hidden))
        if number < 1:
            return []
        least = np.partition(cosines, -number)[-number]
        rows = np.flatnonzero(cosines >= least)
        best = rows[np.argsort(-cosines[rows], kind="stable")][:number]
        return [(self.words[row], float(cosines[row])) for row in best.tolist()]

    def neighbours(self, word: str, number: int = 10) -> list[tuple[str, float]]:
        """The words most like a word, itself left out.

        Raises:
            VectorsError: the word has no vector.
        """
        return self.nearest(self.vector(word), number, (word,))

    def combine(self, expression: str) -> tuple[np.ndarray, list[str]]:
        """What a word, or an expression such as ``king - man + woman``, stands for.

        Signs have spaces around them, so that hyphens may be part of words.

        Returns:
            The sum of the words' vectors, each at length 1 [D], and the words.

        Raises:
            VectorsError: it cannot be read, or words have no vector; all of them are named.
        """
        terms = [(1, expression)] if expression in self else _terms(expression)
        return self._sum(terms), [word for _, word in terms]

    def analogy(self, a: str, b: str, c: str, number: int = 1) -> list[tuple[str, float]]:
        """What is to ``c`` as ``b`` is to ``a``: the words most like b - a + c, best first.

        3CosAdd on vectors of length 1 (Mikolov et al. 2013; the name is that of Levy and Goldberg
        2014). The three words themselves are left out.

        Raises:
            VectorsError: words have no vector; all of them are named.
        """
        return self.nearest(self._sum([(1, b), (-1, a), (1, c)]), number, (a, b, c))

    def first(self, number: int) -> WordVectors:
        """The most frequent words: by their counts, or the first rows where there are none."""
        rows = np.arange(len(self))
        if self.counts is not None:
            rows = np.argsort(-np.asarray(self.counts, np.int64), kind="stable")
        rows = np.sort(rows[:number])
        counts = None if self.counts is None else self.counts[rows]
        words = [self.words[row] for row in rows.tolist()]
        return WordVectors(words, self.matrix[rows], counts, self.ngrams, self.origin)

    def save(self, folder: str | Path) -> None:
        """Write the folder that :meth:`load` reads, whole or not at all.

        Raises:
            FolderError: disk full, no permission, or a file where the folder is to be.
        """
        limits = None
        arrays = {"matrix": self.matrix}
        if self.counts is not None:
            arrays["counts"] = np.asarray(self.counts, np.int64)
        if self.ngrams is not None:
            arrays["ngrams"] = np.asarray(self.ngrams.matrix, np.float32)
            limits = {"shortest": self.ngrams.shortest, "longest": self.ngrams.longest}
        values = {"origin": self.origin, "ngrams": limits, "words": self.words}
        save_stored(Path(folder), NAME, values, arrays)

    @classmethod
    def load(cls, folder: str | Path) -> WordVectors:
        """Read and verify a folder that :meth:`save` wrote.

        Raises:
            VectorsError: not such a folder, or one of its files is missing, truncated, altered or
                from another folder.
        """
        hint = "It is no folder of word vectors; train some: seqloom vectors train --help"
        values, arrays = load_stored(Path(folder), NAME, hint)
        try:
            limits, words = values["ngrams"], values["words"]
            ngrams = None if limits is None else Ngrams(arrays["ngrams"], **limits)
            return cls(words, arrays["matrix"], arrays.get("counts"), ngrams, values["origin"])
        except (KeyError, TypeError, VectorsError) as error:
            raise VectorsError(
                f"{folder}: {NAME}.json is damaged ({error}); copy the whole folder again."
            ) from None

    def _find(self, word: str) -> np.ndarray | None:
        row = self._rows.get(word)
        if row is not None:
            return self.matrix[row]
        try:
            if self.ngrams is None or not len(self.ngrams.rows(word)):
                return None
        except UnicodeEncodeError:  # half a character, from a terminal that does not speak UTF-8
            return None
        return self.ngrams.vector(word)

    def _unknown(self, word: str) -> str:
        close = ", ".join(self.close(word)) or "none of the frequent ones"
        return f"{word!r} is not among the {len(self):,} words. Spelt much like it: {close}."

    def _sum(self, terms: Sequence[tuple[int, str]]) -> np.ndarray:
        """Signed sum of words' vectors at length 1 [D]."""
        found = [self._find(word) for _, word in terms]
        unknown = [word for (_, word), vector in zip(terms, found, strict=True) if vector is None]
        if unknown:
            raise VectorsError("\n".join(self._unknown(word) for word in dict.fromkeys(unknown)))
        signs = np.array([sign for sign, _ in terms], np.float32)
        return signs @ _directions(np.stack([vector for vector in found if vector is not None]))


def _check_words(words: Sequence[str], rows: Mapping[str, int]) -> None:
    """Refuse words that stand twice, or are half a character."""
    if len(rows) < len(words):
        twice = next(word for row, word in enumerate(words) if rows[word] != row)
        raise VectorsError(f"the word {twice!r} stands twice; expected each word once.")
    try:
        "".join(words).encode()
    except UnicodeEncodeError:
        half = next(word for word in words if any("\ud800" <= sign <= "\udfff" for sign in word))
        raise VectorsError(f"the word {half!r} is not Unicode; leave it out.") from None


def _directions(vectors: np.ndarray) -> np.ndarray:
    """Vectors [... D] at length 1; zeros stay zeros. Float32, computed in double precision."""
    doubles = vectors.astype(np.float64)
    lengths = np.linalg.norm(doubles, axis=-1, keepdims=True)
    return np.divide(doubles, lengths, out=doubles, where=lengths > 0).astype(np.float32)


def _terms(expression: str) -> list[tuple[int, str]]:
    """The words of an expression with their signs; ``a - -`` takes the word ``-`` from ``a``."""
    terms: list[tuple[int, str]] = []
    sign: int | None = None
    for place, part in enumerate(expression.split()):
        if sign is None and part in _SIGNS:
            sign = _SIGNS[part]
        elif sign is not None or place == 0:
            terms.append((sign or 1, part))
            sign = None
        else:
            _raise_unreadable(expression)
    if sign is not None or not terms:
        _raise_unreadable(expression)
    return terms


def _raise_unreadable(expression: str) -> NoReturn:
    raise VectorsError(
        f"{expression!r} is neither a word nor words with + and - between them; write it as in "
        "'king - man + woman', with spaces around the signs, and a phrase as the vectors have it "
        "(New_York)."
    )
