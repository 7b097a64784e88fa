"""Split by content: the hash of the source text alone decides on which side a pair falls.

So adding data never moves a pair from one side to the other, the order of the corpus does not
matter, and all translations of one source text stay together.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from seqloom.corpus.digest import text_digests
from seqloom.corpus.pairs import Corpus
from seqloom.errors import CorpusError

DIGESTS = 2**64
"""How many digests of a text there are."""


def split(corpus: Corpus, share: float, *, limit: int | None = None) -> tuple[Corpus, Corpus]:
    """Part a corpus in (training, held out); both are streamed and can be read again.

    Args:
        corpus: the pairs.
        share: expected share of source texts that are held out, between 0 and 1.
        limit: hold out at most this many pairs, those with the smallest hashes. What is beyond the
            limit is left out of both parts: a pair that was once held out must never be trained
            on, however much data comes later.

    Raises:
        CorpusError: the share is not between 0 and 1.
    """
    if not 0 < share < 1:
        raise CorpusError(f"share of held-out pairs: {share} is not between 0 and 1.")
    border = int(share * DIGESTS)

    def training() -> Iterator[pa.RecordBatch]:
        return chosen(corpus, border, DIGESTS)

    def held_out() -> Iterator[pa.RecordBatch]:
        end = border if limit is None else _limited(corpus, border, limit)
        return chosen(corpus, 0, end)

    return corpus.derive(training), corpus.derive(held_out, f"{corpus.name} (held out)")


def chosen(corpus: Corpus, start: int, end: int) -> Iterator[pa.RecordBatch]:
    """The pairs whose source has a digest from ``start`` up to, not including, ``end``."""
    for batch in corpus.batches():
        digests = text_digests(batch.column("source"))
        mask = np.array([start <= digest < end for digest in digests], bool)
        if mask.any():
            yield batch.filter(pa.array(mask))


def _limited(corpus: Corpus, border: int, limit: int) -> int:
    """The largest border up to ``border`` below which at most ``limit`` pairs fall."""
    smallest: list[int] = []  # a heap of the limit + 1 smallest digests, negated: largest first
    for batch in corpus.batches():
        for digest in text_digests(batch.column("source")):
            if digest >= border:
                continue
            if len(smallest) <= limit:
                heapq.heappush(smallest, -digest)
            else:
                heapq.heappushpop(smallest, -digest)
    # The largest of limit + 1 is one too many, and with it all pairs of the same source text.
    return -smallest[0] if len(smallest) > limit else border
