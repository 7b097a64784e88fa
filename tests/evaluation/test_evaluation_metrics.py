"""Figures against values worked out by hand, and against sacrebleu called directly."""

from __future__ import annotations

import math

import pytest
import sacrebleu

from seqloom.errors import EvaluationError
from seqloom.evaluation import metrics
from seqloom.evaluation.metrics import evaluate

HYPOTHESES = [
    "The cat sat on the mat.",
    "There is a dog in the garden!",
    "He has gone home, I think.",
    "A well-known man's hat",
]
REFERENCES = [
    "The cat is on the mat.",
    "There is a dog in the garden.",
    "I think he went home.",
    "A well-known man's hat",
]


def test_bleu_worked_out_by_hand():
    # Hypothesis of 7 tokens (with the full stop), 6 of them right; bigrams: the-cat, on-the,
    # the-mat, mat-. of 6; trigrams: on-the-mat, the-mat-. of 5; 4-gram: on-the-mat-. of 4.
    expected = 100 * math.exp(sum(map(math.log, (6 / 7, 4 / 6, 2 / 5, 1 / 4))) / 4)
    assert metrics.bleu(HYPOTHESES[:1], REFERENCES[:1]) == pytest.approx(expected)


def test_brevity_penalty_worked_out_by_hand():
    # All n-grams are right, but 5 tokens stand against 7: exp(1 - 7/5).
    found = metrics.bleu(["a b c d e"], ["a b c d e f g"])
    assert found == pytest.approx(100 * math.exp(1 - 7 / 5))


def test_exact_match_counts_whole_sentences():
    assert metrics.exact_match(["1999-05-03 ", "2000"], ["1999-05-03", "2001"]) == 50
    assert metrics.exact_match(["A"], ["a"]) == 0


@pytest.mark.parametrize(
    ("name", "metric"),
    [("bleu", sacrebleu.BLEU()), ("chrf", sacrebleu.CHRF()), ("ter", sacrebleu.TER())],
)
def test_figures_and_signatures_are_sacrebleus(name, metric):
    (figure,) = evaluate(HYPOTHESES, REFERENCES, metrics=[name])
    assert figure.value == pytest.approx(metric.corpus_score(HYPOTHESES, [REFERENCES]).score)
    assert figure.signature == str(metric.get_signature())
    assert (figure.low, figure.high) == (None, None)


@pytest.mark.parametrize("code", ["zh", "zh-Hans", "zh_CN"])
def test_chinese_gets_its_tokenizer(code):
    hypotheses, references = ["我喜欢在公园里散步。"], ["我很喜欢在公园里散步。"]
    (figure,) = evaluate(hypotheses, references, metrics=["bleu"], target_language=code)
    assert "tok:zh" in figure.signature
    own = sacrebleu.BLEU(tokenize="zh").corpus_score(hypotheses, [references]).score
    assert figure.value == pytest.approx(own)
    assert figure.value > 50 > metrics.bleu(hypotheses, references)


def test_ter_of_chinese_counts_characters():
    # One character too little of eleven in the reference (the full stop included).
    (figure,) = evaluate(
        ["我喜欢在公园里散步。"], ["我很喜欢在公园里散步。"], metrics=["ter"], target_language="zh"
    )
    assert figure.value == pytest.approx(100 / 11)


def test_japanese_names_its_tokenizer_in_the_signature():
    (figure,) = evaluate(
        ["私は犬が好きだ"], ["私は犬が好きだ"], metrics=["bleu"], target_language="ja"
    )
    assert figure.value == pytest.approx(100)
    assert "tok:ja-mecab" in figure.signature or "tok:char" in figure.signature


def test_lower_tokenized_bleu_worked_out_by_hand():
    # Moses cuts "Hunde," into two and keeps "3,5" and "gut-gemeint" whole; case does not count.
    hypothesis = "Zwei HUNDE, gut-gemeint 3,5 kg"
    assert metrics.bleu_lower_tokenized([hypothesis], ["zwei hunde , gut-gemeint 3,5 kg"]) == (
        pytest.approx(100)
    )
    # Unsmoothed: without a common 4-gram the figure is 0.
    assert metrics.bleu_lower_tokenized(["a b c x"], ["a b c d"]) == 0


def test_lower_tokenized_bleu_has_its_own_signature():
    (figure,) = evaluate(
        HYPOTHESES, REFERENCES, metrics=["bleu_lower_tokenized"], target_language="de"
    )
    assert figure.name == "bleu_lower_tokenized"
    for part in ("case:lc", "tok:moses-de", "smooth:none", "+sacremoses-"):
        assert part in figure.signature
    (cased,) = evaluate(HYPOTHESES, REFERENCES, metrics=["bleu"])
    assert figure.signature != cased.signature


def test_perfect_translations_reach_the_ends_of_the_scales():
    found = {figure.name: figure.value for figure in evaluate(REFERENCES, REFERENCES)}
    assert found.pop("ter") == 0
    assert all(value == pytest.approx(100) for value in found.values())


def test_languages_are_named_in_the_signature():
    (figure,) = evaluate(
        ["a"], ["a"], metrics=["exact"], source_language="en", target_language="de"
    )
    assert figure.signature.endswith("|lang:en-de")


def test_interval_encloses_the_figure_and_says_how_it_was_made():
    figures = evaluate(HYPOTHESES * 10, REFERENCES * 10, bootstrap=200)
    for figure in figures:
        assert figure.low is not None and figure.high is not None
        assert figure.low < figure.value < figure.high
        assert "|bs:200|seed:12345" in figure.signature


def test_interval_of_exact_match_is_that_of_a_binomial():
    hypotheses, references = ["a"] * 400, ["a"] * 100 + ["b"] * 300
    (figure,) = evaluate(hypotheses, references, metrics=["exact"], bootstrap=1000)
    margin = 1.96 * 100 * math.sqrt(0.25 * 0.75 / 400)
    assert figure.low == pytest.approx(25 - margin, abs=0.8)
    assert figure.high == pytest.approx(25 + margin, abs=0.8)


def test_no_sentences_give_zero():
    assert {figure.value for figure in evaluate([], [], bootstrap=100)} == {0.0}
    assert metrics.bleu([], []) == 0


def test_empty_lines_count_as_wrong():
    assert metrics.bleu(["", ""], ["a b c d", "e f g h"]) == 0
    assert metrics.exact_match(["", "x"], ["", "y"]) == 50


def test_unequal_counts_are_refused():
    with pytest.raises(EvaluationError, match=r"2 hypotheses but 3 references"):
        metrics.bleu(["a", "b"], ["a", "b", "c"])


def test_unknown_metric_is_refused():
    with pytest.raises(EvaluationError, match=r"unknown metric 'meteor'; choose from bleu, chrf"):
        evaluate(["a"], ["a"], metrics=["meteor"])
