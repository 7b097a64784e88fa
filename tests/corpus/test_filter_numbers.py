import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.corpus import Corpus, NumbersFilter
from seqloom.corpus.filters.numbers import difference, numbers


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("no number, not even one", []),
        ("1,000.5", ["1000", "5"]),
        ("1.000,5", ["1000", "5"]),
        ("1 000,5", ["1000", "5"]),
        ("1\u00a0000 and 1\u202f000 and 1'000 and 1’000", ["1000"] * 4),
        ("12,345,678", ["12345678"]),
        ("12,34,567", ["1234567"]),
        ("1.234,567", ["1234", "567"]),
        ("1234,567", ["1234", "567"]),
        ("0.5, 0,5, .5", ["0", "5", "0", "5", "5"]),
        ("007 and 0 and 000", ["7", "0", "0"]),
        ("12.05.2020 or 12/5/2020", ["12", "5", "2020", "12", "5", "2020"]),
        ("2020-12-05T08:30", ["2020", "12", "5", "8", "30"]),
        ("٣٤٥ and ३४५ and ３４５", ["345"] * 3),
        ("١٬٠٠٠٫٥", ["1000", "5"]),
        ("MP3, 3rd, 1990s", ["3", "3", "1990"]),
        ("x² and ½ and Ⅳ", []),
        ("%1$s of %2$d at 5%", ["5"]),
        ("1, 2, 3", ["1", "2", "3"]),
        ("9" * 5000, ["9" * 5000]),
    ],
)
def test_numbers_of_a_text(text, found):
    assert numbers(text) == found


@settings(deadline=None)
@given(st.integers(0, 10**12))
def test_every_way_to_group_digits_is_the_same_number(number):
    plain = f"{number:,}"
    for mark in (",", ".", "'", "’", " ", "\u00a0", "\u2009", "\u202f", "\u066c", ""):
        assert numbers(f"a {plain.replace(',', mark)}; b") == [str(number)]


@pytest.mark.parametrize(
    ("source", "target", "share"),
    [
        ([], [], 0),
        (["1", "2"], ["2", "1"], 0),
        (["3"], [], 1),
        (["3"], ["4"], 1),
        (["1", "1"], ["1"], 1 / 3),
        (["1", "2", "3"], ["1", "2", "4"], 1 / 3),
        (["1", "2"], ["1", "5"], 0.5),
    ],
)
def test_share_of_numbers_without_a_partner(source, target, share):
    assert difference(source, target) == pytest.approx(share)
    assert difference(target, source) == pytest.approx(share)


PIECES = st.sampled_from(["1", "2", "12", "٣", "1,000", "1.000", "word", " ", " and ", "-", "%1$s"])
TEXTS = st.lists(PIECES, max_size=6).map("".join) | st.text(max_size=8)


@settings(deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1))
def test_scores_equal_pair_by_pair(rows):
    scores = NumbersFilter().score(next(Corpus.of(rows).batches())).to_pylist()
    assert scores == [difference(numbers(source), numbers(target)) for source, target in rows]
    assert all(0 <= score <= 1 for score in scores)


def test_threshold_of_the_share():
    rows = [("5 of 6", "6 von 5"), ("5 of 6", "5 von 7"), ("five", "5"), ("none", "keine")]
    batch = next(Corpus.of(rows).batches())
    scores = NumbersFilter().score(batch)
    assert scores.to_pylist() == [0, 0.5, 1, 0]
    assert NumbersFilter().accept(scores).to_pylist() == [True, True, False, True]
    assert NumbersFilter(0).accept(scores).to_pylist() == [True, False, False, True]
    assert NumbersFilter(1).accept(scores).to_pylist() == [True] * 4
