"""Vectors of words made into vectors of a tokenizer's pieces.

A piece takes the first of these vectors that there is:

1. its own, if the vectors were trained on pieces;
2. that of the word that it is: it begins where a word begins, and the word is there as it is
   written, or in lower case;
3. the mean over the words it is in: those that the tokenizer cuts so that it is one of the parts,
   each counted as often as it was seen;
4. the same over words as they are cut elsewhere: with a capital, or behind a hyphen or a quotation
   mark, where no space marks their beginning;
5. the mean of its character n-grams, where the vectors have them (Bojanowski et al. 2017).

Other pieces, special tokens, tags and bytes get none. Axes: V pieces, N words, E width of vectors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqloom.corpus.pairs import Progress
from seqloom.errors import VectorsError
from seqloom.text.pipeline import SPACE
from seqloom.text.tokenizer import Tokenizer
from seqloom.text.vectors import WordVectors

WAYS = ("none", "by piece", "by word", "through words", "by n-grams")
"""How a piece comes to its vector; see the list above."""
_NONE, _PIECE, _WORD, _WORDS, _NGRAMS = range(len(WAYS))

_UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
_BATCH = 2**14  # words whose vectors are held once more, in float64
_SHOWN = 5  # words and pieces in a message


@dataclass(frozen=True)
class PieceVectors:
    """What word vectors say of the pieces of a vocabulary."""

    place: str
    """Where the word vectors are."""
    matrix: np.ndarray
    """A vector of each piece [V E] float32; zeros where there is none."""
    ways: np.ndarray
    """How each piece came by it [V]: a place in :data:`WAYS`."""

    def summary(self) -> str:
        """How many pieces have a vector, and how they came by it."""
        counts = np.bincount(self.ways, minlength=len(WAYS)).tolist()
        found = zip(counts[1:], WAYS[1:], strict=True)
        parts = ", ".join(f"{count:,} {way}" for count, way in found if count)
        return (
            f"{sum(counts[1:]):,} of {len(self.ways):,} pieces have a vector of {self.place} "
            f"({parts})"
        )


def piece_vectors(
    vectors: WordVectors, tokenizer: Tokenizer, place: str, progress: Progress
) -> PieceVectors:
    """A vector for each piece that word vectors know something of.

    Args:
        vectors: of words [N E]. Words without counts count by Zipf's law: 1 / rank.
        tokenizer: its vocabulary has V pieces.
        place: where the vectors are, for messages.
        progress: told of the words that are cut.

    Raises:
        VectorsError: no piece gets a vector, or one gets numbers that are not finite.
    """
    texts = _texts(tokenizer)
    names, way = _names(vectors, texts)
    rows = np.array([_row(vectors, name) for name in names])
    ways = np.where(rows >= 0, way, _NONE)
    matrix = np.zeros((len(texts), vectors.width), np.float32)
    matrix[rows >= 0] = vectors.matrix[rows[rows >= 0]]
    if way == _WORD:
        for elsewhere in (False, True):
            means, reached = _through_words(vectors, tokenizer, texts, elsewhere, progress)
            reached &= ways == _NONE
            matrix[reached], ways[reached] = means[reached], _WORDS
    if vectors.ngrams is not None:
        for piece in np.flatnonzero(ways == _NONE).tolist():
            text = texts[piece] if way == _PIECE else texts[piece].removeprefix(SPACE)
            if text:
                matrix[piece], ways[piece] = vectors.ngrams.vector(text), _NGRAMS
    ways[~matrix.any(axis=1)] = _NONE  # such as a text too short for n-grams
    _check(matrix, ways, vectors, texts, place)
    return PieceVectors(place, matrix, ways)


def _check(
    matrix: np.ndarray, ways: np.ndarray, vectors: WordVectors, texts: Sequence[str], place: str
) -> None:
    broken = np.flatnonzero(~np.isfinite(matrix).all(axis=1)).tolist()
    if broken:
        raise VectorsError(
            f"{place}: what it gives for the piece {texts[broken[0]]!r} holds NaN or infinity "
            f"({len(broken):,} such pieces); train the vectors again, or take others."
        )
    if not ways.any():
        pieces = [text for text in texts if len(text) > 2] or [text for text in texts if text]
        raise VectorsError(
            f"{place}: none of the vocabulary's {len(texts):,} pieces is one of its "
            f"{len(vectors):,} words, or part of one. It has vectors of "
            f"{', '.join(vectors.words[:_SHOWN])} ...; the vocabulary has "
            f"{', '.join(pieces[:_SHOWN])} .... Take vectors of the language of that side."
        )


def _texts(tokenizer: Tokenizer) -> list[str]:
    """Each piece as text, ``▁`` for the space before a word; special tokens, tags and bytes: ""."""
    pieces = tokenizer.pieces(range(tokenizer.size))
    control = tokenizer.control
    # No piece of a text looks like a byte.
    return [
        "" if index < control or piece.startswith("<0x") else piece
        for index, piece in enumerate(pieces)
    ]


def _names(vectors: WordVectors, texts: Sequence[str]) -> tuple[list[str], int]:
    """What to look each piece up as ("" for nothing), and whether these are pieces or words.

    The vectors are of pieces if they know more of them with their ``▁`` than without.
    """
    words = [text[1:] if text.startswith(SPACE) else "" for text in texts]
    as_words = sum(_row(vectors, word) >= 0 for word in words if word)
    as_pieces = sum(_row(vectors, SPACE + word) >= 0 for word in words if word)
    if as_pieces > as_words:
        return list(texts), _PIECE
    # Where no spaces stand between words, no mark tells that a piece begins one.
    for piece in np.flatnonzero(_unspaced(texts)).tolist():
        words[piece] = words[piece] or texts[piece]
    return words, _WORD


def _row(vectors: WordVectors, name: str) -> int:
    """The row of a name, else of its lower case; -1 if there is neither."""
    row = vectors.row(name)
    if row is None:
        row = vectors.row(name.lower())
    return -1 if row is None else row


def _unspaced(texts: Sequence[str]) -> np.ndarray:
    """Which texts have letters of a script that is written without spaces [N]."""
    found = pc.match_substring_regex(pa.array(texts, pa.string()), _UNSPACED)
    return found.to_numpy(zero_copy_only=False)


def _through_words(
    vectors: WordVectors,
    tokenizer: Tokenizer,
    texts: Sequence[str],
    elsewhere: bool,
    progress: Progress,
) -> tuple[np.ndarray, np.ndarray]:
    """The weighted mean of the words that each piece is in [V E], and whether there are any [V]."""
    from scipy.sparse import csr_array

    sums = np.zeros((len(texts), vectors.width))
    totals = np.zeros(len(texts))
    counts = vectors.counts if vectors.counts is not None else 1 / np.arange(1, len(vectors) + 1)
    unspelled = {piece for piece, text in enumerate(texts) if not text}
    for start in range(0, len(vectors), _BATCH):
        words = vectors.words[start : start + _BATCH]
        pieces, rows = _parts(_cuts(tokenizer, words, elsewhere), len(words), unspelled)
        weights = counts[start + rows].astype(np.float64)
        held = csr_array((weights, (pieces, rows)), shape=(len(texts), len(words)))
        sums += held @ vectors.matrix[start : start + len(words)]
        totals += held.sum(axis=1)
        progress(
            f"words to pieces{', elsewhere' if elsewhere else ''}", start + len(words), len(vectors)
        )
    reached = totals > 0
    sums[reached] /= totals[reached, None]
    return sums, reached


def _parts(
    cuts: Iterable[tuple[int, list[int]]], number: int, unspelled: set[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Which pieces are in which of so many words: each pair of a piece and a word once.

    A word that takes bytes to spell is left out: it tells nothing of the pieces beside them.
    """
    keys = [
        piece * number + word for word, ids in cuts if unspelled.isdisjoint(ids) for piece in ids
    ]
    pieces, words = np.divmod(np.unique(np.array(keys, np.int64)), number)
    return pieces, words


def _cuts(
    tokenizer: Tokenizer, words: Sequence[str], elsewhere: bool
) -> Iterator[tuple[int, list[int]]]:
    """Places of words and their token ids: where they mostly stand in a text, or elsewhere."""
    if elsewhere:
        capitals = [word[:1].upper() + word[1:] for word in words]
        yield from enumerate(_inside(tokenizer, words))
        yield from enumerate(tokenizer.encode_batch(capitals))
        yield from enumerate(_inside(tokenizer, capitals))
    else:
        yield from enumerate(tokenizer.encode_batch(words))
        unspaced = np.flatnonzero(_unspaced(words)).tolist()
        inside = _inside(tokenizer, [words[word] for word in unspaced])
        yield from zip(unspaced, inside, strict=True)


def _inside(tokenizer: Tokenizer, words: Sequence[str]) -> Iterator[list[int]]:
    """Token ids of words with no space before them."""
    # A digit is a word of its own in every kind of tokenizer.
    before = len(tokenizer.encode("0"))
    for ids in tokenizer.encode_batch([f"0{word}" for word in words]):
        yield ids[before:]
