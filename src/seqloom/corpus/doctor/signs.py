"""Signs that something is wrong with a pair, one filter or question each.

A sign is yes or no for each pair. What is a sign of trouble in one corpus is a habit in another
(digits here and words there), so how much a sign weighs is found out later, from how rare it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seqloom.corpus.doctor.identification import foreign
from seqloom.corpus.doctor.wordpairs import Bits, WordPairs
from seqloom.corpus.filters import (
    ControlFilter,
    EmptyFilter,
    Filter,
    IdenticalFilter,
    NumbersFilter,
    PlaceholderFilter,
    RepetitionFilter,
    ScriptFilter,
)

SAYS = {
    "shifted": "in a stretch where one side is shifted against the other",
    "empty": "a side is empty",
    "identical": "both sides are the same",
    "language": "a side is in another language",
    "script": "a side is in a script that its language is not written in",
    "ratio": "one side is much longer than the other suggests",
    "unrelated": "the two sides have less in common than strangers",
    "numbers": "numbers on one side only",
    "placeholders": "placeholders or tags on one side only",
    "control": "characters that belong in no text",
    "repetition": "the same again and again",
}
"""All signs, in the order of the report, and what each says. Those that a filter of the same name
drops are named like it."""

Codes = tuple[str | None, str | None]
"""Languages of source and target, where known."""

Marks = NDArray[np.bool_]


class SignReader:
    """Reads the signs of batches, and what the search for stretches needs of their texts.

    Args:
        languages: what the sides are written in, for their scripts.
        expected: what the identifier should find.
        pairs: words that show whether two lines belong together.
        every: the language of one in so many pairs is identified.
    """

    def __init__(self, languages: Codes, expected: Codes, pairs: WordPairs, every: int = 1) -> None:
        self._filters: tuple[Filter, ...] = (
            EmptyFilter(),
            IdenticalFilter(),
            ScriptFilter(*languages),
            NumbersFilter(0.0),
            PlaceholderFilter(),
            ControlFilter(),
            RepetitionFilter(),
        )
        self._expected = expected
        self._pairs = pairs
        self._every = every
        self._read = 0
        self._marks: dict[str, list[Marks]] = {rule.name: [] for rule in self._filters}
        self._foreign: dict[int, tuple[str | None, str | None]] = {}
        self._bits: tuple[list[Bits], list[Bits]] = ([], [])

    def add(self, batch: pa.RecordBatch) -> None:
        """Read the next batch of the corpus."""
        for rule in self._filters:
            refused = ~rule.accept(rule.score(batch)).to_numpy(zero_copy_only=False)
            self._marks[rule.name].append(refused)
        sources: list[Any] = batch.column("source").to_pylist()
        targets: list[Any] = batch.column("target").to_pylist()
        self._bits[0].append(self._pairs.source_bits(sources))
        self._bits[1].append(self._pairs.target_bits(targets))
        for row in range(-self._read % self._every, len(sources), self._every):
            found = self._languages(sources[row], targets[row])
            if any(found):
                self._foreign[self._read + row] = found
        self._read += len(sources)

    def marks(self) -> dict[str, Marks]:
        """For each sign read here, which pairs have it [N]."""
        found = {
            name: np.concatenate([np.zeros(0, np.bool_), *m]) for name, m in self._marks.items()
        }
        language = np.zeros(self._read, np.bool_)
        language[list(self._foreign)] = True
        return {**found, "language": language}

    def foreign(self) -> dict[int, tuple[str | None, str | None]]:
        """For pairs (counted from 0) in another language, that of source and of target, or None."""
        return self._foreign

    def bits(self) -> tuple[Bits, Bits]:
        """The learned words of all source texts and of all target texts."""
        source, target = (np.concatenate([self._pairs.source_bits([]), *b]) for b in self._bits)
        return source, target

    def _languages(self, source: str, target: str) -> tuple[str | None, str | None]:
        here, there = self._expected
        return here and foreign(source, here), there and foreign(target, there)
