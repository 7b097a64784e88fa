"""Filters that look for texts that were there before: on the other side, or in another pair."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from seqloom.corpus.digest import pair_digests, text_digests
from seqloom.corpus.filters.base import YES_OR_NO, Filter, at_most, sides
from seqloom.corpus.normal_form import folded, normalised
from seqloom.corpus.pairs import Corpus, make_batch

Side = Literal["source", "target"]


class IdenticalFilter(Filter):
    """Drops pairs with the same text on both sides. Score: 1 for such a pair, else 0.

    Case, compatibility forms and white space at the ends do not count.
    """

    name = "identical"
    reason = "both sides are the same"
    edges = YES_OR_NO
    threshold = 1

    def score(self, batch: pa.RecordBatch) -> pa.Array[Any]:
        """See :class:`Filter`."""
        source, target = map(folded, sides(batch))
        return pc.equal(source, target).cast(pa.uint8())

    def accept(self, scores: pa.Array[Any]) -> pa.Array[Any]:
        """See :class:`Filter`."""
        return at_most(scores, 0)


class _FirstOnly(Filter):
    """Drops all but the first of pairs that have the same form. Score: 1 for one seen before.

    Memory: a digest of 64 bits a distinct form, not the texts.
    """

    edges = YES_OR_NO
    threshold = 1
    remembers = True

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def reset(self) -> None:
        """See :class:`Filter`."""
        self._seen = set()

    def score(self, batch: pa.RecordBatch) -> pa.Array[Any]:
        """See :class:`Filter`. Scoring a pair marks it as seen."""
        scores = np.zeros(batch.num_rows, np.uint8)
        for row, digest in enumerate(pair_digests(self._form(batch))):
            if digest in self._seen:
                scores[row] = 1
            else:
                self._seen.add(digest)
        return pa.array(scores)

    def accept(self, scores: pa.Array[Any]) -> pa.Array[Any]:
        """See :class:`Filter`."""
        return at_most(scores, 0)

    @abstractmethod
    def _form(self, batch: pa.RecordBatch) -> pa.RecordBatch: ...


class DuplicateFilter(_FirstOnly):
    """Drops all but the first of equal pairs. Score: 1 for a pair seen before, else 0."""

    name = "duplicate"
    reason = "the same pair came before"

    def _form(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        return batch


class NearDuplicateFilter(_FirstOnly):
    """Drops all but the first of pairs that are equal in their normal form. Score as above.

    Case, spaces, punctuation and the values of digits do not count, see
    :func:`seqloom.corpus.normal_form.normalised`.
    """

    name = "near_duplicate"
    reason = "nearly the same pair came before"

    def _form(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        return make_batch(*map(normalised, sides(batch)))


class OverlapFilter(Filter):
    """Drops pairs that share a text with ``held_out``. Score: the number of sides that do.

    Args:
        held_out: pairs that must stay unseen in training.
        compared: sides that are looked up, each among the texts of the same side.
        normal: compare in the normal form, see :func:`seqloom.corpus.normal_form.normalised`.
        name: in the report, where there are several of these.

    Memory: a digest of 64 bits a held-out text, taken at the first use or when the filter is sent
    to another process.
    """

    edges = (0.0, 1.0, 2.0, 3.0)
    threshold = 1

    def __init__(
        self,
        held_out: Corpus,
        *,
        compared: Sequence[Side] = ("source",),
        normal: bool = False,
        name: str = "overlap",
    ) -> None:
        self.name = name
        self._held_out: Corpus | None = held_out
        self._digests: dict[Side, NDArray[np.uint64]] = {}
        self.compared = tuple(compared)
        self.normal = normal
        nearly = "nearly " if normal else ""
        self.reason = f"the {' or '.join(self.compared)} text is {nearly}also in {held_out.name}"

    def score(self, batch: pa.RecordBatch) -> pa.Array[Any]:
        """See :class:`Filter`."""
        self._take_digests()
        scores = np.zeros(batch.num_rows, np.uint8)
        for side, held_out in self._digests.items():
            scores += np.isin(self._digests_of(batch.column(side)), held_out)
        return pa.array(scores)

    def accept(self, scores: pa.Array[Any]) -> pa.Array[Any]:
        """See :class:`Filter`."""
        return at_most(scores, 0)

    def __getstate__(self) -> dict[str, Any]:
        self._take_digests()
        return {**vars(self), "_held_out": None}

    def _take_digests(self) -> None:
        """Read the held-out texts, once; a corpus cannot be sent to another process."""
        if self._held_out is None:
            return
        found: dict[Side, list[NDArray[np.uint64]]] = {side: [] for side in self.compared}
        for batch in self._held_out.batches():
            for side, parts in found.items():
                parts.append(self._digests_of(batch.column(side)))
        none = np.zeros(0, np.uint64)
        self._digests = {s: np.unique(np.concatenate([none, *p])) for s, p in found.items()}
        self._held_out = None

    def _digests_of(self, texts: pa.Array[Any]) -> NDArray[np.uint64]:
        form = normalised(texts) if self.normal else texts
        return np.fromiter(text_digests(form), np.uint64, len(texts))
