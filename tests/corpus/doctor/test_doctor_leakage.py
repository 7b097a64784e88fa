"""Held-out texts that occur in the corpus."""

import numpy as np
import pytest

from seqloom.corpus import Corpus
from seqloom.corpus.doctor.leakage import Leak, LeakSearch, Same, both_keys

HELD_OUT = [("A cat.", "Eine Katze."), ("A dog.", "Ein Hund."), ("Hi!", "Hallo!"), ("", "Leer")]


def search(pairs, batches=1, held_out=HELD_OUT):
    leak = LeakSearch("test", Corpus.of(held_out))
    leak.open()
    size = max(len(pairs) // batches, 1)
    for start in range(0, len(pairs), size):
        for batch in Corpus.of(pairs[start : start + size]).batches():
            numbers = np.arange(start + 1, start + 1 + batch.num_rows)
            leak.look(*both_keys(batch), numbers)
    return leak


PAIRS = [
    ("a cat", "Ein Kater."),
    ("Nothing", "Nichts"),
    ("Bow wow", "Ein Hund."),
    ("A cat.", "Eine Katze."),
    ("A cat.", "Eine Katze."),
    ("", "Nichts"),
]


@pytest.mark.parametrize("batches", [1, 3, 6])
def test_counts_and_first_places(batches):
    leak = search(PAIRS, batches)
    found = leak.findings()
    assert found.pairs == 4
    assert found.equal == Same(source=1, target=2, pair=1)
    assert found.alike == Same(source=1, target=2, pair=1)
    assert found.examples == [Leak(1, 4, "pair", True), Leak(2, 3, "target", True)]
    assert leak.numbers().tolist() == [1, 3, 4, 5]
    assert found.corpus_pairs == 4


def test_alike_texts_differ_in_case_marks_and_digits_only():
    found = search([("A CAT", "x")]).findings()
    assert found.equal == Same(0, 0, 0)
    assert found.alike == Same(1, 0, 0)
    assert found.examples == [Leak(1, 1, "source", False)]


def test_empty_texts_give_nothing_away():
    assert search([("", "x"), ("", "")]).findings().corpus_pairs == 0


def test_the_other_side_does_not_count():
    assert search([("Ein Hund.", "A dog.")]).findings().corpus_pairs == 0


def test_an_empty_set_and_all_of_it():
    assert search(PAIRS, held_out=[]).findings().pairs == 0
    found = search(HELD_OUT).findings()
    assert found.equal == Same(source=3, target=4, pair=4)
