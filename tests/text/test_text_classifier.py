"""Classifiers on a bag of words: equal to scikit-learn's, the same when loaded, and explained."""

from __future__ import annotations

import errno
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from seqloom.errors import FolderError, RecipeError, VectorsError
from seqloom.text import classifier_report, linear
from seqloom.text.classifier import BagClassifier
from seqloom.text.classifier_recipe import ClassifierRecipe, classifier_recipe
from seqloom.text.classifier_report import model_card, write_classifier
from seqloom.text.linear import GRID, fit, log_count_ratio, scores, search

WORDS = {
    "sport": ["goal", "match", "team", "ball", "win", "the", "a"],
    "food": ["bread", "salt", "soup", "bowl", "eat", "the", "a"],
    "law": ["court", "judge", "law", "trial", "team", "the", "a"],
}
ALL = [word for words in WORDS.values() for word in words]
MATCHING: dict[str, object] = {"tf": "count", "idf": "smooth", "norm": "l2", "c": 2.0}
"""The switches under which our weights are those of scikit-learn's TfidfVectorizer."""


def planted(count: int, seed: int, labels: list[str] | None = None) -> tuple[list[str], list[str]]:
    """Texts of words that mostly tell their label."""
    chance = np.random.default_rng(seed)
    names = labels or list(WORDS)
    found = [names[n % len(names)] for n in range(count)]
    texts = []
    for label in found:
        source = WORDS[label] if chance.random() < 0.85 else ALL
        texts.append(" ".join(chance.choice(source, size=chance.integers(3, 9)).tolist()))
    return texts, found


def theirs(model: object) -> object:
    """scikit-learn's own, with words as ours finds them."""
    return make_pipeline(TfidfVectorizer(token_pattern=r"\w+"), model)


@pytest.mark.parametrize("labels", [["sport", "food"], ["sport", "food", "law"]])
@pytest.mark.parametrize("kind", ["logistic", "svm"])
def test_predictions_and_scores_are_scikit_learns(kind: str, labels: list[str]) -> None:
    texts, right = planted(240, 1, labels)
    unseen, _ = planted(150, 2, labels)
    unseen += ["", "unknown words", "the the a"]
    ours = BagClassifier.fit(texts, right, ClassifierRecipe(linear=kind, **MATCHING))
    model = LogisticRegression(C=2.0, max_iter=1000) if kind == "logistic" else None
    oracle = theirs(model or LinearSVC(C=2.0, random_state=1)).fit(texts, right)  # type: ignore[attr-defined]
    assert ours.classes == tuple(oracle.classes_)
    assert ours.predict(unseen) == oracle.predict(unseen).tolist()
    decision = oracle.decision_function(unseen)
    found = ours.scores(unseen)
    if len(labels) == 2:
        np.testing.assert_allclose(found, np.stack((-decision, decision), axis=1), atol=1e-5)
    else:
        np.testing.assert_allclose(found, decision, atol=1e-5)
    if kind == "logistic":
        probabilities = ours.probabilities(found)
        np.testing.assert_allclose(probabilities, oracle.predict_proba(unseen), atol=1e-6)


def test_ngrams_and_stop_words_are_scikit_learns(tmp_path: Path) -> None:
    texts, right = planted(200, 3)
    (tmp_path / "stop.txt").write_text("the\na\n")
    recipe = ClassifierRecipe(
        ngrams=(1, 2), min_documents=2, stop_words=str(tmp_path / "stop.txt"), **MATCHING
    )
    vectorizer = TfidfVectorizer(
        token_pattern=r"\w+", ngram_range=(1, 2), min_df=2, stop_words=["the", "a"]
    )
    oracle = make_pipeline(vectorizer, LogisticRegression(C=2.0, max_iter=1000)).fit(texts, right)
    ours = BagClassifier.fit(texts, right, recipe)
    assert sorted(ours.bag.words) == sorted(vectorizer.get_feature_names_out())
    unseen, _ = planted(100, 4)
    np.testing.assert_allclose(ours.scores(unseen), oracle.decision_function(unseen), atol=1e-5)


