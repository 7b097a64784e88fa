"""How suspicious each pair is: the surprises of its signs, added up.

The surprise of a sign is the natural logarithm of how rare it is: a sign that one pair in a hundred
has weighs 4.6, one in a million 13.8. For lengths, and for how little two sides have in common, it
is how rare a value as extreme as this one is. A sign that half of the corpus has hardly counts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqloom.corpus.doctor.signs import Marks

SHOWN = 100
"""Suspicious pairs in the record."""

_CELLS = 240  # parts of the corpus that are told apart in the picture of it
_EXAMPLES = 5


@dataclass(frozen=True)
class Sign:
    """Which pairs have a sign, and how much it surprises."""

    pairs: NDArray[np.int64]
    """Counted from 0, in order."""
    surprises: NDArray[np.float64]


@dataclass(frozen=True)
class Suspicions:
    """What speaks against the pairs of a corpus."""

    signs: dict[str, Sign]
    scores: NDArray[np.float64]
    """The surprises of all signs of each pair, added up [N]."""

    def worst(self, without: Marks) -> list[int]:
        """The most suspicious pairs, counted from 0, but for those of ``without``."""
        scores = np.where(without, 0.0, self.scores)
        order = np.argsort(-scores, kind="stable")[:SHOWN]
        return order[scores[order] > 0].tolist()

    def examples(self, name: str) -> list[int]:
        """The most suspicious pairs with a sign, counted from 0."""
        pairs = self.signs[name].pairs
        return pairs[np.argsort(-self.scores[pairs], kind="stable")[:_EXAMPLES]].tolist()

    def of(self, pair: int) -> dict[str, float]:
        """The signs of a pair and their surprises, the greatest first."""
        found: dict[str, float] = {}
        for name, sign in self.signs.items():
            place = int(np.searchsorted(sign.pairs, pair))
            if place < len(sign.pairs) and sign.pairs[place] == pair:
                found[name] = float(sign.surprises[place])
        return dict(sorted(found.items(), key=lambda item: -item[1]))


def weigh(marks: Mapping[str, Marks], extremes: Mapping[str, NDArray[Any]]) -> Suspicions:
    """Weigh the signs of all pairs.

    Args:
        marks: for each sign, which pairs have it [N].
        extremes: for some of the signs, how extreme each pair is in this respect [N].
    """
    count = len(next(iter(marks.values())))
    scores = np.zeros(count)
    signs: dict[str, Sign] = {}
    for name, mark in marks.items():
        pairs = np.flatnonzero(mark)
        if name in extremes:
            surprises = _tail(extremes[name][pairs], count)
        else:
            surprises = np.full(len(pairs), math.log(count / max(len(pairs), 1)))
        signs[name] = Sign(pairs, surprises)
        scores[pairs] += surprises
    return Suspicions(signs, scores)


def density(values: NDArray[Any]) -> list[float]:
    """The means of the parts of a corpus, one after the other."""
    edges = np.linspace(0, len(values), min(_CELLS, len(values)) + 1).astype(np.int64)
    return [float(part.mean()) for part in np.split(values.astype(np.float64), edges[1:-1])]


def _tail(values: NDArray[Any], count: int) -> NDArray[np.float64]:
    """Logarithms of how rare values as large as these are among ``count`` pairs."""
    as_large = len(values) - np.searchsorted(np.sort(values), values, "left")
    return np.log(count / as_large)
