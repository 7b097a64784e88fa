"""What every filter can do: score pairs and, apart from that, accept scores."""

from __future__ import annotations

from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc


class Filter(Protocol):
    """A rule that keeps or drops pairs.

    Thresholds are arguments of the constructor; what a filter needs of a batch is in the batch. So
    a filter can be sent to another process, unless it ``remembers``.
    """

    name: str
    """Short name in the report."""

    reason: str
    """Why a pair is dropped, in the words of the report."""

    edges: tuple[float, ...]
    """Bins of the histogram of scores, the same for every threshold. The first and the last bin
    also take what lies beyond."""

    threshold: float
    """Pairs on one side of this score are kept, on the other dropped: the line in the picture."""

    remembers: bool = False
    """True if a score depends on the pairs before: such a filter sees all batches in order."""

    def reset(self) -> None:
        """Forget what was seen; called when a pass over the corpus begins."""
        return

    def score(self, batch: pa.RecordBatch) -> pa.Array[Any]:
        """One number a pair."""
        ...

    def accept(self, scores: pa.Array[Any]) -> pa.Array[Any]:
        """True for scores of pairs to keep."""
        ...


YES_OR_NO = (0.0, 1.0, 2.0)
"""Edges for scores that are 0 or 1."""

SHARES = (0.0, 0.05, *(tenth / 10 for tenth in range(1, 11)))
"""Edges for scores between 0 and 1."""

FEW = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 10.0, 20.0, 50.0)
"""Edges for counts that are mostly 0."""


def sides(batch: pa.RecordBatch) -> tuple[Any, Any]:
    """The source texts and the target texts."""
    return batch.column("source"), batch.column("target")


def at_most(scores: pa.Array[Any], limit: float) -> pa.Array[Any]:
    """True for scores up to ``limit``; false for those that are no number."""
    return pc.less_equal(scores, pa.scalar(limit))


def at_least(scores: pa.Array[Any], limit: float) -> pa.Array[Any]:
    """True for scores from ``limit`` on."""
    return pc.greater_equal(scores, pa.scalar(limit))
