"""Length penalties: longer hypotheses have more factors below one, so scores are divided by these.

The length is the number of tokens that were scored: the end counts, the beginning does not.
"""

from __future__ import annotations

from collections.abc import Callable

from seqloom.recipe import DecodingRecipe

Penalty = Callable[[int], float]
"""From a length in tokens (at least 1) to the positive, never falling divisor of a score."""


def wu(length: int, alpha: float) -> float:
    """``((5 + length) / 6) ** alpha`` (Wu et al. 2016, eq. 14)."""
    return ((5 + length) / 6) ** alpha


def average(length: int, alpha: float) -> float:
    """``length ** alpha``: with ``alpha`` 1, the score is the mean log-probability a token."""
    return float(length**alpha)


PENALTIES: dict[str, Callable[[int, float], float]] = {"wu": wu, "average": average}
"""By their name in a recipe."""


def penalty_of(options: DecodingRecipe) -> Penalty:
    """The penalty that ``options`` asks for, as a function of the length alone."""
    formula, alpha = PENALTIES[options.length_penalty], options.alpha
    return lambda length: formula(length, alpha)
