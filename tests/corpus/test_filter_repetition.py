import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unicode_texts import SETTLED

from seqloom.corpus import Corpus, RepetitionFilter
from seqloom.corpus.filters.repetition import LONGEST_UNIT, longest_repetition


def is_space(character):
    return character in "\t\n\v\f\r\x85" or unicodedata.category(character)[0] == "Z"


def naive(text):
    """Every unit at every place, character by character."""
    single = [
        character
        for place, character in enumerate(text)
        if not (place and is_space(character) and is_space(text[place - 1]))
    ]
    longest = 0
    for unit in range(1, LONGEST_UNIT + 1):
        copied = 0
        for place in range(unit, len(single)):
            same = single[place] == single[place - unit] and not single[place].isdecimal()
            copied = copied + 1 if same else 0
            if copied >= max(2 * unit - 1, 2):
                longest = max(longest, copied + unit)
    return longest


def lengths(*texts):
    return longest_repetition(pa.array(texts, pa.string())).tolist()


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("a", 0),
        ("!!", 0),
        ("!!!", 3),
        ("No!!!!!!!!!!!!", 12),
        ("ha ha ha ha ha ha", 17),
        ("Contents ........................ 7", 24),
        ("----------\t----------", 10),
        ("bye bye", 0),
        ("banana", 5),
        ("no no no", 8),
        ("no   no \t no", 8),
        ("thank you thank you thank you", 29),
        ("哈哈哈哈", 4),
        ("1000000000000", 0),
        ("1 1 1 1 1 1 1 1", 0),
        ("a            b", 0),
        ("ab" * 50, 100),
        (("x" * 31 + "y") * 3, 96),
        (("x" * 15 + "y" + "z" * 16 + "w") * 3, 16),
    ],
)
def test_lengths_of_repetitions(text, length):
    assert lengths(text) == [length]
    assert naive(text) == length


def test_a_repetition_does_not_go_on_in_the_next_text():
    assert lengths("ab!!", "!!!!!", "", "!!", "ab", "ab", "ab") == [0, 5, 0, 0, 0, 0, 0]
    assert lengths("x ", " x", " x ", "x") == [0, 0, 0, 0]
    assert lengths("x ", " a a a") == [0, 6]


FEW = st.text("ab! 1\u3000", max_size=40)
REPEATED = st.builds(
    lambda before, unit, times, after: before + unit * times + after,
    st.text("ab ", max_size=3),
    st.text("ab c!中", min_size=1, max_size=LONGEST_UNIT + 2),
    st.integers(1, 5),
    st.text("ab ", max_size=3),
)


@settings(deadline=None)
@given(st.lists(FEW | REPEATED | SETTLED, max_size=8))
def test_equals_the_naive_search(texts):
    assert lengths(*texts) == [naive(text) for text in texts]


def test_the_filter_looks_at_both_sides():
    rows = [("fine", "gut"), ("x" * 12, "gut"), ("fine", "x" * 12), ("x" * 11, "x" * 11)]
    batch = next(Corpus.of(rows).batches())
    rule = RepetitionFilter()
    assert rule.score(batch).to_pylist() == [0, 12, 12, 11]
    assert rule.accept(rule.score(batch)).to_pylist() == [True, False, False, True]
    assert RepetitionFilter(12).accept(rule.score(batch)).to_pylist() == [True] * 4
