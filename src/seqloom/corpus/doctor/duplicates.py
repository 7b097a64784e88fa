"""Pairs that repeat each other, and texts with more than one translation.

Texts are known by digests. Memory: 24 bytes a pair, and as much again while it is sorted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seqloom.corpus.digest import text_digests

_GROUPS = 5  # groups of equal pairs that are shown
_SHOWN = 4  # pairs that are shown of each
_ODD = np.uint64(0x9E3779B97F4A7C15)  # an odd factor, so that no bit of the source's digest is lost

Digests = NDArray[np.uint64]
Numbers = NDArray[np.int64]
"""Numbers of pairs, from 1."""


class Keys(NamedTuple):
    """Digests of pairs [N]: of the source, of the target, and of both."""

    source: Digests
    target: Digests
    pair: Digests


@dataclass(frozen=True)
class Repeats:
    """Pairs that are equal in one sense or another."""

    pairs: int
    """Pairs that repeat an earlier one."""
    examples: list[list[int]]
    """Numbers of equal pairs, the largest groups first."""


@dataclass(frozen=True)
class Variants:
    """Texts of one side that stand beside different texts of the other."""

    texts: int
    pairs: int
    """Pairs that such texts are in."""
    examples: list[list[int]]
    """Numbers of pairs that share a text and differ beside it, the largest groups first."""


def keys_of(sources: pa.Array[Any], targets: pa.Array[Any]) -> Keys:
    """The digests of two columns of texts."""
    source, target = (
        np.fromiter(text_digests(texts), np.uint64, len(texts)) for texts in (sources, targets)
    )
    return Keys(source, target, source * _ODD + target)


def repeats(digests: Digests) -> tuple[Repeats, Numbers]:
    """Which of the digests come more than once, and the numbers of those that came before."""
    order = np.argsort(digests, kind="stable")
    starts, sizes = _groups(digests[order])
    again = np.ones(len(order), np.bool_)
    again[starts] = False
    examples = [
        (order[starts[group] : starts[group] + _SHOWN] + 1)[: sizes[group]].tolist()
        for group in _largest(sizes)
    ]
    return Repeats(int(again.sum()), examples), np.sort(order[again]) + 1


def variants(texts: Digests, beside: Digests, filled: NDArray[np.bool_]) -> Variants:
    """Which ``texts`` stand beside more than one of the other side's.

    Args:
        texts: digests of one side.
        beside: digests of the other side.
        filled: False for pairs with an empty side, which are left out.
    """
    places = np.flatnonzero(filled)
    order = places[np.lexsort((beside[places], texts[places]))]
    new = np.ones(len(order), np.bool_)  # the first pair with this text and this one beside it
    new[1:] = (texts[order[1:]] != texts[order[:-1]]) | (beside[order[1:]] != beside[order[:-1]])
    distinct = order[new]
    starts, sizes = _groups(texts[distinct])
    several = np.zeros(len(distinct), np.bool_)
    several[np.repeat(sizes, sizes) > 1] = True
    examples = [
        np.sort(distinct[starts[group] : starts[group] + min(sizes[group], _SHOWN)] + 1).tolist()
        for group in _largest(sizes)
    ]
    _, copies = _groups(np.cumsum(new))
    return Variants(int((sizes > 1).sum()), int(copies[several].sum()), examples)


def _groups(ordered: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each group of equal entries begins, and how many it has."""
    new = np.ones(len(ordered), np.bool_)
    new[1:] = ordered[1:] != ordered[:-1]
    starts = np.flatnonzero(new)
    return starts, np.diff(np.append(starts, len(ordered)))


def _largest(sizes: NDArray[np.int64]) -> list[int]:
    order = np.argsort(-sizes, kind="stable")[:_GROUPS]
    return order[sizes[order] > 1].tolist()
