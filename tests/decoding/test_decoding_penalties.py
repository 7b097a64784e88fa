from __future__ import annotations

import pytest

from seqloom.decoding.hypothesis import Hypothesis, best_first
from seqloom.decoding.penalties import PENALTIES, average, penalty_of, wu
from seqloom.recipe import DecodingRecipe


def test_values_by_hand():
    assert wu(1, 1.0) == 1.0
    assert wu(7, 1.0) == 2.0
    assert wu(19, 0.5) == 2.0
    assert average(9, 0.5) == 3.0
    assert average(4, 1.0) == 4.0


@pytest.mark.parametrize("formula", PENALTIES.values(), ids=PENALTIES)
def test_every_penalty_is_positive_and_never_falls(formula):
    for alpha in (0.0, 0.3, 1.0, 2.0):
        values = [formula(length, alpha) for length in range(1, 60)]
        assert values[0] > 0
        assert values == sorted(values)
        if not alpha:
            assert set(values) == {1.0}


def test_the_recipe_names_the_penalty():
    assert penalty_of(DecodingRecipe(length_penalty="wu", alpha=1.0))(7) == 2.0
    assert penalty_of(DecodingRecipe(length_penalty="average", alpha=2.0))(3) == 9.0


def test_a_hypothesis_counts_eos_in_its_length_but_not_in_its_ids():
    finished = Hypothesis.of([7, 8, 2], [-1.0, -2.0, -3.0], lambda length: float(length), 2)
    assert finished == Hypothesis((7, 8), -6.0, -2.0, (-1.0, -2.0, -3.0), True)
    cut = Hypothesis.of([7, 8], [-1.0, -2.0], lambda length: float(length), 2)
    assert cut == Hypothesis((7, 8), -3.0, -1.5, (-1.0, -2.0), False)
    assert best_first([cut, finished]) == [finished, cut]
