"""Alignment error rate by hand, its interval by scipy, and two directions made one."""

from __future__ import annotations

import random

import numpy as np
import pytest
from scipy.stats import bootstrap

from seqloom.corpus.alignments import Gold
from seqloom.errors import EvaluationError
from seqloom.evaluation.alignment import agreement, alignment, symmetrize


def gold(sure: set[tuple[int, int]], possible: set[tuple[int, int]] | None = None) -> Gold:
    return Gold(frozenset(sure), frozenset(sure | (possible or set())))


def test_figures_by_hand() -> None:
    """|A| = 4, |S| = 3, |A & S| = 2, |A & P| = 3."""
    right = [gold({(0, 0), (1, 1)}, {(2, 1)}), gold({(0, 0)})]
    found = alignment([{(0, 0), (2, 1), (2, 2)}, {(0, 0)}], right)
    assert (found.pairs, found.links, found.sure) == (2, 4, 3)
    assert found.precision == pytest.approx(75)
    assert found.recall == pytest.approx(200 / 3)
    assert found.aer == pytest.approx(100 * (1 - (2 + 3) / (4 + 3)))
    assert found.low <= found.aer <= found.high
    assert found.as_dict()["aer"] == found.aer


def test_the_ends() -> None:
    right = [gold({(0, 0), (1, 1)}, {(1, 0)})]
    assert alignment([{(0, 0), (1, 1), (1, 0)}], right).aer == 0
    assert alignment([set()], right).aer == 100
    assert alignment([{(5, 5)}], right).aer == 100
    assert alignment([set()], right).precision == 0


def test_what_cannot_be_compared() -> None:
    with pytest.raises(EvaluationError, match="alignments of 1 pairs, gold of 2"):
        alignment([set()], [gold({(0, 0)})] * 2)
    with pytest.raises(EvaluationError, match="no sure link"):
        alignment([{(0, 0)}], [gold(set(), {(0, 0)})])


def test_the_interval_is_that_of_scipy() -> None:
    chance = random.Random(1)
    pool = [(i, j) for i in range(5) for j in range(5)]
    found = [set(chance.sample(pool, 6)) for _ in range(40)]
    right = [gold(set(chance.sample(pool, 5)), set(chance.sample(pool, 5))) for _ in range(40)]
    rows = np.array(
        [
            (len(a), len(g.sure), len(a & g.sure) + len(a & g.possible))
            for a, g in zip(found, right, strict=True)
        ]
    )

    def rate(numbers: np.ndarray) -> float:
        links, sure, hits = rows[numbers].sum(axis=0)
        return 100 * (1 - hits / (links + sure))

    theirs = bootstrap(
        (np.arange(40),), rate, n_resamples=4000, method="percentile", vectorized=False, rng=1
    ).confidence_interval
    ours = alignment(found, right, samples=4000)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.7)
    assert ours.high - ours.low > 5


FORWARD = {(0, 0), (1, 1), (2, 3), (4, 4)}
BACKWARD = {(0, 0), (1, 2), (2, 3), (3, 3), (5, 6)}


def test_symmetries_by_hand() -> None:
    """Both have 0-0 and 2-3. 1-1 touches 0-0, 1-2 touches 2-3, and so does 3-3, whose source word
    has none; 4-4 then touches 3-3. Nothing touches 5-6."""
    assert symmetrize(FORWARD, BACKWARD, "intersection") == {(0, 0), (2, 3)}
    assert symmetrize(FORWARD, BACKWARD, "union") == FORWARD | BACKWARD
    grown = FORWARD | BACKWARD - {(5, 6)}
    assert symmetrize(FORWARD, BACKWARD, "grow-diag") == grown
    assert symmetrize(FORWARD, BACKWARD, "grow-diag-final") == grown | {(5, 6)}
    assert symmetrize(FORWARD, BACKWARD, "grow-diag-final-and") == grown | {(5, 6)}


def test_final_and_asks_that_both_words_are_free() -> None:
    forward, backward = {(0, 0), (0, 5)}, {(0, 0), (7, 7)}
    assert symmetrize(forward, backward, "grow-diag") == {(0, 0)}
    assert symmetrize(forward, backward, "grow-diag-final") == {(0, 0), (0, 5), (7, 7)}
    assert symmetrize(forward, backward, "grow-diag-final-and") == {(0, 0), (7, 7)}


@pytest.mark.parametrize(
    "how", ["intersection", "union", "grow-diag", "grow-diag-final", "grow-diag-final-and"]
)
def test_every_symmetry_lies_between_intersection_and_union(how: str) -> None:
    chance = random.Random(2)
    pool = [(i, j) for i in range(6) for j in range(6)]
    for _ in range(50):
        first, second = (set(chance.sample(pool, 7)) for _ in range(2))
        found = symmetrize(first, second, how)  # type: ignore[arg-type]
        assert first & second <= found <= first | second
        assert symmetrize(first, first, how) == first  # type: ignore[arg-type]


def test_agreement() -> None:
    assert agreement([FORWARD], [FORWARD]) == 100
    assert agreement([FORWARD], [BACKWARD]) == pytest.approx(100 * 2 * 2 / 9)
    assert agreement([set()], [set()]) == 0
