import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unicode_texts import settled_characters

from seqloom.corpus.codepoints import code_points, every_character, members, select, strings, sums

TEXTS = st.lists(st.text(max_size=20))


@settings(deadline=None)
@given(TEXTS)
def test_texts_are_taken_apart_and_put_together(texts):
    points, starts = code_points(pa.array(texts, pa.string()))
    assert points.tolist() == [ord(character) for text in texts for character in text]
    assert np.diff(starts).tolist() == [len(text) for text in texts]
    again = strings(points, starts)
    assert again.type == pa.string()
    assert again.to_pylist() == texts


@settings(deadline=None)
@given(TEXTS, st.data())
def test_a_slice_gives_the_texts_of_the_slice(texts, data):
    begin = data.draw(st.integers(0, len(texts)))
    count = data.draw(st.integers(0, len(texts)))
    for kind in (pa.string(), pa.large_string()):
        part = pa.array(texts, kind).slice(begin, count)
        assert strings(*code_points(part)).to_pylist() == texts[begin : begin + count]


@settings(deadline=None)
@given(TEXTS)
def test_sums_over_each_text(texts):
    points, starts = code_points(pa.array(texts, pa.string()))
    assert sums(points % 7, starts).tolist() == [sum(ord(c) % 7 for c in text) for text in texts]
    assert sums(points > 99, starts).tolist() == [sum(ord(c) > 99 for c in text) for text in texts]


@pytest.mark.parametrize("category", ["L", "M", "N", "Nd", "Lu", "Z"])
def test_tables_know_the_categories_of_unicode(category):
    table = members(rf"\p{{{category}}}")
    wrong = [
        character
        for character in settled_characters()
        if table[ord(character)] != unicodedata.category(character).startswith(category)
    ]
    assert wrong == []


def test_characters_are_selected_in_their_order():
    assert select("Ab1 цЯ2中", r"\p{Lu}\p{Nd}") == "A1Я2"
    everything = every_character()
    assert len(everything) == 0x110000 - 0x800
    assert select(everything, r"\x{10FFFF}a") == "a\U0010ffff"
