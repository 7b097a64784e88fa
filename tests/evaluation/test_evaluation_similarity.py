"""Rank correlation with people: by hand, by a plain loop, by gensim; its interval by a published
example and by drawing."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.evaluation.similarity import interval, similarity
from seqloom.evaluation.wordsets import Pairs, read_similarities
from seqloom.text.vectors import WordVectors

TURN = math.pi / 180


def on_a_circle(angles: dict[str, float]) -> WordVectors:
    """Words as directions in the plane, in degrees; lengths differ and must not matter."""
    rows = [
        [(i + 1) * math.cos(angle * TURN), (i + 1) * math.sin(angle * TURN)]
        for i, angle in enumerate(angles.values())
    ]
    return WordVectors(list(angles), np.array(rows))


def ranks(values: list[float]) -> list[float]:
    """Places in order, equal values sharing the mean of theirs."""
    return [
        sum(other < value for other in values) + (sum(other == value for other in values) + 1) / 2
        for value in values
    ]


def plain_spearman(xs: list[float], ys: list[float]) -> float:
    a, b = ranks(xs), ranks(ys)
    mean = (len(a) + 1) / 2
    over = sum((x - mean) * (y - mean) for x, y in zip(a, b, strict=True))
    return over / math.sqrt(sum((x - mean) ** 2 for x in a) * sum((y - mean) ** 2 for y in b))


def gensim_spearman(vectors: WordVectors, path: Path) -> tuple[float, float]:
    """Spearman, and the share of unknown pairs in percent, by gensim on the same numbers."""
    from gensim.models import KeyedVectors

    theirs = KeyedVectors(vectors.width, dtype=np.float64)
    theirs.add_vectors(vectors.words, vectors.matrix.astype(np.float64))
    _, spearman, unknown = theirs.evaluate_word_pairs(str(path), restrict_vocab=None)
    return float(spearman[0]), float(unknown)


def test_a_correlation_worked_by_hand():
    # Cosines fall with the angle: 10, 20, 30, 40, 50 degrees have the ranks 5 4 3 2 1; people's
    # grades 9, 7, 8, 1, 2 have 5 3 4 1 2. Sum of squared differences 4; 1 - 6 * 4 / (5 * 24) = 0.8.
    vectors = on_a_circle({"o": 0, "a": 10, "b": 20, "c": 30, "d": 40, "e": 50})
    pairs = Pairs("hand", tuple(("o", w) for w in "abcde"), (9, 7, 8, 1, 2))
    found = similarity(vectors, pairs)
    assert found.spearman == pytest.approx(0.8, abs=1e-15)
    assert (found.asked, found.covered, found.unknown) == (5, 5, ())


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(4, 40), st.integers(2, 6))
def test_agrees_with_a_plain_loop(seed, number, scale):
    chance = np.random.default_rng(seed)
    words = [f"w{i}" for i in range(12)]
    vectors = WordVectors(words, chance.normal(size=(12, 3)))
    rows = tuple((words[a], words[b]) for a, b in chance.integers(0, 12, (number, 2)))
    grades = tuple(chance.integers(0, scale, number).astype(float).tolist())
    found = similarity(vectors, Pairs("p", rows, grades)).spearman
    unit = vectors.matrix.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    known = {word: unit[i] for i, word in enumerate(words)}
    # Rounded, so that a pair and its reverse are equal, as are all words and themselves.
    cosines = [round(float(known[a] @ known[b]), 12) for a, b in rows]
    if len(set(cosines)) == 1 or len(set(grades)) == 1:
        assert found is None
    else:
        assert found == pytest.approx(plain_spearman(cosines, list(grades)), abs=1e-12)


def without_repeats(pairs: Pairs) -> Pairs:
    """A pair and its reverse are equally near; gensim's rounding puts them into some order."""
    rows = {
        frozenset(word.lower() for word in row): (row, grade)
        for row, grade in zip(pairs.words, pairs.grades, strict=True)
    }
    words, grades = zip(*rows.values(), strict=True)
    return Pairs(pairs.name, words, grades)


def check_against_gensim(vectors: WordVectors, pairs: Pairs, folder: Path) -> None:
    path = folder / "pairs.txt"
    rows = zip(pairs.words, pairs.grades, strict=True)
    path.write_text("\n".join(f"{a}\t{b}\t{grade}" for (a, b), grade in rows), encoding="utf-8")
    found = similarity(vectors, pairs)
    expected, unknown = gensim_spearman(vectors, path)
    assert found.spearman == pytest.approx(expected, abs=1e-12)
    assert 100 * (1 - found.covered / found.asked) == pytest.approx(unknown, abs=1e-12)
    assert 0 < found.covered < found.asked


