"""Which rows of a store with several corpora make up an epoch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seqloom.corpus.groups import Group, shares

BLOCK = 256
"""Neighbouring rows that stay together when an epoch is put together."""


def blocks_of_epoch(
    groups: Sequence[Group], temperature: float, seed: int, epoch: int
) -> NDArray[np.int64]:
    """First rows of the blocks of one epoch, in no order: about as many rows as the store has.

    Each corpus goes through all its blocks, in an order by chance, before one comes again, also
    from one epoch to the next: none of a large corpus is passed over for ever.
    """
    rows = sum(map(len, groups))
    found = []
    for number, (group, share) in enumerate(zip(groups, shares(groups, temperature), strict=True)):
        starts = np.arange(group.start, group.stop, BLOCK)
        if not len(starts):
            continue
        # Sums are rounded, not shares, so that half a block an epoch is one in two epochs.
        wanted = share * rows * len(starts) / len(group)
        begin, end = round(epoch * wanted), round((epoch + 1) * wanted)
        for turn in range(begin // len(starts), -(-end // len(starts))):
            order = np.random.default_rng((seed, number, turn)).permutation(starts)
            first = turn * len(starts)
            found.append(order[max(begin - first, 0) : end - first])
    return np.concatenate(found)
