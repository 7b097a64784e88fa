"""Repeated pairs and texts with several translations, against counting by hand."""

from collections import defaultdict

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.corpus.doctor.duplicates import keys_of, repeats, variants

PAIRS = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("xyz")), max_size=40)


def keys(pairs):
    sources, targets = ([pair[side] for pair in pairs] for side in (0, 1))
    return keys_of(pa.array(sources, pa.string()), pa.array(targets, pa.string()))


@settings(deadline=None)
@given(PAIRS)
def test_repeats_are_those_that_came_before(pairs):
    found, numbers = repeats(keys(pairs).pair)
    before = [i + 1 for i, pair in enumerate(pairs) if pair in pairs[:i]]
    assert numbers.tolist() == before
    assert found.pairs == len(before)
    assert len(found.examples) == min(len({pairs[i - 1] for i in before}), 5)
    for group in found.examples:
        assert len(group) > 1
        assert len({pairs[number - 1] for number in group}) == 1
        assert group == sorted(group)


@settings(deadline=None)
@given(PAIRS)
def test_variants_have_several_texts_beside_them(pairs):
    k = keys(pairs)
    found = variants(k.source, k.target, np.ones(len(pairs), np.bool_))
    beside = defaultdict(set)
    for source, target in pairs:
        beside[source].add(target)
    several = {source for source, targets in beside.items() if len(targets) > 1}
    assert found.texts == len(several)
    assert found.pairs == sum(source in several for source, _ in pairs)
    for group in found.examples:
        sources, targets = zip(*(pairs[number - 1] for number in group), strict=True)
        assert len(set(sources)) == 1
        assert len(set(targets)) == len(targets) > 1


def test_pairs_with_an_empty_side_are_no_variants():
    pairs = [("a", "x"), ("a", ""), ("b", "x"), ("b", "y")]
    k = keys(pairs)
    found = variants(k.source, k.target, np.array([True, False, True, True]))
    assert (found.texts, found.pairs, found.examples) == (1, 2, [[3, 4]])


def test_exchanged_sides_are_another_pair():
    k = keys([("a", "x"), ("x", "a")])
    assert k.pair[0] != k.pair[1]
    assert k.source[0] == k.target[1]
