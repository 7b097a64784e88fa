"""Filters put behind a corpus, and the report of what they dropped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seqloom.corpus.filters.base import Filter, sides
from seqloom.corpus.pairs import Corpus
from seqloom.corpus.report import EXAMPLES, Dropped, Example, Histogram, Report, shorten


def clean(corpus: Corpus, filters: Sequence[Filter]) -> tuple[Corpus, Report]:
    """Put ``filters`` behind ``corpus``, in that order.

    Returns:
        The corpus that yields what all filters keep, and its report. The report fills while the
        corpus is read; each new pass starts report and filters afresh, so read one pass at a time.
    """
    report = Report()

    def open_batches() -> Iterator[pa.RecordBatch]:
        report.read = report.kept = 0
        report.dropped = {rule.name: Dropped(rule.reason, scores=_bins(rule)) for rule in filters}
        for rule in filters:
            rule.reset()
        for batch in corpus.batches():
            kept, _, part = apply(batch, filters, report.read + 1)
            report.add(part)
            if kept.num_rows:
                yield kept

    return corpus.derive(open_batches), report


def apply(
    batch: pa.RecordBatch, filters: Sequence[Filter], first: int
) -> tuple[pa.RecordBatch, NDArray[np.int64], Report]:
    """Clean one batch; each filter sees only the pairs that the filters before it kept.

    Args:
        batch: pairs.
        filters: in the order in which they are asked.
        first: number of the first pair of the batch in its corpus.

    Returns:
        The pairs that all filters keep, their numbers, and the report of this batch. The reports of
        all batches add up to the report of the corpus, in any order.
    """
    report = Report(read=batch.num_rows)
    numbers = np.arange(first, first + batch.num_rows)
    for rule in filters:
        scores = rule.score(batch)
        mask = rule.accept(scores).to_numpy(zero_copy_only=False)
        dropped = _dropped(rule, batch, scores, ~mask, numbers)
        report.add(Report(dropped={rule.name: dropped}))
        if not mask.all():
            batch, numbers = batch.filter(pa.array(mask)), numbers[mask]
    report.kept = batch.num_rows
    return batch, numbers, report


def _dropped(
    rule: Filter,
    batch: pa.RecordBatch,
    scores: pa.Array[Any],
    refused: NDArray[np.bool_],
    numbers: NDArray[np.int64],
) -> Dropped:
    """What one filter drops of one batch."""
    histogram = _bins(rule)
    histogram.count(scores.to_numpy(zero_copy_only=False))
    rows = np.flatnonzero(refused).tolist()
    dropped = Dropped(rule.reason, len(rows), scores=histogram)
    for row in rows[:EXAMPLES]:
        source, target = (shorten(side[row].as_py()) for side in sides(batch))
        score = float(scores[row].as_py())
        dropped.examples.append(Example(int(numbers[row]), source, target, score))
    return dropped


def _bins(rule: Filter) -> Histogram:
    return Histogram(rule.edges, rule.threshold)
