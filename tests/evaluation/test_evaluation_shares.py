"""Intervals of shares against scipy, and what cases of one sentence are worth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, norm

from seqloom.evaluation.shares import deviations, effective, wilson


def test_deviations_are_those_of_the_normal_distribution() -> None:
    for confidence in (0.5, 0.95, 0.9999):
        assert deviations(confidence) == pytest.approx(norm.ppf((1 + confidence) / 2))


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99999])
def test_wilson_is_scipys(confidence: float) -> None:
    hits, n = np.array([0, 3, 50, 99, 100]), np.array([10, 7, 100, 100, 100])
    low, high = wilson(hits / n, n, deviations(confidence))
    for index in range(len(n)):
        test = binomtest(int(hits[index]), int(n[index]))
        theirs = test.proportion_ci(confidence, method="wilson")
        assert (low[index], high[index]) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_of_no_cases_nothing_is_known() -> None:
    low, high = wilson(np.array(0.0), np.array(0.0), 1.96)
    assert low == 0
    assert high == pytest.approx(1, abs=1e-6)


def test_cases_that_say_the_same_count_once() -> None:
    """Ten copies of each of many independent cases are worth about the cases alone."""
    chance = np.random.default_rng(1)
    hits = 10.0 * (chance.random(4000) < 0.3)
    worth = effective(hits, np.full(4000, 10.0))
    assert worth == pytest.approx(4000, rel=0.02)


def test_independent_cases_count_in_full() -> None:
    chance = np.random.default_rng(2)
    n = chance.integers(1, 30, 3000).astype(float)
    hits = chance.binomial(n.astype(int), 0.4).astype(float)
    assert effective(hits, n) == pytest.approx(n.sum(), rel=0.08)
    assert effective(hits, n) <= n.sum()


def test_figures_side_by_side_and_a_share_without_variance() -> None:
    n = np.array([[4.0, 4.0, 0.0], [6.0, 6.0, 0.0]])
    hits = np.array([[4.0, 4.0, 0.0], [6.0, 0.0, 0.0]])
    assert effective(hits, n).tolist() == [10, pytest.approx(10 / 10.0, rel=0.1), 0]


def test_the_interval_covers_the_truth() -> None:
    """Of clustered cases, where Wilson's own interval is far too narrow."""
    chance = np.random.default_rng(3)
    inside = naive = 0
    for _ in range(300):
        rates = chance.beta(1, 1, 60)
        hits, n = chance.binomial(20, rates).astype(float), np.full(60, 20.0)
        share = hits.sum() / n.sum()
        low, high = wilson(share, effective(hits, n), deviations(0.95))
        inside += bool(low <= 0.5 <= high)
        low, high = wilson(share, n.sum(), deviations(0.95))
        naive += bool(low <= 0.5 <= high)
    assert 270 <= inside <= 297
    assert naive < 200
