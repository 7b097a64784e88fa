"""Texts that say the same again and again: ``!!!!!!!!!!!!``, dotted leaders, ``ha ha ha ha ha ha``.

A unit of 1 to 32 characters that stands three times or more in a row is a repetition; the blank
after the last copy may be missing. Its length is counted in characters from the first copy to the
end of the last one, which may be cut off. Digits are never part of a repetition
(``1000000000000``), and spaces in a row count as one.

Copies are found by comparing all texts with themselves, moved by the length of the unit.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seqloom.corpus.codepoints import Points, Starts, code_points, members, sums
from seqloom.corpus.filters.base import Filter, at_most, sides

LONGEST_UNIT = 32
"""Characters of the longest unit that is looked for."""

_OTHER, _SPACE, _DIGIT = range(3)


def longest_repetition(texts: pa.Array[Any]) -> NDArray[np.int64]:
    """The length of the longest repetition in each text; 0 where there is none."""
    points, starts = code_points(texts)
    points, starts, free = _prepared(points, starts)
    longest = np.zeros(len(texts), np.int64)
    for unit in range(1, min(LONGEST_UNIT, (len(points) + 1) // 3) + 1):
        _note_repetitions(longest, points, starts, free, unit)
    return longest


class RepetitionFilter(Filter):
    """Drops pairs with a long repetition. Score: the longer one of :func:`longest_repetition`."""

    name = "repetition"
    edges = (0.0, 1.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 15.0, 20.0, 30.0, 50.0, 100.0)

    def __init__(self, max_run: int = 11) -> None:
        self.max_run = max_run
        self.threshold = max_run + 1
        self.reason = f"the same again and again, over more than {max_run} characters"

    def score(self, batch: pa.RecordBatch) -> pa.Array[Any]:
        """See :class:`Filter`."""
        source, target = map(longest_repetition, sides(batch))
        return pa.array(np.maximum(source, target))

    def accept(self, scores: pa.Array[Any]) -> pa.Array[Any]:
        """See :class:`Filter`."""
        return at_most(scores, self.max_run)


def _prepared(points: Points, starts: Starts) -> tuple[Points, Starts, NDArray[np.bool_]]:
    """Texts with single spaces, and where a character may be the copy of one before it."""
    kinds = _kinds()[points]
    first = np.zeros(len(points) + 1, np.bool_)
    first[starts] = True
    first = first[:-1]
    space = kinds == _SPACE
    kept = np.ones(len(points), np.bool_)
    kept[1:] = first[1:] | ~(space[1:] & space[:-1])
    free = (kinds != _DIGIT) & ~first
    if kept.all():
        return points, starts, free
    return points[kept], np.concatenate([[0], np.cumsum(sums(kept, starts))]), free[kept]


def _note_repetitions(
    longest: NDArray[np.int64],
    points: Points,
    starts: Starts,
    free: NDArray[np.bool_],
    unit: int,
) -> None:
    """Raise ``longest`` where a unit of this length stands three times or more in a row."""
    copied = (points[unit:] == points[:-unit]) & free[unit:]
    least = max(2 * unit - 1, 2)  # without a blank at the end
    window = 1
    while 2 * window <= least:  # true where at least `window` copied characters begin
        copied = copied[:-window] & copied[window:]
        window *= 2
    hits = np.flatnonzero(copied)
    if not len(hits):
        return
    gaps = np.flatnonzero(np.diff(hits) > 1)
    begins = hits[np.concatenate([[0], gaps + 1])] + unit
    ends = hits[np.concatenate([gaps, [len(hits) - 1]])] + window + unit
    texts = np.searchsorted(starts, begins, side="right") - 1
    # What is closer to the start of its text was compared with the end of the text before.
    begins = np.maximum(begins, starts[texts] + unit)
    enough = ends - begins >= least
    np.maximum.at(longest, texts[enough], (ends - begins)[enough] + unit)


@lru_cache(maxsize=1)
def _kinds() -> NDArray[np.uint8]:
    """What each code point counts as."""
    table = np.full(len(members(r"\p{Nd}")), _OTHER, np.uint8)
    table[members(r"\p{Nd}")] = _DIGIT
    table[members(r"\t-\r\x{85}\p{Z}")] = _SPACE
    return table
