"""Figures of taggers: by hand, beside scikit-learn, and what is refused."""

from __future__ import annotations

import json
import random
from itertools import chain

import pytest
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from seqloom.errors import EvaluationError
from seqloom.evaluation.tagging import span_figures, spans, tagging

NAMED = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-ORG"], ["O"]]
FOUND = [["B-PER", "O", "O", "B-LOC"], ["B-ORG", "B-ORG"], ["O"]]


def test_accuracy_and_figures_of_tags_equal_those_of_scikit_learn() -> None:
    draw = random.Random(5)
    right = [[draw.choice("ABCD") for _ in range(draw.randint(1, 9))] for _ in range(40)]
    said = [[tag if draw.random() < 0.7 else draw.choice("ABCE") for tag in s] for s in right]
    found = tagging(right, said)
    one, other = ([*chain(*side)] for side in (right, said))
    assert found.words == len(one)
    assert found.accuracy == pytest.approx(100 * accuracy_score(one, other))
    names = [each.label for each in found.tags]
    expected = precision_recall_fscore_support(one, other, labels=names, zero_division=0)
    for number, kind in enumerate(("precision", "recall", "f1")):
        ours = [getattr(each, kind) for each in found.tags]
        assert ours == pytest.approx((100 * expected[number]).tolist())
    assert found.spans is None, "A and B are no spans"


def test_whole_sentences_and_the_baseline_by_hand() -> None:
    found = tagging([["X", "Y"], ["X"]], [["X", "X"], ["X"]])
    assert (found.sentences, found.words, found.whole) == (2, 3, 50.0)
    assert found.accuracy == pytest.approx(200 / 3)
    assert (found.commonest, found.baseline) == ("X", pytest.approx(200 / 3))
    assert tagging([["X", "Y"]], [["X", "X"]], "Y").commonest == "Y"


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("O O", set()),
        ("B-A I-A O", {(0, 2, "A")}),
        ("B-A B-A", {(0, 1, "A"), (1, 2, "A")}),
        ("B-A I-B I-B", {(0, 1, "A"), (1, 3, "B")}),
        ("O I-A I-A B-C", {(1, 3, "A"), (3, 4, "C")}),
        ("I-A O I-A", {(0, 1, "A"), (2, 3, "A")}),
        ("B-x-y I-x-y", {(0, 2, "x-y")}),
        ("", set()),
    ],
)
def test_spans_by_hand(tags: str, expected: set[tuple[int, int, str]]) -> None:
    assert spans(tags.split()) == expected


def test_f1_of_spans_by_hand() -> None:
    # Right: PER 0-2 and LOC 3, ORG 1. Said: PER 0-1 (wrong end), LOC 3, ORG 0 (wrong), ORG 1.
    found = span_figures(NAMED, FOUND)
    assert (found.spans, found.predicted) == (3, 4)
    assert (found.precision, found.recall) == (50.0, pytest.approx(200 / 3))
    assert found.f1 == pytest.approx(100 * 2 * 2 / 7)
    assert tagging(NAMED, FOUND).spans == found
    assert span_figures([["O"]], [["O"]]).f1 == 0.0


def test_the_figures_are_shown_and_stored() -> None:
    found = tagging(NAMED, FOUND)
    shown = found.text()
    assert "accuracy                  71.43  [" in shown
    assert "F1 of spans               57.14  precision 50.00, recall 66.67, 3 spans" in shown
    assert "whole sentences           33.33  of 3" in shown
    assert json.loads(json.dumps(found.as_dict()))["spans"]["predicted"] == 4


def test_what_does_not_match_is_refused() -> None:
    with pytest.raises(EvaluationError, match="1 tagged sentences and 3 right ones"):
        tagging(NAMED, [["O"]])
    with pytest.raises(EvaluationError, match="sentence 2: 1 predicted tags for 2 words"):
        tagging([["X"], ["X", "Y"]], [["X"], ["X"]])
    with pytest.raises(EvaluationError, match="no words to measure a tagger on"):
        tagging([], [])
