"""Similarity: do vectors put pairs of words into the order in which people put them?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seqloom.evaluation.words import Case, lowers, rows_of
from seqloom.evaluation.wordsets import Pairs

if TYPE_CHECKING:
    from seqloom.text.vectors import WordVectors

FEWEST = 4
"""Pairs without which there is no figure: its interval would not be defined."""

_NORMAL = 1.959963984540054  # below it lie 97.5 % of the standard normal distribution


@dataclass(frozen=True)
class Similarity:
    """Agreement of cosines with people's grades."""

    name: str
    asked: int
    covered: int
    """Pairs whose two words are known; the others do not count."""
    spearman: float | None
    """Rank correlation, -1 to 1; None: too few pairs, or all cosines or all grades are equal."""
    low: float | None
    """Lower end of its 95 % interval: see :func:`interval`."""
    high: float | None
    """Upper end."""
    unknown: tuple[str, ...]
    """Words of the pairs that are not known, in the order of the set."""
    lower: bool
    """The pairs were put into lower case."""


def similarity(vectors: WordVectors, pairs: Pairs, *, case: Case = "auto") -> Similarity:
    """Spearman's rank correlation between the cosines of pairs of words and people's grades.

    Args:
        vectors: of the words.
        pairs: see :func:`seqloom.evaluation.wordsets.read_similarities`.
        case: ``auto``, ``lower`` or ``keep``: see :func:`seqloom.evaluation.words.lowers`.

    Raises:
        EvaluationError: another ``case``.
    """
    lower = lowers(vectors, case)
    words = dict.fromkeys(word for pair in pairs.words for word in pair)
    rows = rows_of(vectors, words, lower)
    covered = [place for place, (a, b) in enumerate(pairs.words) if a in rows and b in rows]
    known = [[rows[word] for word in pairs.words[place]] for place in covered]
    first, second = np.array(known, dtype=np.int64).reshape(-1, 2).T
    grades = np.array([pairs.grades[place] for place in covered])
    spearman = rank_correlation(_cosines(vectors.matrix, first, second), grades)
    low, high = (None, None) if spearman is None else interval(spearman, len(covered))
    unknown = tuple(word for word in words if word not in rows)
    return Similarity(
        pairs.name, len(pairs.words), len(covered), spearman, low, high, unknown, lower
    )


def interval(spearman: float, pairs: int) -> tuple[float, float]:
    """The 95 % confidence interval of a rank correlation over so many pairs, at least four.

    Fisher's z with the standard error of Bonett and Wright (2000, Psychometrika 65, 23-28),
    sqrt((1 + r²/2) / (n - 3)). It says how far the figure would move with other pairs of words,
    not with another training.
    """
    if abs(spearman) >= 1:
        return spearman, spearman
    margin = _NORMAL * math.sqrt((1 + spearman**2 / 2) / (pairs - 3))
    z = math.atanh(spearman)
    return math.tanh(z - margin), math.tanh(z + margin)


def rank_correlation(
    cosines: NDArray[np.float64], grades: Sequence[float] | NDArray[np.float64]
) -> float | None:
    """Spearman's, -1 to 1; None for too few pairs, or where all cosines or all grades are equal."""
    if len(grades) < FEWEST or np.ptp(cosines) == 0 or np.ptp(grades) == 0:
        return None
    from scipy.stats import spearmanr

    return float(spearmanr(cosines, grades).statistic)


def _cosines(
    matrix: NDArray[np.float32], first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Cosines of pairs of rows, in double precision: ranks turn on small differences."""
    a, b = matrix[first].astype(np.float64), matrix[second].astype(np.float64)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    products = (a * b).sum(axis=1)
    cosines = np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)
    cosines[first == second] = 1  # rounding would put an order among words beside themselves
    return cosines
