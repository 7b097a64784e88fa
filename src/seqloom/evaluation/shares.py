"""How far a share would move with other sentences: Wilson's interval for clustered cases.

Cases of one sentence resemble each other, so n of them say less than n drawn one by one. They are
counted as n / deff cases, deff being the variance of the share between sentences over that of
independent cases (Kish 1965), 1 at least; then Wilson's interval (1927) holds as well (Korn and
Graubard 1998; Dean and Pagano 2015).

Axes: N sentences, ... figures side by side.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


def deviations(confidence: float) -> float:
    """How many standard deviations either way hold a normal value with this probability."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def wilson(share: Numbers, n: Numbers, z: float) -> tuple[Numbers, Numbers]:
    """Both ends of Wilson's interval of shares [...] of n cases [...]; 0 and 1 of none.

    Args:
        share: hits over cases.
        n: cases, or effective cases.
        z: standard deviations, from :func:`deviations`.
    """
    n = np.maximum(n, 1e-9)
    middle = share + z**2 / (2 * n)
    spread = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    low, high = (middle - spread) / (1 + z**2 / n), (middle + spread) / (1 + z**2 / n)
    return np.clip(low, 0, 1), np.clip(high, 0, 1)


def effective(hits: Numbers, n: Numbers) -> Numbers:
    """How many independent cases those of N sentences are worth [...].

    Args:
        hits: of each sentence [N ...].
        n: cases of each sentence [N ...].
    """
    total = n.sum(axis=0)
    share = hits.sum(axis=0) / np.maximum(total, 1)
    number = np.maximum((n > 0).sum(axis=0), 2)
    between = ((hits - share * n) ** 2).sum(axis=0) * number / (number - 1)
    alone = share * (1 - share) * total
    with np.errstate(divide="ignore", invalid="ignore"):
        design = np.where(alone > 0, between / alone, 1.0)
    return total / np.maximum(design, 1)