@pytest.mark.parametrize("labels", [["sport", "food"], ["sport", "food", "law"]])
@pytest.mark.parametrize("kind", ["logistic", "svm", "nbsvm"])
def test_saved_is_loaded(kind: str, labels: list[str], tmp_path: Path) -> None:
    texts, right = planted(90, 5, labels)
    made = BagClassifier.fit(texts, right, ClassifierRecipe(linear=kind))
    made.save(tmp_path / "model")
    loaded = BagClassifier.load(tmp_path / "model")
    unseen, _ = planted(60, 6, labels)
    np.testing.assert_array_equal(made.scores(unseen), loaded.scores(unseen))
    assert loaded.predict(unseen) == made.predict(unseen)
    assert (loaded.classes, loaded.kind, loaded.c) == (made.classes, made.kind, made.c)
    assert loaded.telling(5) == made.telling(5)
    names = {path.name for path in (tmp_path / "model").iterdir()}
    assert names == {"bag.json", "bag.safetensors", "classifier.json", "classifier.safetensors"}


@pytest.mark.parametrize("labels", [["sport", "food"], ["sport", "food", "law"]])
@pytest.mark.parametrize("kind", ["logistic", "svm", "nbsvm"])
def test_contributions_add_up_to_the_score(kind: str, labels: list[str]) -> None:
    texts, right = planted(90, 7, labels)
    made = BagClassifier.fit(texts, right, ClassifierRecipe(linear=kind))
    unseen = [*planted(20, 8, labels)[0], "", "unknown"]
    found = made.scores(unseen)
    for column, label in enumerate(made.classes):
        spoken = made.contributions(unseen, [label] * len(unseen))
        for row, words in enumerate(spoken):
            added = [value for _, value in words]
            assert added == sorted(added, reverse=True)
            assert sum(added) + made.bias(label) == pytest.approx(found[row, column], abs=1e-6)
    assert spoken[-1] == spoken[-2] == []
    with pytest.raises(VectorsError, match="'none' is none of the classes; expected food"):
        made.bias("none")


def test_telling_words() -> None:
    texts, right = planted(600, 9)
    telling = BagClassifier.fit(texts, right).telling(4)
    for label, found in telling.items():
        words = {word for word, _ in found}
        assert words <= set(WORDS[label]) - {"the", "a"}
        weights = [weight for _, weight in found]
        assert weights == sorted(weights, reverse=True) and weights[-1] > 0


def test_telling_words_speak_for_their_class() -> None:
    texts, right = planted(200, 17, ["sport", "food"])
    made = BagClassifier.fit(texts, right)
    telling = made.telling(1000)
    sides = [{word for word, _ in telling[label]} for label in ("food", "sport")]
    assert not sides[0] & sides[1] and sides[0] | sides[1] <= set(made.bag.words)
    assert all(weight > 0 for found in telling.values() for _, weight in found)


def test_log_count_ratio_and_nbsvm_worked_out_by_hand() -> None:
    counts = csr_array(np.array([[1.0, 1, 0], [1, 0, 0], [0, 1, 1], [0, 0, 1]]))
    own = np.array([True, True, False, False])
    # With one added: 3, 2, 1 of 6 against 1, 2, 3 of 6.
    np.testing.assert_allclose(log_count_ratio(counts, own), [math.log(3), 0, -math.log(3)])
    learnt = fit(counts, own.astype(np.int64), "nbsvm", 1.0, 1)
    ratio = log_count_ratio(counts, own)
    scaled = counts.toarray() * ratio
    weights = LinearSVC(C=1.0, random_state=1, max_iter=1000).fit(scaled, own).coef_[0]
    expected = ratio * (0.75 * np.abs(weights).mean() + 0.25 * weights)
    np.testing.assert_allclose(learnt.weights[0], expected, atol=1e-4)
    assert scores(counts, learnt).argmax(axis=1).tolist() == [1, 1, 0, 0]


