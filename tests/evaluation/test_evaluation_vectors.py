"""Several sets and several trainings: figures, their spread, and the score of early stopping."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import mean, stdev

import numpy as np
import pytest

from seqloom.errors import EvaluationError, VectorsError
from seqloom.evaluation.analogies import analogies
from seqloom.evaluation.similarity import similarity
from seqloom.evaluation.vectors import SCORE, Evaluation, evaluate_vectors, scorer
from seqloom.evaluation.wordsets import read_questions, read_sets, read_similarities
from seqloom.text.vectors import WordVectors

WORDS = [f"w{i}" for i in range(12)]


def pairs(chance: np.random.Generator, known: int, foreign: int) -> str:
    """A similarity set with so many pairs of known words and so many of unknown ones."""
    rows = [chance.choice(WORDS, 2, replace=False) for _ in range(known)]
    rows += [(f"вода{number}", "w1") for number in range(foreign)]
    return "\n".join(f"{a}\t{b}\t{chance.uniform():.3f}" for a, b in rows)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An analogy set and two similarity sets, and one of which next to nothing is covered."""
    chance = np.random.default_rng(1)
    asked = [" ".join(chance.choice(WORDS, 4, replace=False)) for _ in range(400)]
    lines = [": family", *asked[:200], ": gram1", *asked[200:], "w0 w1 w2 Unknown"]
    texts = {
        "asked": "\n".join(lines),
        "elsewhere": pairs(chance, 9, 82),
        "far": pairs(chance, 80, 0),
        "near": pairs(chance, 9, 81),  # a tenth, which is enough
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8")
    return tmp_path


def some_vectors(seed: int) -> WordVectors:
    return WordVectors(WORDS, np.random.default_rng(seed).normal(size=(12, 4)))


def evaluated(folder: Path, *seeds: int) -> list[Evaluation]:
    named = [(f"seed{seed}", some_vectors(seed)) for seed in seeds]
    return list(evaluate_vectors(named, read_sets([folder])).each)


def values(found: Evaluation) -> dict[str, float | None]:
    return {f"{figure.set}/{figure.part}": figure.value for figure in found.figures()}


def test_figures_are_those_of_the_sets(folder):
    (found,) = evaluated(folder, 2)
    assert (found.name, found.words, found.lower) == ("seed2", 12, True)
    figures = {f"{figure.set}/{figure.part}": figure for figure in found.figures()}
    assert list(figures) == [
        *(f"asked/{part}" for part in ("family", "gram1", "semantic", "syntactic", "total")),
        *(f"{name}/spearman" for name in ("elsewhere", "far", "near")),
    ]
    total = analogies(some_vectors(2), read_questions(folder / "asked.txt")).total
    figure = figures["asked/total"]
    assert (figure.asked, figure.covered, figure.value) == (401, 400, total.accuracy)
    far = similarity(some_vectors(2), read_similarities(folder / "far.txt"))
    figure = figures["far/spearman"]
    assert [figure.value, figure.low, figure.high] == [
        pytest.approx(100 * each) for each in (far.spearman, far.low, far.high)
    ]
    assert found.unknown() == ["Unknown", *(f"вода{number}" for number in range(82))]


def test_score_is_the_mean_over_sets_of_which_a_tenth_is_covered(folder):
    (found,) = evaluated(folder, 2)
    figures = values(found)
    assert figures["elsewhere/spearman"] is not None
    counted = [figures["asked/total"], figures["far/spearman"], figures["near/spearman"]]
    assert found.score() == pytest.approx(mean(counted))


def test_scorer_gives_the_score(folder):
    (found,) = evaluated(folder, 3)
    score = scorer([folder])
    assert score(some_vectors(3)) == found.score()
    assert score(some_vectors(4)) != found.score()
    only = scorer([folder / "far.txt"])(some_vectors(3))
    assert only == values(found)["far/spearman"]


def test_scorer_hands_its_options_on(folder):
    asked = folder / "asked.txt"
    expected = analogies(some_vectors(3), read_questions(asked), restrict=8).total.accuracy
    assert scorer([asked], restrict=8)(some_vectors(3)) == expected
    told = []
    scorer([asked], progress=lambda *seen: told.append(seen))(some_vectors(3))
    assert told[-1] == ("answering asked", 12, 12)
    with pytest.raises(EvaluationError, match="unknown case 'no'"):
        scorer([asked], case="no")(some_vectors(3))


def test_scorer_without_anything_to_go_by(folder):
    with pytest.raises(EvaluationError, match="no sets to evaluate"):
        scorer([])
    with pytest.raises(VectorsError, match=r"less than a tenth .* 12 words; unknown are вода0, в"):
        scorer([folder / "elsewhere.txt"])(some_vectors(3))


def test_spread_over_seeds(folder):
    each = evaluated(folder, 1, 2, 3, 4)
    spread = evaluate_vectors(
        ((one.name, some_vectors(int(one.name[4:]))) for one in each), read_sets([folder])
    ).spread()
    tables = [values(one) | {SCORE: one.score()} for one in each]
    assert set(spread) == set(tables[0])
    for name, found in spread.items():
        column = [table[name] for table in tables]
        assert found.mean == pytest.approx(mean(column))
        assert found.deviation == pytest.approx(stdev(column))
    assert spread["asked/total"].deviation > 0


def test_one_training_has_no_spread_and_a_missing_figure_none(folder):
    sets = read_sets([folder / "asked.txt", folder / "far.txt"])
    one = ("one", some_vectors(1))
    assert evaluate_vectors([one], sets).spread() == {}
    few = ("few", WordVectors(WORDS[:3], np.eye(3)))
    spread = evaluate_vectors([one, few], sets).spread()
    assert "asked/total" not in spread


def test_vectors_are_taken_one_after_the_other(folder):
    steps = []

    def opened():
        for seed in (1, 2):
            steps.append(seed)
            yield f"seed{seed}", some_vectors(seed)

    def seen(stage, done, total, note=""):
        steps.append(stage)

    evaluate_vectors(opened(), read_sets([folder]), progress=seen)
    assert list(dict.fromkeys(steps)) == [1, "answering asked", 2]


def test_record_is_plain_json_with_version_and_counts(folder):
    named = [(f"seed{seed}", some_vectors(seed)) for seed in (1, 2)]
    found = evaluate_vectors(named, read_sets([folder]))
    record = json.loads(json.dumps(found.as_dict()))
    assert (record["kind"], record["version"]) == ("word vectors", 1)
    assert [one["name"] for one in record["vectors"]] == ["seed1", "seed2"]
    one = record["vectors"][0]
    (asked,) = one["analogies"]
    assert asked["total"]["accuracy"] == values(found.each[0])["asked/total"]
    assert [part["name"] for part in asked["syntactic"]["sections"]] == ["gram1"]
    assert asked["syntactic"]["asked"] == 201
    assert (asked["unknown"], asked["answering"], asked["lower"]) == (1, 12, True)
    assert "unknown_words" not in asked
    assert [each["unknown"] for each in one["similarities"]] == [82, 0, 81]
    assert -1 < one["similarities"][1]["low"] < one["similarities"][1]["spearman"] < 1
    assert record["spread"][SCORE]["mean"] == pytest.approx(
        (one["score"] + record["vectors"][1]["score"]) / 2
    )


def test_record_names_unknown_words_on_demand(folder):
    (found,) = evaluated(folder, 1)
    record = found.as_dict(name_unknown=True)
    assert record["analogies"][0]["unknown_words"] == ["Unknown"]
    assert record["similarities"][2]["unknown_words"][:2] == ["вода0", "вода1"]
