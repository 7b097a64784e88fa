"""What is drawn at random in a pass over a text: skipped words, windows, words to tell from."""

from __future__ import annotations

import numpy as np

from seqloom.text.word2vec.machine_code import compiled

_UNIT = 2.0**-32


def _draw(random: np.ndarray) -> np.uint64:
    """The next 32 random bits: the upper half of a 64-bit linear congruential generator."""
    random[0] = random[0] * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
    return random[0] >> np.uint64(32)


draw = compiled(_draw)


def _sampled(numbers: np.ndarray, chances: np.ndarray, random: np.ndarray, kept: np.ndarray) -> int:
    """Copy ``numbers`` to ``kept`` without the words that are skipped; how many are left."""
    count = 0
    for place in range(len(numbers)):
        word = numbers[place]
        if word >= 0 and chances[word] < 1.0 and draw(random) * _UNIT >= chances[word]:
            continue
        kept[count] = word
        count += 1
    return count


sampled = compiled(_sampled)


def _window(
    kept: np.ndarray,
    count: int,
    place: int,
    reach: int,
    around: np.ndarray,
) -> int:
    """The words up to ``reach`` places before and after ``place``, in its line; how many."""
    found = 0
    other = place - 1
    while other >= 0 and other >= place - reach and kept[other] >= 0:
        around[found] = kept[other]
        found += 1
        other -= 1
    other = place + 1
    while other < count and other <= place + reach and kept[other] >= 0:
        around[found] = kept[other]
        found += 1
        other += 1
    return found


window_of = compiled(_window)


def _negatives(
    word: int,
    number: int,
    share: np.ndarray,
    other: np.ndarray,
    random: np.ndarray,
    targets: np.ndarray,
    labels: np.ndarray,
) -> int:
    """The word itself, and ``number`` drawn ones that differ from it; how many targets."""
    targets[0], labels[0] = word, 1.0
    found = 1
    for _ in range(number):
        place = np.int64((draw(random) * np.uint64(len(share))) >> np.uint64(32))
        if draw(random) * _UNIT >= share[place]:
            place = np.int64(other[place])
        if place != word:
            targets[found], labels[found] = place, 0.0
            found += 1
    return found


negatives_of = compiled(_negatives)


def _way(
    word: int,
    starts: np.ndarray,
    nodes: np.ndarray,
    codes: np.ndarray,
    targets: np.ndarray,
    labels: np.ndarray,
) -> int:
    """The inner nodes on the way to a word and which way it turns at each; how many."""
    begin = starts[word]
    found = starts[word + 1] - begin
    for step in range(found):
        targets[step], labels[step] = nodes[begin + step], codes[begin + step]
    return found


way_to = compiled(_way)
