"""Where two files that should be aligned line by line slip against each other.

A line that is missing on one side moves all later lines by one. The search scores how well a line
fits the line beside it, and how well it would fit the line o further on, by features that survive
translation: the length (its variance grows with the length, as in Gale and Church 1993), the
digits, and the mark at the end. The line from which the differences of the two scores add up to
most is where offset o begins (the cumulative-sum estimate of a change, Page 1954). The search goes
back from the end of the files, where the offset is the difference of the two counts, change by
change to the first; so a stretch of noise in the middle is never taken for a shift. All scores are
natural logarithms.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seqloom.corpus.features import END_KINDS, Features, beside, features_of, joined, residual
from seqloom.corpus.pairs import BATCH_PAIRS

MAX_LINES = 10_000_000
"""Lines that are searched, so that memory stays bounded (nine bytes a line and side)."""

_NEAR = (1, -1, 2, -2, 3, -3)  # offsets that are tried besides the difference of the counts
_MAX_CHANGES = 100  # places where lines are missing that are followed back from the end
_CERTAIN = 8.0  # evidence needed for a shift
_LIKELY = 4.0  # evidence needed for a shift by one line that explains the counts
_FREEDOM = 5.0  # of the t distribution of length residuals: heavy tails, since corpora are noisy


@dataclass(frozen=True)
class Shift:
    """What the comparison of two files found."""

    source_lines: int
    target_lines: int
    searched: int
    """Lines that were compared."""
    line: int | None
    """First line, counted from 1, where the files look shifted; None if they do not."""


def find_shift(source: Iterable[str], target: Iterable[str]) -> Shift:
    """Compare two files with unequal numbers of lines; each iterable is read to its end."""
    (a, source_lines), (b, target_lines) = _searched(source), _searched(target)
    line = _first_shifted_line(a, b, target_lines - source_lines)
    return Shift(source_lines, target_lines, min(len(a), len(b)), line)


def spread(a: Features, b: Features, offset: int, ratio: float) -> float:
    """The standard deviation of length residuals, by their median, at an offset."""
    a, b = beside(a, b, offset)
    sizes = np.abs(residual(a, b, ratio, 1.0))
    return max(float(np.median(sizes)) / 0.6745, 0.1) if len(sizes) else float("inf")


def fit(a: Features, b: Features, ratio: float, scale: float) -> NDArray[np.float32]:
    """Log-likelihood, up to a constant, that line i of ``a`` and line i of ``b`` are a pair."""
    squared = residual(a, b, ratio, scale) ** 2
    fit = -(_FREEDOM + 1) / 2 * np.log1p(squared / _FREEDOM)
    digits = np.where(a.digits == b.digits, 4.0, -2.0)
    fit += np.where((a.digits == 0) & (b.digits == 0), 0.0, digits)
    shares = np.bincount(b.ends, minlength=END_KINDS) / max(len(b.ends), 1)
    surprise = 0.7 * np.minimum(-np.log(shares + 0.01), 3.0)
    fit += np.where(a.ends == b.ends, surprise[a.ends], -1.0)
    return fit.astype(np.float32)


def _searched(lines: Iterable[str]) -> tuple[Features, int]:
    """The features of the first :data:`MAX_LINES` lines, and how many lines there are in all."""
    iterator = iter(lines)
    searched = islice(iterator, MAX_LINES)
    parts: list[Features] = []
    while chunk := list(islice(searched, BATCH_PAIRS)):
        parts.append(features_of(pa.array(chunk, pa.string())))
    features = joined(parts)
    return features, len(features) + sum(1 for _ in iterator)


def _first_shifted_line(a: Features, b: Features, difference: int) -> int | None:
    ratio = float(b.lengths.sum() + 1) / float(a.lengths.sum() + 1)
    scale = min(spread(a, b, offset, ratio) for offset in (0, difference))
    gains = {o: _gain(a, b, o, ratio, scale) for o in dict.fromkeys((difference, *_NEAR))}
    first: int | None = None
    for _ in range(_MAX_CHANGES):
        changes = {offset: _last_change(gain[:first]) for offset, gain in gains.items()}
        if first is None:
            # The counts speak for this offset at the end of the files. But the larger it is, the
            # likelier is the other explanation: one file is simply cut off.
            evidence, index = changes[difference]
            needed = _LIKELY + 2 * math.log(abs(difference))
            changes[difference] = (evidence + _CERTAIN - needed, index)
        evidence, index = max(changes.values())
        if evidence < _CERTAIN:
            break
        first = index
    return None if first is None else first + 1


def _gain(a: Features, b: Features, offset: int, ratio: float, scale: float) -> NDArray[np.float64]:
    """How much better each line fits the one ``offset`` further on than the one beside it."""
    moved_a, moved_b = beside(a, b, offset)
    count = len(moved_a)
    moved = fit(moved_a, moved_b, ratio, scale)
    return (moved - fit(a.part(0, count), b.part(0, count), ratio, scale)).astype(np.float64)


def _last_change(gain: NDArray[np.float64]) -> tuple[float, int]:
    """The index from which the gains up to the end add up to most, and that sum."""
    if not len(gain):
        return 0.0, 0
    rest = np.cumsum(gain[::-1])[::-1]
    index = int(np.argmax(rest))
    return float(rest[index]), index
