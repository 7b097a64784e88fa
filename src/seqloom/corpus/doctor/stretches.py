"""Stretches of a corpus in which line i of the source belongs to line i + o of the target.

The search knows how well lines go together at every offset (:mod:`seqloom.corpus.doctor.evidence`).
Where the evidence for an offset, against the lines as they stand, adds up to much, there is a
stretch: its ends are where the sum was lowest before and highest after (the cumulative-sum test of
Page 1954). Offsets that claim the same lines are then set against each other, and against the
chance that these lines fit nowhere: what is merely noise is no shift.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from seqloom.corpus.doctor.evidence import Evidence, Lines
from seqloom.corpus.features import Features, beside
from seqloom.corpus.shift import fit, spread

FURTHEST = 10
"""Offsets that are tried, either way."""

_OFFSETS = tuple(sign * size for size in range(1, FURTHEST + 1) for sign in (1, -1))
_LEAST = 100  # lines from which there is enough to learn from
_ENOUGH = 1_000_000  # lines that tell the usual offset
_CERTAIN = 12.0  # evidence for a stretch, beside what many tries may give by chance
_MARGIN = 2 * FURTHEST  # lines on either side of a candidate that may belong to it
_TIE = 1e-6  # evidence against a shift of lines that fit as well where they are
_ROUNDS = 5  # each learns from what the one before found to be in place, until nothing changes


Part = tuple[int, int, int]
"""Start and stop of source lines, counted from 0, and the offset of their target lines."""


@dataclass(frozen=True)
class Stretch:
    """Neighbouring pairs whose sides are shifted against each other."""

    first: int
    """Number of its first pair, from 1."""
    last: int
    offset: int
    """The target of pair i stands ``offset`` pairs further on (before, if negative)."""
    evidence: float
    """Natural logarithm of how much likelier the shift is."""


@dataclass(frozen=True)
class Search:
    """What the search for stretches found."""

    stretches: list[Stretch]
    """In the order of the corpus."""
    needed: int | None
    """A stretch of about this many pairs would have been found; None: nothing can be."""


def usual_offset(source: Features, target: Features) -> int:
    """The offset at which most lines go together, by lengths, digits and ends: usually 0."""
    if len(source) < _LEAST:
        return 0
    a, b = source.part(0, _ENOUGH), target.part(0, _ENOUGH)
    ratio = float(b.lengths.sum() + 1) / float(a.lengths.sum() + 1)
    scale = min(spread(a, b, offset, ratio) for offset in (0, *_OFFSETS))
    return max(
        (0, *_OFFSETS),
        key=lambda offset: float(fit(*beside(a, b, offset), ratio, scale).mean()),
    )


def find_stretches(lines: Lines, usual: int = 0) -> Search:
    """Find the stretches that are shifted.

    Args:
        lines: features of all pairs.
        usual: the offset at which most lines go together.
    """
    if len(lines) < _LEAST:
        return Search([], None)
    certain = _CERTAIN + math.log(len(_OFFSETS) * len(lines))
    evidence = _learn(lines, [(0, len(lines), usual)])
    found: list[Stretch] = []
    for _ in range(_ROUNDS):
        before, found = found, _search(lines, evidence, certain)
        evidence = _learn(lines, in_place(found, len(lines)))
        if _places(found) == _places(before):
            break
    return Search(found, _needed(lines, evidence, in_place(found, len(lines)), certain))


def shifted(stretches: list[Stretch], count: int) -> NDArray[np.bool_]:
    """Which of ``count`` pairs are in a stretch."""
    inside = np.zeros(count, np.bool_)
    for stretch in stretches:
        inside[stretch.first - 1 : stretch.last] = True
    return inside


def in_place(found: list[Stretch], count: int) -> list[Part]:
    """The whole corpus as parts at whose offsets lines are pairs: stretches, and all between."""
    parts: list[Part] = []
    done = 0
    for stretch in found:
        parts.append((done, stretch.first - 1, 0))
        parts.append((stretch.first - 1, stretch.last, stretch.offset))
        done = stretch.last
    return [part for part in (*parts, (done, count, 0)) if part[0] < part[1]]


def _places(found: list[Stretch]) -> list[tuple[int, int, int]]:
    return [(stretch.first, stretch.last, stretch.offset) for stretch in found]


def _learn(lines: Lines, parts: list[Part]) -> Evidence:
    """Evidence from parts at whose offsets lines are pairs; their neighbours are the strangers."""
    strangers = (
        lines.cells(offset + other, start, stop)
        for start, stop, offset in parts
        for other in _OFFSETS
    )
    return Evidence((lines.cells(offset, *part) for *part, offset in parts), strangers)


def _search(lines: Lines, evidence: Evidence, certain: float) -> list[Stretch]:
    """Where shifts may be by the sums for each offset alone, then which of them they are."""
    here = evidence.along(lines, 0)
    candidates: list[Part] = []
    for offset in _OFFSETS:
        start, stop = lines.bounds(offset, 0, len(lines))
        there = evidence.along(lines, offset)
        rises = [
            # Against the lines as they stand: long stretches with little evidence a line ...
            (first, last)
            for first, last in _rises(there - here[start:stop], certain)
            if there[first:last].sum() > certain
        ]
        # ... and against strangers too: stretches next to others, where lines as they stand fit
        # badly at every offset.
        rises += _rises(there - np.maximum(here[start:stop], 0), certain)
        candidates += [(start + first, start + last, offset) for first, last in rises]
    found: list[Stretch] = []
    for start, stop, offsets in _regions(candidates, len(lines)):
        found += _stretches(lines, evidence, start, stop, offsets, certain)
    return found


def _regions(candidates: list[Part], count: int) -> list[tuple[int, int, tuple[int, ...]]]:
    """Candidates that meet, joined: (start, stop, offsets), with some lines on either side."""
    regions: list[tuple[int, int, tuple[int, ...]]] = []
    for start, stop, offset in sorted(candidates):
        start, stop = max(start - _MARGIN, 0), min(stop + _MARGIN, count)
        if regions and start <= regions[-1][1]:
            first, last, offsets = regions.pop()
            regions.append((first, max(last, stop), tuple({*offsets, offset})))
        else:
            regions.append((start, stop, (offset,)))
    return regions


def _stretches(
    lines: Lines,
    evidence: Evidence,
    start: int,
    stop: int,
    offsets: tuple[int, ...],
    certain: float,
) -> list[Stretch]:
    """The stretches of one region: the best way through it, line by line."""
    kinds = (0, *sorted(offsets))
    scores = np.zeros((stop - start, len(kinds) + 1))  # the last kind: strangers at any offset
    for kind, offset in enumerate(kinds):
        first, last = lines.bounds(offset, start, stop)
        scores[:, kind] = -certain
        scores[first - start : last - start, kind] = evidence.along(lines, offset, start, stop)
    scores[:, 1:] -= _TIE
    # Outside of the region, lines are in place.
    scores[0, 1:] -= certain / 2 if start > 0 else 0
    scores[-1, 1:] -= certain / 2 if stop < len(lines) else 0
    found: list[Stretch] = []
    for first, last, kind in _runs(best_path(scores, certain / 2), len(kinds)):
        if 0 < kind < len(kinds):
            own = scores[first:last, kind]
            gain = float(min(own.sum(), (own - scores[first:last, 0]).sum()))
            if gain > certain:
                found.append(Stretch(start + first + 1, start + last, kinds[kind], gain))
    return found


def _runs(path: NDArray[np.int64], strangers: int) -> list[tuple[int, int, int]]:
    """Lines of one kind each: (start, stop, kind). Strangers inside a stretch do not part it."""
    edges = [0, *(np.flatnonzero(np.diff(path)) + 1).tolist(), len(path)]
    runs: list[tuple[int, int, int]] = []
    for first, last in pairwise(edges):
        kind = int(path[first])
        inside = len(runs) > 1 and runs[-1][2] == strangers and runs[-2][2] == kind
        if inside:
            runs.pop()
            first = runs.pop()[0]
        runs.append((first, last, kind))
    return runs


def best_path(scores: NDArray[np.float64], cost: float) -> NDArray[np.int64]:
    """The kind of each line that makes the sum of its scores largest (Viterbi 1967).

    Args:
        scores: of each line for each kind [N, kinds].
        cost: of going over to another kind.
    """
    count, kinds = scores.shape
    same = np.arange(kinds)
    before = np.zeros((count, kinds), np.int8)
    value = scores[0].copy()
    for line in range(1, count):
        best = int(value.argmax())
        other = value[best] - cost
        before[line] = np.where(value < other, best, same)
        value = np.maximum(value, other) + scores[line]
    path = np.zeros(count, np.int64)
    path[-1] = value.argmax()
    for line in range(count - 1, 0, -1):
        path[line - 1] = before[line, path[line]]
    return path


def _rises(gain: NDArray[np.float64], least: float) -> list[tuple[int, int]]:
    """Parts (start, stop) whose gains add up to more than ``least`` and that no end makes less."""
    total = np.concatenate(([0.0], np.cumsum(gain)))
    above = total - np.minimum.accumulate(total)
    lows = np.flatnonzero(above == 0)
    highs = np.maximum.reduceat(above, lows)
    found: list[tuple[int, int]] = []
    for number in np.flatnonzero(highs > least).tolist():
        start = int(lows[number])
        stop = int(lows[number + 1]) if number + 1 < len(lows) else len(total)
        while start < stop:
            part = total[start:stop]
            # A fall this deep parts two stretches, even if the sum stays above its low.
            falls = np.flatnonzero(np.maximum.accumulate(part) - part > least)
            cut = int(falls[0]) if len(falls) else len(part)
            top = int(np.argmax(part[:cut]))
            bottom = top - int(np.argmin(part[top::-1]))
            if part[top] - part[bottom] > least:
                found.append((start + bottom, start + top))
            start += cut
    return found


def _needed(lines: Lines, evidence: Evidence, parts: list[Part], certain: float) -> int | None:
    """Pairs that are enough for certainty, by the evidence that a pair in place gives."""
    own = beside_it = 0.0
    for start, stop, offset in parts:
        own += float(evidence.along(lines, offset, start, stop).sum())
        beside_it += float(evidence.along(lines, offset + 1, start, stop).sum())
    each = min(own, own - beside_it) / len(lines)
    return math.ceil(certain / each) if each > certain / len(lines) else None