def test_agrees_with_gensim(tmp_path):
    chance = np.random.default_rng(3)
    words = [f"word{i}" for i in range(80)]
    rows = [chance.choice(words, 2, replace=False) for _ in range(300)]
    pairs = Pairs("p", tuple((a.upper(), b) for a, b in rows), tuple(chance.uniform(0, 9, 300)))
    vectors = WordVectors(words[:70], chance.normal(size=(70, 20)))
    check_against_gensim(vectors, without_repeats(pairs), tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "EN-WS-353-ALL", "EN-MEN-TR-3k", "EN-SimVerb-3500", "EN-RW-STANFORD", "EN-VERB-143",
        "multilingual/wordsim353-russian", "multilingual/wordsim353-german-sim", "zh/240",
    ],
)  # fmt: skip
def test_published_sets_as_gensim_measures_them(real_data, tmp_path, name):
    pairs = read_similarities(real_data / "wordsim" / f"{name}.txt")
    chance = np.random.default_rng(11)
    words = list(dict.fromkeys(word.lower() for pair in pairs.words for word in pair))
    known = words[: len(words) * 9 // 10]
    vectors = WordVectors(known, chance.normal(size=(len(known), 50)))
    check_against_gensim(vectors, without_repeats(pairs), tmp_path)
    found = similarity(vectors, pairs)
    assert {word.lower() for word in found.unknown} == set(words) - set(known)


def test_words_beside_themselves_share_the_highest_rank():
    chance = np.random.default_rng(0)
    words = [f"w{i}" for i in range(200)]
    vectors = WordVectors(words, chance.normal(size=(200, 7)))
    pairs = Pairs("p", (*((w, w) for w in words[:199]), ("w0", "w1")), (1.0,) * 199 + (0.0,))
    assert similarity(vectors, pairs).spearman == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(
    ("rows", "grades"),
    [
        ((("a", "b"), ("a", "c"), ("b", "c")), (1, 2, 3)),
        ((("a", "b"), ("a", "c"), ("b", "c"), ("a", "x"), ("x", "y")), (1, 2, 3, 4, 5)),
        ((("a", "b"), ("a", "c"), ("b", "c"), ("c", "d")), (2, 2, 2, 2)),
        ((("a", "a"), ("b", "b"), ("c", "c"), ("d", "d")), (1, 2, 3, 4)),
        ((("x", "y"),), (1,)),
    ],
)
def test_too_little_for_a_figure(rows, grades):
    vectors = on_a_circle({"a": 0, "b": 10, "c": 40, "d": 50})
    found = similarity(vectors, Pairs("p", rows, grades))
    assert (found.spearman, found.low, found.high) == (None, None, None)
    assert found.asked == len(rows)


def test_coverage_unknown_words_and_case():
    vectors = on_a_circle({"tiger": 0, "cat": 10, "book": 100, "paper": 120})
    rows = (("Tiger", "cat"), ("book", "Paper"), ("cat", "CD"), ("CD", "book"), ("x", "cat"))
    found = similarity(vectors, Pairs("p", rows, (1, 2, 3, 4, 5)))
    assert (found.covered, found.unknown, found.lower) == (2, ("CD", "x"), True)
    kept = similarity(vectors, Pairs("p", rows, (1, 2, 3, 4, 5)), case="keep")
    assert (kept.covered, kept.lower) == (0, False)
    assert kept.unknown == ("Tiger", "Paper", "CD", "x")


def test_a_vector_of_zeros_is_like_nothing():
    vectors = WordVectors(["o", "a", "b", "z"], np.array([[1, 0], [2, 1], [1, 2], [0, 0]]))
    rows = (("o", "a"), ("o", "b"), ("o", "z"), ("a", "b"))
    assert similarity(vectors, Pairs("p", rows, (8, 4, 0, 7))).spearman == pytest.approx(1)


def test_interval_is_that_of_a_published_example():
    # The example of ci.spear in the R package statpsych, which is by the author of the method.
    y = [21, 4, 9, 12, 35, 18, 10, 22, 24, 1, 6, 8, 13, 16, 19]
    x = [67, 28, 30, 28, 52, 40, 25, 37, 44, 10, 14, 20, 28, 40, 51]
    assert interval(plain_spearman(x, y), 15) == pytest.approx((0.5840951, 0.9638297), abs=1e-7)


@pytest.mark.parametrize("correlation", [0.0, 0.6])
def test_interval_holds_the_truth_nineteen_times_of_twenty(correlation):
    chance = np.random.default_rng(7)
    truth = 6 / math.pi * math.asin(correlation / 2)  # of a bivariate normal distribution
    samples = chance.multivariate_normal([0, 0], [[1, correlation], [correlation, 1]], (4000, 50))
    places = samples.argsort(axis=1).argsort(axis=1)
    inside = 0
    for x, y in places.transpose(0, 2, 1):
        low, high = interval(float(np.corrcoef(x, y)[0, 1]), 50)
        inside += low < truth < high
    assert 0.94 < inside / 4000 < 0.965


def test_ends_of_the_interval_stand_around_the_figure():
    vectors = on_a_circle({"o": 0, "a": 10, "b": 20, "c": 30, "d": 40, "e": 50})
    pairs = Pairs("hand", tuple(("o", w) for w in "abcde"), (9, 7, 8, 1, 2))
    found = similarity(vectors, pairs)
    assert (found.low, found.high) == interval(found.spearman, 5)
    assert -1 < found.low < 0.8 < found.high < 1
    assert interval(1.0, 9) == (1, 1)
    assert interval(-1.0, 9) == (-1, -1)