def test_cross_validation_chooses_c_by_accuracy_on_held_out_texts() -> None:
    texts, right = planted(150, 10)
    made = BagClassifier.fit(texts, right, ClassifierRecipe(folds=4, seed=3))
    assert len(made.tried) == len(GRID["logistic"]) and made.c in made.tried
    best = max(made.tried.values())
    assert made.tried[made.c] == best
    middle = sorted(made.tried)[len(made.tried) // 2]
    equals = [c for c, share in made.tried.items() if share == best]
    assert made.c == min(equals, key=lambda c: abs(math.log(c / middle)))
    from seqloom.corpus.classes import folds

    matrix = made.bag.transform(texts)
    target = np.unique(right, return_inverse=True)[1]
    fold = folds(right, 4, 3)
    for c, share in made.tried.items():
        hits = 0
        for number in range(4):
            held = fold == number
            model = LogisticRegression(C=c, max_iter=1000).fit(matrix[~held], target[~held])
            hits += int((model.predict(matrix[held]) == target[held]).sum())
        assert share == pytest.approx(hits / len(texts), abs=2.5 / len(texts))


@pytest.mark.parametrize("labels", [["sport", "food"], ["sport", "food", "law"]])
def test_a_large_problem_has_the_same_optimum(
    labels: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    texts, right = planted(300, 16, labels)
    recipe = ClassifierRecipe(c=10.0)
    usual = BagClassifier.fit(texts, right, recipe)
    monkeypatch.setattr(linear, "_MANY", 0)
    large = BagClassifier.fit(texts, right, recipe)
    assert not np.array_equal(usual.learnt.weights, large.learnt.weights)
    target = np.unique(right, return_inverse=True)[1]

    def loss(made: BagClassifier) -> float:
        probabilities = made.probabilities(made.scores(texts))
        wrong = -np.log(probabilities[np.arange(len(texts)), target]).sum()
        return 10.0 * wrong + float((made.learnt.weights**2).sum()) / 2

    assert loss(large) == pytest.approx(loss(usual), rel=1e-3)
    np.testing.assert_allclose(large.scores(texts), usual.scores(texts), atol=0.1)


def test_the_grid_suits_any_weighting() -> None:
    texts, right = planted(150, 11)
    target = np.unique(right, return_inverse=True)[1]
    bag = BagClassifier.fit(texts, right, ClassifierRecipe(c=1.0)).bag
    matrix = bag.transform(texts)
    fold = np.arange(len(texts)) % 5
    larger = matrix * 10
    first, second = (search(each, target, fold, "logistic", 1) for each in (matrix, larger))
    assert second.c == pytest.approx(first.c / 100)
    assert list(second.tried.values()) == pytest.approx(list(first.tried.values()), abs=0.03)


def test_a_handful_of_texts() -> None:
    texts, right = ["good", "bad", "bad bad"], ["x", "y", "y"]
    assert BagClassifier.fit(texts, right).predict(["bad"]) == ["y"]
    assert BagClassifier.fit(texts, right, ClassifierRecipe(c=100.0)).predict(texts) == right


def test_progress_and_the_same_again() -> None:
    texts, right = planted(60, 12)
    told: list[tuple[str, int, int | None]] = []

    def progress(stage: str, done: int, total: int | None, note: str = "") -> None:
        told.append((stage, done, total))

    recipe = ClassifierRecipe(linear="svm")
    first, second = (BagClassifier.fit(texts, right, recipe, progress) for _ in range(2))
    np.testing.assert_array_equal(first.learnt.weights, second.learnt.weights)
    assert told[0] == ("cross-validation", 1, 5 * len(GRID["svm"]))
    assert told[-1] == ("cross-validation", 5 * len(GRID["svm"]), 5 * len(GRID["svm"]))


def test_no_probabilities_of_an_svm() -> None:
    made = BagClassifier.fit(*planted(30, 13), ClassifierRecipe(linear="svm"))
    with pytest.raises(VectorsError, match="--linear logistic"):
        made.probabilities(made.scores(["team"]))


def test_other_weightings_for_nbsvm() -> None:
    presence = ClassifierRecipe(linear="nbsvm").bag_options()
    assert (presence.tf, presence.idf, presence.norm) == ("binary", "none", "none")
    plain = ClassifierRecipe().bag_options()
    assert (plain.tf, plain.idf, plain.norm) == ("share", "plain", "l2")
    own = ClassifierRecipe(linear="nbsvm", norm="l2").bag_options()
    assert (own.tf, own.norm) == ("binary", "l2")


def test_settings() -> None:
    settings = ["c=1e-1", "min_documents=2", "max_documents=0.5", "lowercase=false", "tf=log"]
    recipe = classifier_recipe({"linear": "svm"}, settings)
    assert (recipe.linear, recipe.c, recipe.tf, recipe.lowercase) == ("svm", 0.1, "log", False)
    assert recipe.min_documents == 2 and isinstance(recipe.min_documents, int)
    with pytest.raises(RecipeError) as error:
        classifier_recipe({}, ["min_document=2", "c=-1", "folds", "linear=forest"])
    told = str(error.value)
    assert "min_document: unknown field; did you mean min_documents?" in told
    assert "c: input should be greater than 0 (given: -1)" in told
    assert "--set folds: expected field=value" in told
    assert "linear: input should be 'logistic', 'svm' or 'nbsvm' (given: 'forest')" in told


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        ("missing", "there is no classifier.json in it. Train a classifier: seqloom finetune"),
        ("cut", "classifier.safetensors is not what"),
        ("bag", "are not of one classifier"),
        ("keys", "classifier.json is damaged"),
    ],
)
def test_damaged_folders(harm: str, message: str, tmp_path: Path) -> None:
    BagClassifier.fit(*planted(30, 14)).save(tmp_path)
    document = tmp_path / "classifier.json"
    if harm == "missing":
        document.unlink()
    elif harm == "cut":
        data = (tmp_path / "classifier.safetensors").read_bytes()
        (tmp_path / "classifier.safetensors").write_bytes(data[:-4])
    elif harm == "bag":
        BagClassifier.fit(*planted(40, 15)).bag.save(tmp_path)
    else:
        values = json.loads(document.read_text())
        del values["classes"]
        document.write_text(json.dumps(values))
    with pytest.raises(VectorsError, match=message):
        BagClassifier.load(tmp_path)


