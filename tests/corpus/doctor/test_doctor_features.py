"""What of a line survives translation."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.corpus.features import beside, features_of, joined, residual

TEXTS = st.lists(st.text(st.characters(exclude_categories=("Cs",))), max_size=8)


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_batches_give_what_all_texts_give_at_once(first, second):
    whole = features_of(pa.array([*first, *second], pa.string()))
    parts = joined([features_of(pa.array(texts, pa.string())) for texts in (first, second)])
    for name in ("lengths", "digits", "ends"):
        assert np.array_equal(getattr(whole, name), getattr(parts, name))
    assert whole.lengths.tolist() == [len(text) for text in (*first, *second)]


def test_digits_are_the_same_in_any_order_and_script():
    texts = ["7 of 12", "12 von 7", "１２/٧", "7 of 13", "no", "0", "1" * 3000]
    seven, von, scripts, other, none, zero, many = features_of(pa.array(texts)).digits
    assert seven == von == scripts
    assert none == 0
    assert len({seven, other, none, zero, many}) == 5


@pytest.mark.parametrize(
    ("same", "texts"),
    [
        (True, ["Yes.", "是。", "He said “yes.”", "so…"]),
        (True, ["Why?", "为什么？", "Why?) "]),
        (True, ["no mark", "", "»"]),
        (False, ["Yes.", "Yes!", "Yes?", "Yes:", "Yes,", "Yes"]),
    ],
)
def test_marks_at_the_end_by_kind(same, texts):
    kinds = set(features_of(pa.array(texts)).ends.tolist())
    assert len(kinds) == (1 if same else len(texts))


def test_beside_and_residual():
    a = features_of(pa.array(["x" * 10, "x" * 20, "x" * 30]))
    b = features_of(pa.array(["y" * 99, "y" * 20, "y" * 40]))
    moved = beside(a, b, 1)
    assert [side.lengths.tolist() for side in moved] == [[10, 20], [20, 40]]
    assert residual(*moved, 2.0, 1.0).tolist() == [0, 0]
    assert len(beside(a, b, 5)[0]) == 0
    assert [side.lengths.tolist() for side in beside(a, b, -2)] == [[30], [99]]


def test_slices_of_a_larger_array_are_read_from_their_place():
    texts = pa.array(["1.", "two?", "33!"]).slice(1, 2)
    found = features_of(texts)
    assert found.lengths.tolist() == [4, 3]
    assert found.digits[0] == 0 != found.digits[1]
