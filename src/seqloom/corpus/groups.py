"""Several corpora in one token store: where each begins, and how often each is seen.

A corpus of n pairs is drawn with a chance that is proportional to n^(1/T) (Arivazhagan et al. 2019,
section 4.2): T = 1 keeps the natural shares, a large T makes all equal. A corpus may have a fixed
share instead, as a back-translated one does.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqloom.corpus.store import TokenStore

_KEY = "corpora"


@dataclass(frozen=True)
class Group:
    """The rows of one corpus in a store."""

    start: int
    stop: int
    share: float | None = None
    """Fixed share of the pairs seen; by temperature if None."""

    def __len__(self) -> int:
        return self.stop - self.start


def describe(groups: Sequence[Group]) -> dict[str, str]:
    """Metadata for a store that holds these groups one after the other."""
    return {_KEY: json.dumps([{"pairs": len(g), "share": g.share} for g in groups])}


def make_groups(sizes: Sequence[int], fixed: Sequence[float | None]) -> list[Group]:
    """Groups of so many rows each, one after the other, with their fixed shares."""
    groups, start = [], 0
    for size, share in zip(sizes, fixed, strict=True):
        groups.append(Group(start, start + size, share))
        start += size
    return groups


def groups_of(store: TokenStore) -> list[Group]:
    """The corpora of a store; one, if it does not tell."""
    told = json.loads(store.metadata.get(_KEY, "[]")) or [{"pairs": len(store), "share": None}]
    groups = make_groups(*zip(*((g["pairs"], g["share"]) for g in told), strict=True))
    assert groups[-1].stop == len(store), "the store has other rows than its corpora"
    return groups


def shares(groups: Sequence[Group], temperature: float) -> NDArray[np.float64]:
    """Share of the pairs seen that comes from each corpus; they add up to 1."""
    fixed = np.array([group.share or 0.0 for group in groups])
    free = np.array([0.0 if group.share else len(group) ** (1 / temperature) for group in groups])
    if not free.any():
        return fixed / fixed.sum()
    return fixed + max(1.0 - float(fixed.sum()), 0.0) * free / free.sum()
