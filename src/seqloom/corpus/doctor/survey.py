"""The first reading of a corpus: what each pair is reduced to, and a sample of the texts.

Memory: some fifty bytes a pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqloom.corpus.doctor.duplicates import Digests
from seqloom.corpus.doctor.leakage import LeakSearch, both_keys
from seqloom.corpus.doctor.sample import Sample
from seqloom.corpus.features import Features, features_of, joined

SAMPLE = 20_000
"""Pairs that shares are taken from, and words learned."""


class SurveyDigests(NamedTuple):
    """Digests of all source texts, target texts and pairs, and of pairs in their normal form."""

    source: Digests
    target: Digests
    pair: Digests
    alike: Digests


class Survey:
    """Collects what the examination needs of all pairs.

    Args:
        leaks: held-out sets that are looked for, already open.
    """

    def __init__(self, leaks: Sequence[LeakSearch]) -> None:
        self.pairs = 0
        self.words = [0, 0]
        """Words between spaces, of all source texts and of all target texts."""
        self.sample = Sample(SAMPLE)
        self._leaks = leaks
        self._features: tuple[list[Features], list[Features]] = ([], [])
        self._digests: tuple[list[Digests], ...] = ([], [], [], [])

    def add(self, batch: pa.RecordBatch) -> None:
        """Read the next batch of the corpus."""
        for side, parts in enumerate(self._features):
            texts: Any = batch.column(side)
            parts.append(features_of(texts))
            self.words[side] += pc.sum(pc.count_substring_regex(texts, r"\S+")).as_py() or 0
        equal, alike = both_keys(batch)
        for digests, part in zip(self._digests, (*equal, alike.pair), strict=True):
            digests.append(part)
        numbers = np.arange(self.pairs + 1, self.pairs + 1 + batch.num_rows)
        for leak in self._leaks:
            leak.look(equal, alike, numbers)
        self.sample.add(batch)
        self.pairs += batch.num_rows

    def features(self) -> tuple[Features, Features]:
        """The features of all source texts and of all target texts."""
        return joined(self._features[0]), joined(self._features[1])

    def digests(self) -> SurveyDigests:
        """Digests of all pairs."""
        return SurveyDigests(*(np.concatenate(parts) for parts in self._digests))