def test_real_reviews(real_data: Path) -> None:
    from seqloom.corpus.classes import gather
    from seqloom.corpus.labels import read_labelled

    train, held = (
        gather(read_labelled([real_data / "sst2" / f"{p}.tsv"])) for p in ("train", "dev")
    )
    made = BagClassifier.fit(train.texts, train.labels, ClassifierRecipe(**MATCHING))
    oracle = theirs(LogisticRegression(C=2.0, max_iter=1000)).fit(train.texts, train.labels)  # type: ignore[attr-defined]
    # Not all words are cut alike: apostrophes join here, and part there.
    same = np.mean(np.array(made.predict(held.texts)) == oracle.predict(held.texts))
    right = np.mean(np.array(made.predict(held.texts)) == np.array(held.labels))
    assert same > 0.97
    assert right > 0.78


REPORT = {
    "figures": {
        "texts": 9, "accuracy": 88.8, "low": 50, "high": 99, "macro_f1": 87, "commonest": "a|b",
        "baseline": 33, "classes": [{"label": "a|b", "f1": 90.0}],
    },
    "data": {
        "train": "t.tsv", "validation": "v.tsv", "texts": 90,
        "classes": {"a|b": 45, "c": 45},
    },
}  # fmt: skip


def small() -> BagClassifier:
    return BagClassifier.fit(["x y", "x z", "v w", "v u"], ["a|b", "a|b", "c", "c"])


def test_the_card() -> None:
    card = model_card(small(), ClassifierRecipe(ngrams=(1, 2)), REPORT, "seqloom finetune ...")
    assert "| accuracy | 88.80 |" in card
    assert "| its 95 % interval (Wilson) | 50.00 to 99.00 |" in card
    assert "| accuracy of always saying a\\|b | 33.00 |" in card
    assert "| a\\|b | 45 | 90.0 | x, " in card
    assert "| c | 45 | – | " in card, "a class without held-out texts has no figure"
    assert "```\nseqloom finetune ...\n```" in card
    (written,) = re.findall(r"```yaml\n(.*?)```", card, re.S)
    assert ClassifierRecipe.model_validate(yaml.safe_load(written)).ngrams == (1, 2)


def test_a_folder_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "deep" / "model"
    made, recipe = small(), ClassifierRecipe()

    def full(report: object, *more: object) -> str:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(classifier_report, "model_card", full)
    with pytest.raises(FolderError, match="model: the disk is full"):
        write_classifier(out, made, recipe, REPORT, "")
    assert list((tmp_path / "deep").iterdir()) == []
    monkeypatch.undo()
    out.mkdir()
    write_classifier(out, made, recipe, REPORT, "")
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["model"]
    assert BagClassifier.load(out).predict(["x", "v"]) == ["a|b", "c"]
    assert json.loads((out / "metrics.json").read_text())["data"]["texts"] == 90
    (out / "more").write_text("")
    with pytest.raises(FolderError, match="something else is there already"):
        write_classifier(out, made, recipe, REPORT, "")
    assert (out / "more").exists() and len(list((tmp_path / "deep").iterdir())) == 1
