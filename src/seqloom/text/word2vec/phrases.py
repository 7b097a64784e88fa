"""Words that keep together become one: ``new york`` is ``new_york`` (Mikolov et al. 2013b, 4).

A pair is joined if its score passes a threshold (their equation 6, times the words of the text, as
in their program): score(a, b) = (count(a b) - delta) / (count(a) * count(b)) * words.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from seqloom.text.word2vec.encoded import LINE_END, EncodedText, Stage

JOINT = "_"
_CHUNK = 2**20
MOST_PAIRS = 20_000_000
"""Different pairs that are counted at a time; beyond, those that occurred once are forgotten."""


def join_phrases(
    text: EncodedText, threshold: float, min_count: int, out: Path, stage: Stage
) -> EncodedText:
    """The text with its phrases joined, as a new file.

    Args:
        text: words, or what an earlier pass has joined.
        threshold: score above which a pair is joined.
        min_count: delta, and how often both words and the pair must occur.
        out: the file to write.
        stage: told of the progress.
    """
    pairs, counts = _count_pairs(text, stage)
    kept = _phrases(text, pairs, counts, threshold, min_count)
    words = {number: word for word, number in text.words.items()}
    joined = EncodedText(out)
    joined.words = dict(text.words)
    joined.lines = text.lines
    size = len(text.counts)
    numbers = np.empty(len(kept), np.int32)
    for place, pair in enumerate(kept.tolist()):
        first, second = divmod(pair, size)
        # The text may have such a word already, or come to it from two pairs.
        name = f"{words[first]}{JOINT}{words[second]}"
        numbers[place] = joined.words.setdefault(name, size + place)
    joined.counts = np.zeros(size + len(kept), np.int64)
    with out.open("wb") as file:
        for chunk in text.chunks(_CHUNK):
            written = _joined(chunk, kept, numbers, size)
            joined.counts += np.bincount(written[written >= 0], minlength=len(joined.counts))
            written.tofile(file)
    joined.words = {word: number for word, number in joined.words.items() if joined.counts[number]}
    return joined


def _count_pairs(text: EncodedText, stage: Stage) -> tuple[np.ndarray, np.ndarray]:
    """Neighbours in a line as first * numbers + second, sorted, and how often each pair occurs."""
    size = len(text.counts)
    pairs = counts = np.zeros(0, np.int64)
    rare = 1
    done = 0
    for chunk in text.chunks(_CHUNK):
        inside = (chunk[:-1] != LINE_END) & (chunk[1:] != LINE_END)
        keys = chunk[:-1][inside].astype(np.int64) * size + chunk[1:][inside]
        new, again = np.unique(keys, return_counts=True)
        pairs, counts = _merged(pairs, counts, new, again)
        while len(pairs) > MOST_PAIRS:
            pairs, counts = pairs[counts > rare], counts[counts > rare]
            rare += 1
        done += int((chunk != LINE_END).sum())
        stage("phrases", done, text.length)
    return pairs, counts


def _merged(
    pairs: np.ndarray, counts: np.ndarray, new: np.ndarray, again: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    both, place = np.unique(np.concatenate([pairs, new]), return_inverse=True)
    total = np.zeros(len(both), np.int64)
    np.add.at(total, place, np.concatenate([counts, again]))
    return both, total


def _phrases(
    text: EncodedText, pairs: np.ndarray, counts: np.ndarray, threshold: float, min_count: int
) -> np.ndarray:
    """The pairs that pass, sorted."""
    first, second = np.divmod(pairs, len(text.counts))
    often = text.counts[first], text.counts[second]
    score = (counts - min_count) / (often[0].astype(np.float64) * often[1]) * text.length
    known = np.zeros(len(text.counts), bool)  # words that were forgotten as rare have no name
    known[list(text.words.values())] = True
    enough = (counts >= min_count) & (often[0] >= min_count) & (often[1] >= min_count)
    return pairs[(score > threshold) & enough & known[first] & known[second]]


def _joined(chunk: np.ndarray, phrases: np.ndarray, numbers: np.ndarray, size: int) -> np.ndarray:
    """A chunk with its phrases joined from the left: of ``a b c``, where both would do, ``a_b c``.

    Args:
        chunk: numbers of words, lines ended.
        phrases: pairs that are joined, sorted.
        numbers: the number of each.
        size: numbers there were, which is how a pair is one number.
    """
    if not len(phrases):
        return chunk
    keys = chunk[:-1].astype(np.int64) * size + chunk[1:]
    place = np.minimum(np.searchsorted(phrases, keys), len(phrases) - 1)
    inside = (chunk[:-1] != LINE_END) & (chunk[1:] != LINE_END)
    starts = np.flatnonzero(inside & (phrases[place] == keys))
    # In a run of overlapping pairs every second one begins a phrase.
    runs = np.flatnonzero(np.diff(starts, prepend=-2) != 1)
    within = np.arange(len(starts)) - np.repeat(runs, np.diff(runs, append=len(starts)))
    starts = starts[within % 2 == 0]
    written = chunk.copy()
    written[starts] = numbers[place[starts]]
    return np.delete(written, starts + 1)
