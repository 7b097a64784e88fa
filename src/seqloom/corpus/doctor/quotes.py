"""The texts of the pairs that a report names, read once all its numbers are known."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pyarrow as pa

from seqloom.corpus.pairs import Corpus
from seqloom.corpus.report import shorten

LONGEST = 300
"""Characters of a text that are shown."""

Quotes = dict[int, tuple[str, str]]
"""By number of the pair, from 1: source and target, shortened."""


def quote(corpus: Corpus, numbers: Collection[int]) -> Quotes:
    """The texts of some pairs; reading ends with the last of them.

    Raises:
        CorpusError: the corpus cannot be read that far.
    """
    wanted = np.unique(np.array(list(numbers), np.int64))
    found: Quotes = {}
    first = 1
    batches = corpus.batches()
    while len(found) < len(wanted) and (batch := next(batches, None)) is not None:
        inside = wanted[(wanted >= first) & (wanted < first + batch.num_rows)]
        rows: pa.Array[Any] = pa.array(inside - first)
        columns = (batch.column(side).take(rows).to_pylist() for side in ("source", "target"))
        for number, source, target in zip(inside.tolist(), *columns, strict=True):
            found[number] = (shorten(source, LONGEST), shorten(target, LONGEST))
        first += batch.num_rows
    return found
