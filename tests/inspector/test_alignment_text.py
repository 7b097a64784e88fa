"""The text of `benchmarks/alignment.py`: written as the gold is, and in lines of several pairs."""

from __future__ import annotations

import pytest

from seqloom.text.tokenizer import Tokenizer


@pytest.mark.parametrize(
    ("language", "line", "expected"),
    [
        ("en", "I don't know; they can't!", "i do not know ; they can not !"),
        ("en", "A well-known man - he won't.", "a well - known man - he will not ."),
        ("fr", "L’ami n'a qu'à venir.", "le ami ne a que à venir ."),
        ("fr", "Du thé au lait, des fois !", "de le thé à le lait , de les fois !"),
        ("fr", "Est-ce dû ?", "est - ce dû ?"),
    ],
)
def test_text_is_written_as_the_gold_is(bench, language, line, expected):
    assert list(bench.text.tokenised([line], language)) == [expected]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_gold_itself_stays_as_it_is(bench, real_data, language):
    lines = (real_data / "align" / f"enfr.{language}").read_text(encoding="utf-8").splitlines()
    words = [" ".join(line.lower().split()) for line in lines]
    assert list(bench.text.tokenised(lines, language)) == words


def test_the_sets_of_gold_can_be_read(bench, real_data):
    for gold_set in bench.text.GOLD_SETS.values():
        pairs = gold_set.read(real_data)
        assert pairs.judged
        assert len(pairs) >= 40
        rates = bench.figures.baseline(pairs)
        assert rates["aer"] < 90, gold_set  # from a wrong base, or sides changed over: worse


def test_some_lines_stand_for_all(bench):
    lines = [str(number) for number in range(10)]
    assert bench.text.spread(lines, 3) == ["0", "3", "6"]
    assert bench.text.spread(lines, 99) == bench.text.spread(lines, None) == lines


def test_lines_of_one_to_three_pairs_and_of_the_gold(bench):
    pairs = [(f"e{n}", f"f{n}") for n in range(200)]
    lines = bench.text.joined(pairs, [("gold", "or")])
    words = [tuple(side.split() for side in line) for line in lines]
    learned, beside = words[: -bench.text.GOLD_LINES], words[-bench.text.GOLD_LINES :]
    assert sorted(word for english, _ in learned for word in english) == sorted(e for e, _ in pairs)
    assert {len(english) for english, _ in learned} == {1, 2, 3}
    for english, french in learned:
        assert [word[1:] for word in english] == [word[1:] for word in french]
    assert {english.index("gold") for english, _ in beside} == {0, 1}
    for english, french in beside:
        assert len(english) == 2 and french[english.index("gold")] == "or"


def test_capitals_of_a_vocabulary(bench):
    lower, mixed = (
        Tokenizer.train(texts, "bpe", 400, exact=False, tags=["DE"])
        for texts in (["the dog and the cat"], ["The dog and the Cat"])
    )
    assert not bench.text.knows_capitals(lower)
    assert bench.text.knows_capitals(mixed)
