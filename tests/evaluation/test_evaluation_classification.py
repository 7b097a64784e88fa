"""Figures of classifiers: worked out by hand, and against scikit-learn and scipy."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

from seqloom.errors import EvaluationError
from seqloom.evaluation.classification import classification, wilson

RIGHT = ["a", "a", "a", "b", "b", "c"]
SAID = ["a", "a", "b", "b", "c", "c"]


def test_worked_out_by_hand() -> None:
    found = classification(RIGHT, SAID)
    assert found.accuracy == pytest.approx(100 * 4 / 6)
    by_label = {each.label: each for each in found.classes}
    assert (by_label["a"].precision, by_label["a"].recall) == pytest.approx((100, 200 / 3))
    assert by_label["a"].f1 == pytest.approx(80)
    assert (by_label["b"].precision, by_label["b"].recall) == pytest.approx((50, 50))
    assert (by_label["c"].texts, by_label["c"].predicted) == (1, 2)
    assert found.macro_f1 == pytest.approx((80 + 50 + 200 / 3) / 3)
    assert found.confusion.tolist() == [[2, 1, 0], [0, 1, 1], [0, 0, 1]]
    assert (found.commonest, found.baseline) == ("a", 50)


def test_the_baseline_says_what_training_texts_say_most() -> None:
    found = classification(RIGHT, SAID, "c")
    assert found.commonest == "c"
    assert found.baseline == pytest.approx(100 / 6)
    assert classification(RIGHT, SAID, "of training alone").baseline == 0
    assert classification(["b", "a"], ["a", "a"]).commonest == "a", "equals by the alphabet"


@settings(deadline=None)
@given(pairs=st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcde")), min_size=1))
def test_figures_are_scikit_learns(pairs: list[tuple[str, str]]) -> None:
    right, said = zip(*pairs, strict=True)
    found = classification(right, said)
    names = [each.label for each in found.classes]
    assert names == sorted({*right, *said})
    assert found.accuracy == pytest.approx(100 * accuracy_score(right, said))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a single label
        assert found.confusion.tolist() == confusion_matrix(right, said, labels=names).tolist()
        theirs = precision_recall_fscore_support(right, said, labels=names, zero_division=0)
    ours = [
        [getattr(each, name) for each in found.classes] for name in ("precision", "recall", "f1")
    ]
    np.testing.assert_allclose(ours, 100 * np.array(theirs[:3]))
    assert [each.texts for each in found.classes] == theirs[3].tolist()
    assert found.macro_f1 == pytest.approx(100 * theirs[2].mean())


@settings(deadline=None)
@given(texts=st.integers(1, 3000), share=st.floats(0, 1))
def test_the_interval_is_scipys(texts: int, share: float) -> None:
    hits = round(share * texts)
    theirs = binomtest(hits, texts).proportion_ci(method="wilson")
    assert wilson(hits, texts) == pytest.approx((100 * theirs.low, 100 * theirs.high), abs=1e-9)


def test_nothing_to_measure() -> None:
    with pytest.raises(EvaluationError, match="1 predicted labels and 2 right ones"):
        classification(["a", "b"], ["a"])
    with pytest.raises(EvaluationError, match="no texts"):
        classification([], [])


def test_the_text_for_people() -> None:
    text = classification(RIGHT, SAID).text()
    assert (
        "accuracy                  66.67  [30.00, 90.32]  6 texts, 95 % interval (Wilson)" in text
    )
    assert "macro-F1                  65.56  3 classes" in text
    assert "always 'a'                50.00  accuracy of the majority baseline" in text
    heads, *rows = text.splitlines()[-4:]
    assert heads.split() == ["right", "\\", "said", "a", "b", "c", "precision", "recall", "F1"]
    assert rows[0].split() == ["a", "2", "1", "0", "100.0", "66.7", "80.0"]
    assert len({len(line) for line in (heads, *rows)}) == 1, "columns stand below their heads"


def test_no_confusion_of_many_classes() -> None:
    many = [f"label number {n}" for n in range(13)]
    assert "right \\ said" not in classification(many, many).text()
    text = classification(many[:12], many[:12]).text()
    assert "label number …" in text or "label number 1" in text
    assert "right \\ said" in text


def test_the_record_is_json() -> None:
    found = classification(RIGHT, SAID)
    record = json.loads(json.dumps(found.as_dict()))
    assert record["confusion"] == found.confusion.tolist()
    assert record["classes"][0]["label"] == "a"
    assert record["accuracy"] == found.accuracy
