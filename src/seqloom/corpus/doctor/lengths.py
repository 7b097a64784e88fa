"""Lengths of both sides, what is usual, and which pairs are far from it. Lengths are in characters.

How much longer a side is than expected is measured as Gale and Church (1993) did: the difference
divided by its standard deviation, which grows with the square root of the length. Ratio and
deviation are medians, so that outliers do not hide themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqloom.corpus.features import Features, residual

OUTLYING = 6.0
"""Deviations from which a pair is an outlier: in clean prose fewer than one in 5000 is."""

_QUANTILES = (5, 25, 50, 75, 95, 99)
_BARS = 40
_CLEAR = 5  # characters from which the ratio of two lengths says something
_LONGEST = 3


@dataclass(frozen=True)
class Lengths:
    """How long the texts of one side are."""

    characters: int
    mean: float
    quantiles: dict[str, float]
    """By per cent: half of the texts are no longer than ``quantiles["50"]``."""
    counts: list[int]
    """Texts in each bar of the histogram; the last one holds all that are longer."""
    longest: list[int]
    """Numbers of the pairs with the longest texts."""


@dataclass(frozen=True)
class Ratio:
    """How the lengths of the two sides go together."""

    median: float
    """Target characters a source character."""
    spread: float
    """Standard deviation of the difference, by the square root of the expected length."""
    edges: list[float]
    """Edges of the bars, as target characters a source character."""
    counts: list[int]
    outliers: int


def bar_edges(source: Features, target: Features) -> list[float]:
    """Edges of the bars of both histograms of lengths: up to the length that 99 % do not exceed."""
    if not len(source):
        return [0.0, 1.0]
    top = max(float(np.quantile(side.lengths, 0.99)) for side in (source, target))
    width = max(np.ceil(top / _BARS), 1.0)
    return [float(width * bar) for bar in range(_BARS + 1)]


def lengths_of(side: Features, edges: list[float]) -> Lengths:
    """Figures of one side."""
    lengths = side.lengths
    if not len(lengths):
        return Lengths(0, 0.0, {}, [0] * (len(edges) - 1), [])
    shown = np.minimum(lengths, edges[-1] - 0.5)
    longest = np.argsort(-lengths, kind="stable")[:_LONGEST] + 1
    return Lengths(
        characters=int(lengths.sum(dtype=np.float64)),
        mean=float(lengths.mean(dtype=np.float64)),
        quantiles={str(q): float(np.quantile(lengths, q / 100)) for q in _QUANTILES},
        counts=np.histogram(shown, edges)[0].tolist(),
        longest=longest.tolist(),
    )


def deviations(source: Features, target: Features) -> tuple[float, float, NDArray[np.float32]]:
    """The usual ratio, the usual deviation, and how many deviations each pair is away from it.

    Pairs with an empty side have a deviation of 0: that they are empty says enough.
    """
    clear = (source.lengths >= _CLEAR) & (target.lengths >= _CLEAR)
    if not clear.any():
        return 1.0, 1.0, np.zeros(len(source), np.float32)
    ratio = float(np.median(target.lengths[clear] / source.lengths[clear]))
    away = residual(source, target, ratio, 1.0)
    spread = max(float(np.median(np.abs(away[clear]))) / 0.6745, 0.1)
    filled = (source.lengths > 0) & (target.lengths > 0)
    return ratio, spread, np.where(filled, away / np.float32(spread), np.float32(0))


def ratio_of(source: Features, target: Features) -> tuple[Ratio, NDArray[np.float32]]:
    """Figures of the ratio, and the deviation of each pair."""
    ratio, spread, away = deviations(source, target)
    edges = (ratio * 2.0 ** np.linspace(-2, 2, _BARS + 1)).tolist()
    filled = (source.lengths > 0) & (target.lengths > 0)
    found = target.lengths[filled] / source.lengths[filled]
    counts = np.histogram(np.clip(found, edges[0], edges[-1] * 0.999), edges)[0]
    outliers = int((np.abs(away) > OUTLYING).sum())
    return Ratio(ratio, spread, edges, counts.tolist(), outliers), away
