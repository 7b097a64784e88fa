"""Lengths, their ratio, and what is far from usual."""

import numpy as np
import pyarrow as pa
import pytest

from seqloom.corpus.doctor.lengths import OUTLYING, bar_edges, lengths_of, ratio_of
from seqloom.corpus.features import features_of


def side(lengths):
    return features_of(pa.array(["x" * length for length in lengths], pa.string()))


def test_figures_of_a_side():
    features = side([0, 10, 20, 30, 40])
    found = lengths_of(features, bar_edges(features, features))
    assert (found.characters, found.mean) == (100, 20)
    assert found.quantiles["50"] == 20
    assert found.longest == [5, 4, 3]
    assert sum(found.counts) == 5


def test_the_last_bar_holds_what_is_longer():
    features = side([*range(1, 200), 100_000])
    edges = bar_edges(features, features)
    assert edges[-1] < 300
    found = lengths_of(features, edges)
    assert sum(found.counts) == 200
    assert found.counts[-1] >= 1


@pytest.mark.parametrize("factor", [0.3, 1.0, 2.5])
def test_the_ratio_is_found_and_outliers_do_not_hide_it(factor):
    rng = np.random.default_rng(1)
    source = rng.integers(20, 120, 1000)
    target = np.maximum(source * factor + rng.normal(0, 1, 1000) * np.sqrt(source * factor), 1)
    target[:100] = 3000
    ratio, away = ratio_of(side(source), side(target.astype(int)))
    assert ratio.median == pytest.approx(factor, rel=0.05)
    assert (np.abs(away) > OUTLYING).tolist() == [True] * 100 + [False] * 900
    assert ratio.outliers == 100
    assert sum(ratio.counts) == 1000


def test_empty_sides_are_no_outliers():
    ratio, away = ratio_of(side([0, 50, 50, 50]), side([50, 50, 50, 50]))
    assert away[0] == 0
    assert ratio.outliers == 0
    assert sum(ratio.counts) == 3


def test_a_corpus_of_nothing_but_empty_and_tiny_texts():
    ratio, away = ratio_of(side([0, 1, 2]), side([0, 0, 3]))
    assert ratio.outliers == 0
    assert not away.any()
