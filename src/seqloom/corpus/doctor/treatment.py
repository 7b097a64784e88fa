"""A corpus without the pairs that the doctor has found to have certain signs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from seqloom.corpus.doctor.examination import Examination
from seqloom.corpus.pairs import Corpus
from seqloom.errors import CorpusError

SHIFTED = "shifted"
"""Name for the pairs of all stretches that are shifted."""


def without(corpus: Corpus, found: Examination, signs: Sequence[str]) -> Corpus:
    """The corpus that was examined, without the pairs that have one of ``signs``.

    Args:
        corpus: what ``found`` was found in.
        found: numbers of pairs by sign.
        signs: such as ``unrelated``, ``language``, ``near_duplicate`` or :data:`SHIFTED`.

    Raises:
        CorpusError: there is no such sign.
    """
    dropped = np.unique(np.concatenate([_numbers(found, sign) for sign in signs]))

    def open_batches() -> Iterator[pa.RecordBatch]:
        first = 1
        for batch in corpus.batches():
            stop = first + batch.num_rows
            low, high = np.searchsorted(dropped, [first, stop])
            kept = np.ones(batch.num_rows, bool)
            kept[dropped[low:high] - first] = False
            yield batch.filter(pa.array(kept)) if high > low else batch
            first = stop

    return corpus.derive(open_batches)


def _numbers(found: Examination, sign: str) -> np.ndarray:
    if sign == SHIFTED:
        stretches = [np.arange(s.first, s.last + 1) for s in found.alignment.stretches]
        return np.concatenate([np.zeros(0, np.int64), *stretches])
    if sign not in found.numbers:
        known = ", ".join([*found.numbers, SHIFTED])
        raise CorpusError(f"no sign is called {sign!r}; there are {known}.")
    return np.asarray(found.numbers[sign], np.int64)
