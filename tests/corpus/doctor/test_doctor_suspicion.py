"""How signs are weighed."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from seqloom.corpus.doctor.suspicion import density, weigh

MARKS = {
    "rare": np.array([True] + [False] * 99),
    "common": np.array([True] * 50 + [False] * 50),
    "never": np.zeros(100, np.bool_),
}


def test_a_sign_weighs_as_much_as_it_is_rare():
    found = weigh(MARKS, {})
    assert found.of(0) == pytest.approx({"rare": math.log(100), "common": math.log(2)})
    assert list(found.of(0)) == ["rare", "common"]
    assert found.of(49) == pytest.approx({"common": math.log(2)})
    assert found.of(50) == {}
    assert found.scores[0] == pytest.approx(math.log(200))
    assert found.scores[99] == 0


def test_the_more_extreme_the_more_surprising():
    extremes = {"common": np.arange(100)[::-1].astype(float)}
    found = weigh(MARKS, extremes)
    assert found.of(0)["common"] == pytest.approx(math.log(100))
    assert found.of(1)["common"] == pytest.approx(math.log(50))
    assert found.of(49)["common"] == pytest.approx(math.log(2))


def test_equal_extremes_surprise_equally():
    found = weigh({"same": np.ones(4, np.bool_)}, {"same": np.array([1.0, 1.0, 1.0, 5.0])})
    assert found.signs["same"].surprises.tolist() == pytest.approx([0, 0, 0, math.log(4)])


def test_the_worst_come_first_and_those_left_out_not_at_all():
    found = weigh(MARKS, {})
    none = np.zeros(100, np.bool_)
    assert found.worst(none)[:3] == [0, 1, 2]
    assert len(found.worst(none)) == 50
    without = none.copy()
    without[0] = True
    assert found.worst(without)[0] == 1
    assert found.examples("common")[0] == 0
    assert found.examples("never") == []


@settings(deadline=None)
@given(arrays.arrays(np.float64, st.integers(1, 700), elements=st.floats(0, 1)))
def test_parts_of_the_corpus_average_to_the_whole(values):
    parts = density(values)
    assert len(parts) == min(len(values), 240)
    assert min(values) - 1e-9 <= min(parts)
    assert max(parts) <= max(values) + 1e-9
    if len(values) % len(parts) == 0:
        assert np.mean(parts) == pytest.approx(values.mean())
