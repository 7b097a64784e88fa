"""Filters from batch to batch. Each scores pairs and, apart from that, accepts scores.

So a threshold can be looked at before it is chosen. A filter sees only the pairs that the filters
before it kept. Lengths are in characters (Unicode code points).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from seqloom.corpus.digest import pair_digests, text_digests
from seqloom.corpus.pairs import Corpus
from seqloom.corpus.report import EXAMPLES, Dropped, Example, Report, shorten


class Filter(Protocol):
    """What every filter can do."""

    @property
    def name(self) -> str:
        """Short name in the report."""
        ...

    @property
    def reason(self) -> str:
        """Why a pair is dropped, in the words of the report."""
        ...

    def reset(self) -> None:
        """Forget what was seen; called when a pass over the corpus begins."""
        ...

    def score(self, batch: pa.RecordBatch) -> pa.Array[Any]:
        """One number a pair."""
        ...

    def accept(self, scores: pa.Array[Any]) -> pa.Array[Any]:
        """True for scores of pairs to keep."""
        ...


class EmptyFilter:
    """Drops pairs with a side that is empty or white space. Score: length of the shorter side."""

    name = "empty"
    reason = "a side is empty"

    def reset(self) -> None:
        """See :class:`Filter`."""

    def score(self, batch: pa.RecordBatch) -> pa.Array[Any]:
        """See :class:`Filter`."""
        source, target = (pc.utf8_trim_whitespace(side) for side in _sides(batch))
        return pc.min_element_wise(pc.utf8_length(source), pc.utf8_length(target))

    def accept(self, scores: pa.Array[Any]) -> pa.Array[Any]:
        """See :class:`Filter`."""
        return pc.greater(scores, pa.scalar(0))


class LengthFilter:
    """Drops pairs with an overlong side. Score: length of the longer side."""

    name = "length"

    def __init__(self, max_characters: int) -> None:
        self.max_characters = max_characters
        self.reason = f"a side is longer than {max_characters} characters"

    def reset(self) -> None:
        """See :class:`Filter`."""

    def score(self, batch: pa.RecordBatch) -> pa.Array[Any]:
        """See :class:`Filter`."""
        return pc.max_element_wise(*_lengths(batch))

    def accept(self, scores: pa.Array[Any]) -> pa.Array[Any]:
        """See :class:`Filter`."""
        return pc.less_equal(scores, pa.scalar(self.max_characters))


class RatioFilter:
    """Drops pairs whose lengths are too different. Score: longer side divided by shorter side."""

    name = "ratio"

    def __init__(self, max_ratio: float) -> None:
        self.max_ratio = max_ratio
        self.reason = f"one side is more than {max_ratio:g} times as long as the other"

    def reset(self) -> None:
        """See :class:`Filter`."""

    def score(self, batch: pa.RecordBatch) -> pa.Array[Any]:
        """See :class:`Filter`."""
        source, target = (length.cast(pa.float64()) for length in _lengths(batch))
        return pc.divide(pc.max_element_wise(source, target), pc.min_element_wise(source, target))

    def accept(self, scores: pa.Array[Any]) -> pa.Array[Any]:
        """See :class:`Filter`. Two empty sides have no ratio and are not accepted."""
        return pc.less_equal(scores, pa.scalar(self.max_ratio))


class DuplicateFilter:
    """Drops all but the first of equal pairs. Score: 1 for a pair seen before, else 0.

    Memory: a digest of 64 bits a distinct pair, not the texts.
    """

    name = "duplicate"
    reason = "the same pair came before"

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def reset(self) -> None:
        """See :class:`Filter`."""
        self._seen = set()

    def score(self, batch: pa.RecordBatch) -> pa.Array[Any]:
        """See :class:`Filter`. Scoring a pair marks it as seen."""
        scores = np.zeros(batch.num_rows, np.uint8)
        for row, digest in enumerate(pair_digests(batch)):
            if digest in self._seen:
                scores[row] = 1
            else:
                self._seen.add(digest)
        return pa.array(scores)

    def accept(self, scores: pa.Array[Any]) -> pa.Array[Any]:
        """See :class:`Filter`."""
        return pc.equal(scores, pa.scalar(0))


class OverlapFilter:
    """Drops pairs whose source text is also in ``held_out``. Score: 1 for such a pair, else 0.

    Memory: a digest of 64 bits a held-out source text, taken at the first use.
    """

    name = "overlap"

    def __init__(self, held_out: Corpus) -> None:
        self._held_out = held_out
        self._digests: set[int] | None = None
        self.reason = f"the source text is also in {held_out.name}"

    def reset(self) -> None:
        """See :class:`Filter`. The held-out digests stay."""

    def score(self, batch: pa.RecordBatch) -> pa.Array[Any]:
        """See :class:`Filter`."""
        if self._digests is None:
            batches = self._held_out.batches()
            self._digests = {d for held in batches for d in text_digests(held.column("source"))}
        found = [digest in self._digests for digest in text_digests(batch.column("source"))]
        return pa.array(np.array(found, np.uint8))

    def accept(self, scores: pa.Array[Any]) -> pa.Array[Any]:
        """See :class:`Filter`."""
        return pc.equal(scores, pa.scalar(0))


def clean(corpus: Corpus, filters: Sequence[Filter]) -> tuple[Corpus, Report]:
    """Put ``filters`` behind ``corpus``, in that order.

    Returns:
        The corpus that yields what all filters keep, and its report. The report fills while the
        corpus is read; each new pass starts report and filters afresh, so read one pass at a time.
    """
    report = Report()

    def open_batches() -> Iterator[pa.RecordBatch]:
        report.read = report.kept = 0
        report.dropped = {rule.name: Dropped(rule.reason) for rule in filters}
        for rule in filters:
            rule.reset()
        for batch in corpus.batches():
            kept = _apply(batch, filters, report)
            if kept.num_rows:
                yield kept

    return corpus.derive(open_batches), report


def _apply(batch: pa.RecordBatch, filters: Sequence[Filter], report: Report) -> pa.RecordBatch:
    numbers = np.arange(report.read + 1, report.read + 1 + batch.num_rows)
    report.read += batch.num_rows
    for rule in filters:
        scores = rule.score(batch)
        mask = rule.accept(scores)
        refused = np.flatnonzero(~mask.to_numpy(zero_copy_only=False))
        if len(refused):
            _note(report.dropped[rule.name], batch, scores, refused, numbers)
            batch = batch.filter(mask)
            numbers = np.delete(numbers, refused)
    report.kept += batch.num_rows
    return batch


def _note(
    dropped: Dropped,
    batch: pa.RecordBatch,
    scores: pa.Array[Any],
    refused: NDArray[np.int64],
    numbers: NDArray[np.int64],
) -> None:
    dropped.count += len(refused)
    for row in refused[: EXAMPLES - len(dropped.examples)].tolist():
        source, target = (side[row].as_py() for side in _sides(batch))
        score = float(scores[row].as_py())
        dropped.examples.append(Example(int(numbers[row]), shorten(source), shorten(target), score))


def _lengths(batch: pa.RecordBatch) -> tuple[Any, Any]:
    source, target = _sides(batch)
    return pc.utf8_length(source), pc.utf8_length(target)


def _sides(batch: pa.RecordBatch) -> tuple[Any, Any]:
    return batch.column("source"), batch.column("target")
