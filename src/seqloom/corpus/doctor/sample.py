"""A seeded sample of a corpus: short runs of neighbouring pairs, each run equally likely."""

from __future__ import annotations

import random
from typing import Any

import pyarrow as pa

RUN = 32
"""Pairs of a run, at most; neighbours are needed to see whether sides slip against each other."""


class Sample:
    """A reservoir of runs (Vitter 1985, Algorithm R); the whole corpus where it is small.

    Args:
        pairs: pairs that are kept, about.
        seed: the same seed and corpus give the same sample.
    """

    def __init__(self, pairs: int, seed: int = 1) -> None:
        self._room = max(pairs // RUN, 1)
        self._random = random.Random(seed)
        self._runs: list[tuple[int, list[str], list[str]]] = []
        self._seen = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take the next batch of the corpus into account."""
        for start in range(0, batch.num_rows, RUN):
            place = self._seen if self._seen < self._room else self._random.randrange(self._seen)
            if place < self._room:
                run = (self._seen, _texts(batch, "source", start), _texts(batch, "target", start))
                self._runs[place : place + 1] = [run]
            self._seen += 1

    def runs(self) -> list[tuple[list[str], list[str]]]:
        """Source and target texts of each run, in the order of the corpus."""
        return [(sources, targets) for _, sources, targets in sorted(self._runs)]

    def sides(self) -> tuple[list[str], list[str]]:
        """All source texts and all target texts of the sample."""
        runs = self.runs()
        return [s for run in runs for s in run[0]], [t for run in runs for t in run[1]]


def _texts(batch: pa.RecordBatch, side: str, start: int) -> list[Any]:
    return batch.column(side).slice(start, RUN).to_pylist()
