"""Cleaning a corpus of any size: filters in a process pool, duplicates on disk, interruptible.

The pairs that the filters keep are written to parts (:mod:`seqloom.corpus.parts`) with their number
in the corpus and digests of their texts; DuckDB then tells which came before
(:mod:`seqloom.corpus.duplicates`). Memory does not grow with the corpus, and the result does not
depend on the number of processes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from seqloom.corpus.digest import pair_digests
from seqloom.corpus.duplicates import EXACT, NEAR, NUMBER, Duplicates
from seqloom.corpus.files import replacing
from seqloom.corpus.filters import DuplicateFilter, Filter, NearDuplicateFilter, apply
from seqloom.corpus.normal_form import normalised
from seqloom.corpus.pairs import SCHEMA, Corpus, Progress, make_batch
from seqloom.corpus.parts import Parts
from seqloom.corpus.report import EXAMPLES, Dropped, Example, Report, shorten

Which = Literal["none", "equal", "alike"]
"""Which pairs that came before are dropped; alike ones differ in nothing but case, punctuation,
white space and the values of digits."""

_NUMBERS = pa.schema([pa.field(NUMBER, pa.int64())])


@dataclass(frozen=True)
class CleanBatch:
    """From a batch and the number of its first pair to what the filters keep, with digests."""

    filters: tuple[Filter, ...]
    duplicates: Which

    def __call__(self, item: tuple[int, pa.RecordBatch]) -> tuple[pa.RecordBatch, Report]:
        """The kept pairs with their columns for :class:`Duplicates`, and the report."""
        first, batch = item
        kept, numbers, report = apply(batch, self.filters, first)
        columns, names = [*kept.columns, pa.array(numbers)], [*SCHEMA.names, NUMBER]
        if self.duplicates != "none":
            exact = _digests(kept)
            alike = exact
            if self.duplicates == "alike":
                sides = [normalised(kept.column(side)) for side in (0, 1)]
                alike = _digests(make_batch(sides[0], sides[1]))
            columns, names = [*columns, exact, alike], [*names, EXACT, NEAR]
        return pa.RecordBatch.from_arrays(columns, names=names), report


def _digests(batch: pa.RecordBatch) -> pa.Array[Any]:
    return pa.array(np.fromiter(pair_digests(batch), np.uint64, batch.num_rows))


@dataclass(frozen=True)
class BulkCleaning:
    """A cleaning whose results lie in a folder; the same call goes on where it was."""

    folder: Path
    filters: Sequence[Filter]
    """Without memory of pairs seen: each batch by itself."""
    duplicates: Which
    workers: int

    def run(self, corpus: Corpus, progress: Progress, stage: str) -> tuple[Corpus, Report]:
        """Clean a corpus.

        Args:
            corpus: the pairs.
            progress: told how far it is, and how many pairs each filter has dropped.
            stage: name of the work in progress.

        Returns:
            What is kept, to be read any number of times while the folder is there, and the report.

        Raises:
            CorpusError: the corpus cannot be read to its end.
            FolderError: a file cannot be written.
        """
        parts = Parts(self.folder, Report())

        def tell(report: Report) -> None:
            progress(stage, report.read, corpus.estimate(report.read), report.summary())

        work = CleanBatch(tuple(self.filters), self.duplicates)
        parts.run(work, _numbered(corpus), self.workers, tell)
        report = parts.note
        if self.duplicates == "none":
            return corpus.derive(lambda: map(_pairs, parts.batches())), report
        kept = self._drop_duplicates(parts, report)
        return corpus.derive(lambda: _chosen(parts.batches(), kept)), report

    def _drop_duplicates(self, parts: Parts[Report], report: Report) -> Path:
        """Note the duplicates in the report; returns a file with the numbers of the pairs kept."""
        path = self.folder / "kept.parquet"
        found = Duplicates(parts.paths(), self.folder / "duplicates", self.workers)
        try:
            alike = self.duplicates == "alike"
            with replacing(path) as temporary, pq.ParquetWriter(temporary, _NUMBERS) as writer:
                for numbers in found.kept(alike):
                    writer.write_batch(numbers.cast(_NUMBERS))
            rules = (DuplicateFilter(), NearDuplicateFilter())[: 1 + alike]
            counted = zip(found.counts(), found.examples(EXAMPLES), strict=True)
            for rule, (count, examples) in zip(rules, counted, strict=False):
                shown = [
                    Example(number, shorten(source), shorten(target), 1.0)
                    for number, source, target in examples
                ]
                report.dropped[rule.name] = Dropped(rule.reason, count, shown)
                report.kept -= count
        finally:
            found.close()
        return path


def _numbered(corpus: Corpus) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Each batch with the number of its first pair, counted from 1."""
    first = 1
    for batch in corpus.batches():
        yield first, batch
        first += batch.num_rows


def _pairs(batch: pa.RecordBatch) -> pa.RecordBatch:
    return make_batch(*(batch.column(name) for name in SCHEMA.names))


def _chosen(batches: Iterator[pa.RecordBatch], kept: Path) -> Iterator[pa.RecordBatch]:
    """The pairs of ``batches`` whose numbers are in the file ``kept``; both are in order."""
    with pq.ParquetFile(kept) as file:
        wanted = np.zeros(0, np.int64)
        more = file.iter_batches()
        for batch in batches:
            if not batch.num_rows:
                continue
            numbers = batch.column(NUMBER).to_numpy()
            while not len(wanted) or wanted[-1] < numbers[-1]:
                found = next(more, None)
                if found is None:
                    break
                wanted = np.concatenate([wanted, found.column(0).to_numpy()])
            # Both are sorted: a number is wanted if it stands where it would be put.
            places = np.searchsorted(wanted, numbers)
            mask = np.append(wanted, -1)[places] == numbers
            if mask.any():
                yield _pairs(batch.filter(pa.array(mask)))
            wanted = wanted[int(np.searchsorted(wanted, numbers[-1], side="right")) :]
