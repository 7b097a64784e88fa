"""Course of the learning rate: linear warm-up, then a decay. Pure functions of the update."""

from __future__ import annotations

import math

from seqloom.recipe import Optimization


def rate_share(recipe: Optimization, update: int, updates: int) -> float:
    """The learning rate of update ``update`` (from 1) of ``updates``, as a share of the highest.

    ============  =================================================================
    inverse_sqrt  sqrt(warmup / update) (Vaswani et al. 2017, eq. 3)
    cosine        half a cosine down to 0 at the last update (Loshchilov and Hutter 2017)
    linear        a straight line down to 0 at the last update
    constant      the highest rate
    wsd           the highest rate, then a straight line down to 0 (Hu et al. 2024)
    ============  =================================================================
    """
    warmup = recipe.warmup
    if update < warmup:
        return update / warmup
    if recipe.schedule == "inverse_sqrt":
        return math.sqrt(max(warmup, 1) / update)
    done = min(1.0, (update - warmup) / max(1, updates - warmup))
    if recipe.schedule == "cosine":
        return (1 + math.cos(math.pi * done)) / 2
    if recipe.schedule == "linear":
        return 1 - done
    if recipe.schedule == "wsd":
        return min(1.0, (updates - update) / max(1.0, recipe.decay * updates))
    return 1.0
