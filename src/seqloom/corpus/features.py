"""What of a line survives translation: its length, its digits, and the mark at its end.

Nine bytes a line, taken from whole batches at a time; the texts themselves need not be kept to find
where two sides slip against each other.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from seqloom.corpus.codepoints import Points, Starts, code_points, members

END_KINDS = 6
"""Kinds of marks at the end of a line: none, and those of :data:`_MARKS`."""

_MARKS = (".。．｡…", "?？", "!！", ":：", ",，、")
_CLOSING = "\"'”’»«“„›)）」』】] "
_KINDS = np.array([k for k, marks in enumerate(_MARKS, 1) for _ in marks] + [0], np.uint8)


@dataclass(frozen=True)
class Features:
    """Features of texts, one entry a text [N]."""

    lengths: NDArray[np.float32]
    """Characters."""
    digits: NDArray[np.uint32]
    """The same number for the same digits in any order; 0 where there are none."""
    ends: NDArray[np.uint8]
    """Kind of the mark at the end; 0 where there is none."""

    def __len__(self) -> int:
        return len(self.lengths)

    def part(self, start: int, count: int) -> Features:
        """The features of ``count`` texts from ``start`` on."""
        chosen = slice(start, start + count)
        return Features(self.lengths[chosen], self.digits[chosen], self.ends[chosen])


def features_of(texts: pa.Array[Any]) -> Features:
    """The features of strings without nulls."""
    points, starts = code_points(texts)
    return Features(np.diff(starts).astype(np.float32), _digits(points, starts), _ends(texts))


def joined(parts: Sequence[Features]) -> Features:
    """The features of texts that came in several batches."""
    if not parts:
        return features_of(pa.array([], pa.string()))
    return Features(
        np.concatenate([part.lengths for part in parts]),
        np.concatenate([part.digits for part in parts]),
        np.concatenate([part.ends for part in parts]),
    )


def residual(a: Features, b: Features, ratio: float, scale: float) -> NDArray[np.float32]:
    """How much longer each text of ``b`` is than ``ratio`` times its partner in ``a``.

    In units that are the same for short and long texts, since the variance of a translation's
    length grows with the length (Gale and Church 1993).
    """
    expected = a.lengths * np.float32(ratio)
    return (b.lengths - expected) / (np.sqrt(1 + expected) * np.float32(scale))


def beside(a: Features, b: Features, offset: int) -> tuple[Features, Features]:
    """Both sides so that text i of ``a`` stands beside what was text i + ``offset`` of ``b``."""
    skip_a, skip_b = max(-offset, 0), max(offset, 0)
    count = max(min(len(a) - skip_a, len(b) - skip_b), 0)
    return a.part(skip_a, count), b.part(skip_b, count)


def _digits(points: Points, starts: Starts) -> NDArray[np.uint32]:
    """The sum of one large number a digit does not depend on the order of the digits."""
    count = len(starts) - 1
    places = np.flatnonzero(members(r"\p{Nd}")[points])
    if not len(places):
        return np.zeros(count, np.uint32)
    numbers = _numbers_of_digits()[points[places]]
    owners = np.searchsorted(starts, places, "right") - 1
    total = np.bincount(owners, numbers, count).astype(np.uint64)
    mixed = (total ^ (total >> np.uint64(32))).astype(np.uint32)
    return np.where((total > 0) & (mixed == 0), np.uint32(1), mixed)


@lru_cache(maxsize=1)
def _numbers_of_digits() -> NDArray[np.float64]:
    """A table over all code points: the same number for a digit in every script."""
    table = np.zeros(len(members(r"\p{Nd}")), np.float64)
    numbers = np.random.default_rng(1).integers(1, 2**32, 10)
    for point in np.flatnonzero(members(r"\p{Nd}")).tolist():
        table[point] = numbers[unicodedata.decimal(chr(point), 0)]
    return table


def _ends(texts: pa.Array[Any]) -> NDArray[np.uint8]:
    last = pc.utf8_slice_codeunits(pc.utf8_rtrim(texts, _CLOSING), -1)
    marks = pa.array(list("".join(_MARKS)))
    found = pc.index_in(last, value_set=marks).fill_null(len(marks))
    return _KINDS[found.to_numpy(zero_copy_only=False)]
