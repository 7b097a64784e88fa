"""The paired test against sacrebleu's own, with a planted difference and with none."""

from __future__ import annotations

import random

import numpy as np
import pytest
from sacrebleu.metrics import BLEU, CHRF, TER
from sacrebleu.significance import PairedTest

from seqloom.errors import EvaluationError
from seqloom.evaluation import bootstrap
from seqloom.evaluation.bootstrap import interval, paired, resample
from seqloom.evaluation.scorers import ExactScorer

WORDS = ["the", "cat", "dog", "house", "sees", "runs", "under", "over", "big", "small", "red"]


def sentences(count: int, seed: int) -> list[str]:
    chance = random.Random(seed)
    return [" ".join(chance.choices(WORDS, k=chance.randint(5, 12))) for _ in range(count)]


def damaged(lines: list[str], share: float, seed: int) -> list[str]:
    """The lines with that share of words replaced."""
    chance = random.Random(seed)
    return [
        " ".join("wrong" if chance.random() < share else word for word in line.split())
        for line in lines
    ]


@pytest.mark.parametrize(("name", "metric"), [("bleu", BLEU()), ("chrf", CHRF()), ("ter", TER())])
def test_agrees_with_sacrebleus_paired_test(name, metric):
    references = sentences(60, 1)
    ours, baseline = damaged(references, 0.20, 2), damaged(references, 0.25, 3)
    systems = [("baseline", baseline), ("ours", ours)]
    _, scores = PairedTest(systems, {name: metric}, [references], "bs", 300)()
    (label,) = set(scores) - {"System"}
    expected_b, expected_a = scores[label]
    found = paired(ours, baseline, references, name, samples=300)
    assert found.a == pytest.approx(expected_a.score)
    assert found.b == pytest.approx(expected_b.score)
    assert found.p_value == pytest.approx(expected_a.p_value, abs=0.01)


def test_planted_difference_is_found():
    references = sentences(150, 1)
    found = paired(damaged(references, 0.1, 2), damaged(references, 0.3, 3), references)
    assert found.delta == pytest.approx(found.a - found.b)
    assert found.p_value < 0.01
    assert 0 < found.low < found.delta < found.high


def test_equal_quality_is_no_difference():
    references = sentences(150, 1)
    found = paired(damaged(references, 0.2, 2), damaged(references, 0.2, 3), references)
    assert found.p_value > 0.05
    assert found.low < 0 < found.high


def test_a_system_against_itself():
    references = sentences(20, 1)
    system = damaged(references, 0.2, 2)
    found = paired(system, system, references, samples=100)
    assert (found.delta, found.low, found.high, found.p_value) == (0, 0, 0, 1)


def test_swapping_the_systems_turns_the_sign():
    references = sentences(40, 1)
    one, other = damaged(references, 0.1, 2), damaged(references, 0.3, 3)
    there, back = paired(one, other, references), paired(other, one, references)
    assert (back.delta, back.low, back.high) == (-there.delta, -there.high, -there.low)
    assert there.p_value == back.p_value


def test_draws_in_blocks_are_the_same(monkeypatch):
    statistics = ExactScorer().statistics(["a", "b", "c"] * 5, ["a", "x", "c"] * 5)
    whole = resample(ExactScorer(), statistics, 101, seed=7)
    monkeypatch.setattr(bootstrap, "_DRAWN_AT_ONCE", 40)
    assert resample(ExactScorer(), statistics, 101, seed=7).tolist() == whole.tolist()


def test_interval_leaves_out_a_fortieth_at_each_end():
    assert interval(np.arange(1000.0)[::-1]) == (25, 974)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["a"], ["a", "b"], ["a"]), "2 baseline hypotheses but 1 references"),
        ((["a"], ["a"], ["a", "b"]), "1 hypotheses but 2 references"),
        (([], [], []), "no sentences to compare"),
        ((["a"], ["a"], ["a"], "bleu", 0), "0 bootstrap samples"),
    ],
)
def test_mistakes(arguments, message):
    with pytest.raises(EvaluationError, match=message):
        paired(*arguments)
