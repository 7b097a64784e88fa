"""How well a source line and a target line go together, in figures that the corpus itself teaches.

Five things are looked at: the difference in length, the digits, the marks at the end, and how many
learned pairs of words are there on both sides and on one side only. For each, its distribution over
pairs is set against its distribution over strangers; the logarithm of the two chances, added up, is
the evidence that two lines are a pair. So what tells nothing in this corpus weighs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqloom.corpus.doctor.wordpairs import Bits
from seqloom.corpus.features import END_KINDS, Features, residual

_DEVIATIONS = np.array(
    [-6, -4, -3, -2.5, -2, -1.5, -1, -0.6, -0.3, 0, 0.3, 0.6, 1, 1.5, 2, 2.5, 3, 4, 6]
)
_BOTH, _ONE = 10, 12  # counts of word pairs that are told apart
_SIZES = (len(_DEVIATIONS) + 1, 3, END_KINDS**2, _BOTH * _ONE)
_LARGEST = 5.0  # evidence of one feature, at most: so that no single one decides
_LEAST = 500  # lines from which it can be told what a pair looks like
_FAR = (2, 3, 5)  # strangers are taken from half, a third and a fifth of the corpus away

UNRELATED = -4.0
"""Evidence below which two sides have too little in common: 55 times likelier for strangers."""

Cells = tuple[NDArray[np.uint8], ...]
"""For each feature, the number of the cell of its histogram that each pair of lines falls into."""


@dataclass(frozen=True)
class Lines:
    """What is kept of the lines of both sides [N]."""

    source: Features
    target: Features
    source_bits: Bits
    target_bits: Bits
    weights: NDArray[np.float32]
    """What the evidence of each line counts: one of several equal neighbours tells nothing new."""
    ratio: float
    spread: float

    def __len__(self) -> int:
        return len(self.source)

    def cells(self, offset: int, start: int = 0, stop: int | None = None) -> Cells:
        """Cells of the source lines from ``start`` to ``stop`` beside the target lines ``offset``
        further on; only of those that have a line beside them."""
        start, stop = self.bounds(offset, start, len(self) if stop is None else stop)
        moved = slice(start + offset, stop + offset)
        a = self.source.part(start, stop - start)
        b = self.target.part(start + offset, stop - start)
        away = residual(a, b, self.ratio, self.spread)
        words = self.source_bits[start:stop], self.target_bits[moved]
        both = np.bitwise_count(words[0] & words[1]).sum(1)
        one = np.bitwise_count(words[0] ^ words[1]).sum(1)
        digits = np.where((a.digits == 0) & (b.digits == 0), 0, 1 + (a.digits != b.digits))
        return (
            np.searchsorted(_DEVIATIONS, away, "right").astype(np.uint8),
            digits.astype(np.uint8),
            a.ends * np.uint8(END_KINDS) + b.ends,
            (np.minimum(both, _BOTH - 1) * _ONE + np.minimum(one, _ONE - 1)).astype(np.uint8),
        )

    def bounds(self, offset: int, start: int, stop: int) -> tuple[int, int]:
        """``start`` and ``stop``, so that there are target lines ``offset`` further on."""
        start = max(start, -offset)
        return start, max(min(stop, len(self) - offset), start)


def weights_of(source: NDArray[np.uint64], target: NDArray[np.uint64]) -> NDArray[np.float32]:
    """One divided by the number of neighbours with the same text, given digests of both sides."""
    runs = np.maximum(_run_lengths(source), _run_lengths(target))
    return (1 / runs).astype(np.float32)


def common_ground(lines: Lines, parts: Iterable[tuple[int, int, int]]) -> NDArray[np.float64]:
    """The evidence that each two lines, as they stand, are a pair and not strangers [N].

    Args:
        lines: all lines.
        parts: (start, stop, offset) of those that are in place, for what pairs look like.
    """
    count = len(lines)
    if count < _LEAST:
        return np.zeros(count)
    far = [sign * (count // part) for part in _FAR for sign in (1, -1)]
    pairs = (lines.cells(offset, start, stop) for start, stop, offset in parts)
    return Evidence(pairs, (lines.cells(offset) for offset in far)).of(lines.cells(0))


class Evidence:
    """Tables of evidence, learned from lines that are mostly pairs.

    Args:
        pairs: cells of lines that are pairs, most of them.
        strangers: cells of lines that are not.
    """

    def __init__(self, pairs: Iterable[Cells], strangers: Iterable[Cells]) -> None:
        together, apart = _histograms(pairs), _histograms(strangers)
        self._tables = [
            np.clip(np.log((a + 1) / (b / max(b.sum(), 1) * a.sum() + 1)), -_LARGEST, _LARGEST)
            for a, b in zip(together, apart, strict=True)
        ]

    def of(self, cells: Cells) -> NDArray[np.float64]:
        """The evidence that each two lines are a pair; above 0: rather a pair than strangers."""
        total = np.zeros(len(cells[0]))
        for table, cell in zip(self._tables, cells, strict=True):
            total += table[cell]
        return total

    def along(
        self, lines: Lines, offset: int, start: int = 0, stop: int | None = None
    ) -> NDArray[np.float64]:
        """The weighted evidence for the source lines from ``start`` to ``stop`` at an offset."""
        found = self.of(lines.cells(offset, start, stop))
        start, _ = lines.bounds(offset, start, len(lines))
        return found * lines.weights[start : start + len(found)]


def _run_lengths(digests: NDArray[np.uint64]) -> NDArray[np.float32]:
    new = np.ones(len(digests), np.bool_)
    new[1:] = digests[1:] != digests[:-1]
    runs = np.cumsum(new) - 1
    return np.bincount(runs)[runs].astype(np.float32) if len(runs) else np.zeros(0, np.float32)


def _histograms(many: Iterable[Cells]) -> list[NDArray[np.float64]]:
    counts = [np.zeros(size) for size in _SIZES]
    for cells in many:
        for count, cell in zip(counts, cells, strict=True):
            count += np.bincount(cell, minlength=len(count))
    return counts
