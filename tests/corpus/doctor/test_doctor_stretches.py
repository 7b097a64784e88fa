"""Stretches whose sides are shifted against each other."""

import itertools
import random

import numpy as np
import pyarrow as pa
import pytest
from doctor_corpora import sentences

from seqloom.corpus.doctor.duplicates import keys_of
from seqloom.corpus.doctor.evidence import UNRELATED, Lines, common_ground, weights_of
from seqloom.corpus.doctor.lengths import deviations
from seqloom.corpus.doctor.stretches import (
    best_path,
    find_stretches,
    in_place,
    shifted,
    usual_offset,
)
from seqloom.corpus.doctor.wordpairs import learn
from seqloom.corpus.features import features_of

COUNT = 2000


@pytest.fixture(scope="module")
def pairs():
    return [list(side) for side in zip(*sentences(COUNT, "en", "de"), strict=True)]


def lines_of(source, target):
    columns = [pa.array(side, pa.string()) for side in (source, target)]
    features = [features_of(column) for column in columns]
    usual = usual_offset(*features)
    runs = [(source[i : i + 32], target[i : i + 32]) for i in range(0, len(source), 32)]
    words = learn(runs, usual)
    keys = keys_of(*columns)
    weights = weights_of(keys.source, keys.target)
    ratio, spread, _ = deviations(*features)
    bits = words.source_bits(source), words.target_bits(target)
    return Lines(*features, *bits, weights, ratio, spread), usual


def search(source, target):
    return find_stretches(*lines_of(source, target))


def moved(target, start, stop, offset):
    """The targets of a stretch come from ``offset`` pairs before."""
    return [*target[:start], *target[start - offset : stop - offset], *target[stop:]]


def assert_found(found, start, stop, offset, slack=3):
    """At either end, as many pairs as the offset has lines fit nowhere: they may be in or out."""
    assert found.offset == offset
    assert start + 1 - slack <= found.first <= start + 1 + max(-offset, 0) + slack
    assert stop - max(offset, 0) - slack <= found.last <= stop + slack


def test_a_clean_corpus_has_no_stretch(pairs):
    found = search(*pairs)
    assert found.stretches == []
    assert found.needed < 30


@pytest.mark.parametrize("offset", [1, -1, 3, -7, 10, -10])
@pytest.mark.parametrize("place", [(700, 800), (15, 400), (1600, 1900)])
def test_a_stretch_is_found_with_its_place_and_offset(pairs, place, offset):
    source, target = pairs
    found = search(source, moved(target, *place, offset)).stretches
    assert len(found) == 1
    assert_found(found[0], *place, offset)


def test_several_stretches_and_what_lies_between(pairs):
    source, target = pairs
    for place, offset in (((200, 300), 1), ((320, 400), 1), ((1500, 1600), -4)):
        target = moved(target, *place, offset)
    found = search(source, target).stretches
    assert [stretch.offset for stretch in found] == [1, 1, -4]
    assert_found(found[0], 200, 300, 1)
    assert_found(found[1], 320, 400, 1)
    inside = shifted(found, COUNT)
    assert not inside[303:319].any()
    assert inside[205:295].all()


def test_a_line_that_is_missing_shifts_the_rest(pairs):
    source, target = pairs
    found = search(source, [*target[:600], *target[601:], "Ende."]).stretches
    assert len(found) == 1
    assert_found(found[0], 600, COUNT, -1)


def test_lines_that_go_missing_one_after_the_other(pairs):
    source, target = pairs
    rest = [text for i, text in enumerate(target) if i not in (500, 900, 1400)]
    found = search(source, [*rest, "Ende.", "Ende.", "Ende."]).stretches
    assert [stretch.offset for stretch in found] == [-1, -2, -3]
    ends = [stretch.last for stretch in found]
    assert ends == pytest.approx([900, 1400, COUNT], abs=6)


def test_a_short_shift_after_a_long_one(pairs):
    source, target = pairs
    shifted_once = [*target[:300], *target[301:1501], "Neu.", *target[1501:]]
    twice = [*shifted_once[:1400], *shifted_once[1401:1461], "Neu.", *shifted_once[1461:]]
    found = search(source, twice).stretches
    assert [stretch.offset for stretch in found] == [-1, -2, -1]
    assert [stretch.first for stretch in found] == pytest.approx([301, 1401, 1462], abs=4)


@pytest.mark.parametrize("offset", [1, -2])
def test_a_corpus_that_is_shifted_as_a_whole(pairs, offset):
    source, target = pairs
    found = search(source, np.roll(target, offset).tolist())
    assert len(found.stretches) == 1
    assert_found(found.stretches[0], 0, COUNT, offset)
    assert found.needed < 30


def test_noise_is_no_shift(pairs):
    source, target = pairs
    noise = target[1000:1300]
    random.Random(1).shuffle(noise)
    assert search(source, [*target[:1000], *noise, *target[1300:]]).stretches == []


def test_lines_that_all_look_alike_tell_nothing():
    found = search(["The same."] * 500, ["Dasselbe."] * 500)
    assert found.stretches == []
    assert found.needed is None


def test_a_few_lines_are_not_searched(pairs):
    found = search(pairs[0][:50], pairs[1][:50])
    assert (found.stretches, found.needed) == ([], None)


def test_the_best_path_is_the_best_of_all():
    rng = np.random.default_rng(1)
    for _ in range(50):
        scores = rng.normal(0, 2, (6, 3))
        paths = list(itertools.product(range(3), repeat=6))
        sums = [
            sum(scores[i, kind] for i, kind in enumerate(path))
            - 1.5 * sum(a != b for a, b in itertools.pairwise(path))
            for path in paths
        ]
        assert best_path(scores, 1.5).tolist() == list(paths[int(np.argmax(sums))])


def test_parts_in_place_cover_the_corpus(pairs):
    source, target = pairs
    found = search(source, moved(target, 700, 800, 2)).stretches
    parts = in_place(found, COUNT)
    assert [offset for *_, offset in parts] == [0, 2, 0]
    assert parts[0][0] == 0
    assert parts[-1][1] == COUNT
    assert all(a[1] == b[0] for a, b in itertools.pairwise(parts))


def test_common_ground_tells_pairs_from_strangers(pairs):
    source, target = pairs
    changed = list(target)
    for place in range(100, COUNT - 100, 100):
        changed[place] = target[(place * 7 + 13) % COUNT]
    lines, _ = lines_of(source, changed)
    common = common_ground(lines, [(0, COUNT, 0)])
    wrong = np.zeros(COUNT, np.bool_)
    wrong[range(100, COUNT - 100, 100)] = True
    assert (common[~wrong] < UNRELATED).mean() < 0.01
    assert (common[wrong] < UNRELATED).mean() > 0.8


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        *("multi30k en de", "wmtnews-en-ru en ru", "l10n-en-de en de", "l10n-en-zh en zh"),
        *("tatoeba-en-ru en ru", "tatoeba-en-zh en zh", "poems-zh up down"),
    ],
)
def test_no_false_alarm_on_real_corpora(real_data, name):
    folder, *sides = name.split()
    source, target = (
        (real_data / folder / f"train.{side}").read_text(encoding="utf-8").split("\n")[:-1]
        for side in sides
    )
    assert search(source, target).stretches == []
    if "tatoeba" in folder or "poems" in folder:
        return  # sorted, or all alike: neighbours are too similar for short stretches
    middle = len(source) // 2
    found = search(source, moved(target, middle, middle + 40, 1)).stretches
    assert len(found) == 1
    assert_found(found[0], middle, middle + 40, 1, slack=5)
