"""Which texts of a held-out set also occur in the corpus: scores on such a set say too much.

A text counts as the same if it is equal, or as alike if it is equal after normalisation. Memory
grows with the held-out set, not with the corpus.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seqloom.corpus.doctor.duplicates import Digests, Keys, Numbers, keys_of
from seqloom.corpus.normal_form import normalised
from seqloom.corpus.pairs import Corpus

_EXAMPLES = 3  # of each kind


@dataclass(frozen=True)
class Same:
    """Pairs of the held-out set of which a side, or both together, occur in the corpus."""

    source: int
    target: int
    pair: int


@dataclass(frozen=True)
class Leak:
    """A held-out pair and one of the pairs of the corpus that give it away."""

    held_out: int
    """Number of the pair in the held-out set, from 1."""
    pair: int
    """Number of the pair in the corpus, from 1."""
    what: str
    """``pair``, ``source`` or ``target``."""
    equal: bool
    """False: equal after normalisation only."""


@dataclass(frozen=True)
class Leakage:
    """What of one held-out set is in the corpus."""

    name: str
    pairs: int
    equal: Same
    alike: Same
    """Equal ones counted too."""
    corpus_pairs: int
    """Pairs of the corpus with a text of the held-out set, on its side, after normalisation."""
    examples: list[Leak]


class _Seen:
    """Digests that are looked for, and the number of the first pair of the corpus that has them."""

    def __init__(self, wanted: Digests) -> None:
        self.wanted = wanted
        self._values = np.setdiff1d(wanted, _nothing())
        self._first = np.zeros(len(self._values), np.int64)

    def look(self, digests: Digests, numbers: Numbers) -> NDArray[np.bool_]:
        """Note the pairs that are found; returns which of ``digests`` are among the wanted."""
        places, found = self._find(digests)
        new = found & (self._first[places] == 0) if len(self._values) else found
        # Backwards, so that of several pairs the first one stays.
        self._first[places[new][::-1]] = numbers[new][::-1]
        return found

    def first(self) -> NDArray[np.int64]:
        """For each of the wanted, the first pair that has it; 0: none."""
        places, found = self._find(self.wanted)
        return np.where(found, self._first[places], 0) if len(self._values) else places

    def _find(self, digests: Digests) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        if not len(self._values):
            return np.zeros(len(digests), np.int64), np.zeros(len(digests), np.bool_)
        places = np.minimum(np.searchsorted(self._values, digests), len(self._values) - 1)
        return places, self._values[places] == digests


def _nothing() -> Digests:
    """The digests of an empty text, and of a pair of two: these give nothing away."""
    empty = pa.array([""])
    return np.concatenate(keys_of(empty, empty))


@dataclass
class LeakSearch:
    """Looks for one held-out set while the corpus goes by."""

    name: str
    held_out: Corpus
    _seen: dict[tuple[bool, str], _Seen] = field(default_factory=dict)
    _pairs: int = 0
    _found: list[Numbers] = field(default_factory=list)

    def open(self) -> None:
        """Read the held-out set.

        Raises:
            CorpusError: it cannot be read.
        """
        columns: list[tuple[Keys, Keys]] = []
        for batch in self.held_out.batches():
            columns.append(both_keys(batch))
            self._pairs += batch.num_rows
        for position, equal in enumerate((True, False)):
            for what in Keys._fields:
                parts = [getattr(keys[position], what) for keys in columns]
                wanted = np.concatenate(parts) if parts else np.zeros(0, np.uint64)
                self._seen[equal, what] = _Seen(wanted)

    def look(self, equal: Keys, alike: Keys, numbers: Numbers) -> None:
        """Compare some pairs of the corpus, given their digests and their numbers from 1."""
        found = np.zeros(len(numbers), np.bool_)
        for what in Keys._fields:
            self._seen[True, what].look(getattr(equal, what), numbers)
            same = self._seen[False, what].look(getattr(alike, what), numbers)
            found |= same
        self._found.append(numbers[found])

    def findings(self) -> Leakage:
        """What was found so far."""
        counts = {key: int((seen.first() > 0).sum()) for key, seen in self._seen.items()}
        equal, alike = (
            Same(*(counts[sense, what] for what in Keys._fields)) for sense in (True, False)
        )
        examples = self._examples()
        return Leakage(self.name, self._pairs, equal, alike, len(self.numbers()), examples)

    def numbers(self) -> Numbers:
        """The pairs of the corpus that were found."""
        return np.concatenate([np.zeros(0, np.int64), *self._found])

    def _examples(self) -> list[Leak]:
        """Some of each kind, equal ones first; what is there as a pair is no example of a side."""
        found: list[Leak] = []
        told = np.zeros(self._pairs, np.bool_)
        for what in Keys._fields[::-1]:
            equal, alike = (self._seen[sense, what].first() for sense in (True, False))
            new = (alike > 0) & ~told
            told |= new
            rows = [*np.flatnonzero(new & (equal > 0)), *np.flatnonzero(new & (equal == 0))]
            found += [
                Leak(int(row) + 1, int(equal[row] or alike[row]), what, bool(equal[row]))
                for row in rows[:_EXAMPLES]
            ]
        return found


def both_keys(batch: pa.RecordBatch) -> tuple[Keys, Keys]:
    """The digests of a batch as it stands, and after normalisation."""
    sides: list[Any] = [batch.column("source"), batch.column("target")]
    return keys_of(*sides), keys_of(*(normalised(side) for side in sides))
