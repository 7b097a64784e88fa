"""Texts in a normal form, so that those that differ only in looks become equal.

Two forms: :func:`folded` forgets case and compatibility forms (NFKC and full case folding, Unicode
standard chapters 3.11 and 3.13), :func:`normalised` also spaces, punctuation and the values of
digits.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from unicodedata import normalize

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from seqloom.corpus.codepoints import code_points, members, strings, sums

_DROPPED, _KEPT, _DIGIT = range(3)


def folded(texts: pa.Array[Any]) -> pa.Array[Any]:
    """NFKC and case folding, without white space at both ends: ``Straße`` -> ``strasse``."""
    plain: list[Any] = texts.to_pylist()
    return pa.array([_fold(text) for text in plain], pa.string())


def normalised(texts: pa.Array[Any]) -> pa.Array[Any]:
    """The letters and digits of folded texts, every digit written as 0.

    ``Page 12.`` and ``PAGE  13`` both become ``page00``: pages, tables and dates that differ in
    their numbers alone teach little twice. Marks belong to their letters (Indic vowels, accents
    that have no composed form). A text without letters and digits stays as it is folded, so that
    ``!`` and ``?`` differ.
    """
    plain = folded(texts)
    points, starts = code_points(plain)
    classes = _classes()[points]
    kept = classes != _DROPPED
    points = np.where(classes == _DIGIT, np.uint32(ord("0")), points)[kept]
    lengths = sums(kept, starts)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    return pc.if_else(pa.array(lengths == 0), plain, strings(points, starts))


def _fold(text: str) -> str:
    if text.isascii():
        return text.lower().strip()
    # Folding can undo a composition, so the normal form is taken again.
    return normalize("NFKC", normalize("NFKC", text).casefold()).strip()


@lru_cache(maxsize=1)
def _classes() -> NDArray[np.uint8]:
    """What becomes of each code point."""
    table = np.where(members(r"\p{L}\p{M}\p{N}"), _KEPT, _DROPPED).astype(np.uint8)
    # Marks that no reader sees: variation selectors and joiners.
    table[members(r"\x{34F}\x{180B}-\x{180F}\x{FE00}-\x{FE0F}\x{E0100}-\x{E01EF}")] = _DROPPED
    table[members(r"\p{Nd}")] = _DIGIT
    return table
