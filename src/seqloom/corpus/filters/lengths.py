"""Filters that look at the lengths of both sides, in characters (Unicode code points)."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from seqloom.corpus.filters.base import Filter, at_least, at_most, sides

_LENGTHS = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1e3, 2e3, 5e3, 1e4, 1e5)
_RATIOS = (1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0, 20.0)


class EmptyFilter(Filter):
    """Drops pairs with a side that is empty or white space. Score: length of the shorter side."""

    name = "empty"
    reason = "a side is empty"
    edges = _LENGTHS
    threshold = 1

    def score(self, batch: pa.RecordBatch) -> pa.Array[Any]:
        """See :class:`Filter`."""
        source, target = (pc.utf8_trim_whitespace(side) for side in sides(batch))
        return pc.min_element_wise(pc.utf8_length(source), pc.utf8_length(target))

    def accept(self, scores: pa.Array[Any]) -> pa.Array[Any]:
        """See :class:`Filter`."""
        return at_least(scores, self.threshold)


class LengthFilter(Filter):
    """Drops pairs with an overlong side. Score: length of the longer side."""

    name = "length"
    edges = _LENGTHS

    def __init__(self, max_characters: int) -> None:
        self.max_characters = self.threshold = max_characters
        self.reason = f"a side is longer than {max_characters} characters"

    def score(self, batch: pa.RecordBatch) -> pa.Array[Any]:
        """See :class:`Filter`."""
        return pc.max_element_wise(*_lengths(batch))

    def accept(self, scores: pa.Array[Any]) -> pa.Array[Any]:
        """See :class:`Filter`."""
        return at_most(scores, self.max_characters)


class ShortFilter(Filter):
    """Drops short sources, white space around them not counted. Score: length of the source."""

    name = "short"
    edges = _LENGTHS

    def __init__(self, min_characters: int) -> None:
        self.min_characters = self.threshold = min_characters
        self.reason = f"fewer than {min_characters} characters"

    def score(self, batch: pa.RecordBatch) -> pa.Array[Any]:
        """See :class:`Filter`."""
        source, _ = sides(batch)
        return pc.utf8_length(pc.utf8_trim_whitespace(source))

    def accept(self, scores: pa.Array[Any]) -> pa.Array[Any]:
        """See :class:`Filter`."""
        return at_least(scores, self.min_characters)


class RatioFilter(Filter):
    """Drops pairs whose lengths are too different. Score: longer side divided by shorter side."""

    name = "ratio"
    edges = _RATIOS

    def __init__(self, max_ratio: float) -> None:
        self.max_ratio = self.threshold = max_ratio
        self.reason = f"one side is more than {max_ratio:g} times as long as the other"

    def score(self, batch: pa.RecordBatch) -> pa.Array[Any]:
        """See :class:`Filter`."""
        source, target = (length.cast(pa.float64()) for length in _lengths(batch))
        return pc.divide(pc.max_element_wise(source, target), pc.min_element_wise(source, target))

    def accept(self, scores: pa.Array[Any]) -> pa.Array[Any]:
        """See :class:`Filter`. Two empty sides have no ratio and are not accepted."""
        return at_most(scores, self.max_ratio)


def _lengths(batch: pa.RecordBatch) -> tuple[Any, Any]:
    source, target = sides(batch)
    return pc.utf8_length(source), pc.utf8_length(target)
