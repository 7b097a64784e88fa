"""Worst and best sentences."""

from __future__ import annotations

import pytest
import sacrebleu

from seqloom.errors import EvaluationError
from seqloom.evaluation.sidebyside import side_by_side

SOURCES = ["eins", "zwei", "drei", "vier"]
REFERENCES = ["one little dog", "two little dogs", "three dogs", "four dogs"]
HYPOTHESES = ["one little dog", "two little dog", "xyz", "four cats"]


def test_worst_and_best_by_chrf():
    found = side_by_side(SOURCES, HYPOTHESES, REFERENCES, 2)
    assert [row.line for row in found.worst] == [3, 4]
    assert [row.line for row in found.best] == [1, 2]
    own = sacrebleu.CHRF().sentence_score(HYPOTHESES[1], [REFERENCES[1]]).score
    assert found.best[1].score == pytest.approx(own)
    assert found.worst[0].source == "drei"


def test_against_another_system_the_gain_decides():
    other = ["one little dog", "two little dogs", "three dogs", "nothing"]
    found = side_by_side(None, HYPOTHESES, REFERENCES, 1, other=other)
    assert found.worst[0].line == 3  # ours lost most here
    assert found.best[0].line == 4
    assert found.best[0].other == "nothing"
    assert "over the other" in found.text()


def test_no_sentence_twice():
    found = side_by_side(None, HYPOTHESES, REFERENCES, 3)
    assert len(found.worst) == 3 and len(found.best) == 1
    found = side_by_side(None, HYPOTHESES, REFERENCES, 10)
    assert len(found.worst) == 4 and not found.best


def test_text_and_record():
    found = side_by_side(SOURCES, HYPOTHESES, REFERENCES, 1)
    assert found.text().splitlines()[:5] == [
        "worst sentences",
        "",
        "line 3  chrF 0.0",
        "  source     drei",
        "  reference  three dogs",
    ]
    assert found.as_dict()["best"][0]["hypothesis"] == "one little dog"


def test_nothing_to_show():
    assert side_by_side(None, [], [], 3).text() == ""


def test_unequal_counts_are_refused():
    with pytest.raises(EvaluationError, match="1 hypotheses but 2 references"):
        side_by_side(None, ["a"], ["a", "b"], 1)
    with pytest.raises(EvaluationError, match="3 sources but 1 references"):
        side_by_side(["x", "y", "z"], ["a"], ["a"], 1)
    with pytest.raises(EvaluationError, match="2 hypotheses of the other system but 1 references"):
        side_by_side(None, ["a"], ["a"], 1, other=["a", "b"])
