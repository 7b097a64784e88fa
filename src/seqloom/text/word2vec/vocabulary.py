"""Words by frequency, and what their counts decide: skipping, drawing, the Huffman tree."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import count as numbered

import numpy as np

from seqloom.errors import VectorsError
from seqloom.text.word2vec.encoded import EncodedText

LEFT_OUT = -2
"""Stands in a mapping for a word that is not in the vocabulary."""


@dataclass(frozen=True)
class Vocabulary:
    """Words, the most frequent first."""

    words: list[str]
    counts: np.ndarray
    """How often each occurs, int64 [V]."""
    mapping: np.ndarray
    """Number in the encoded text -> place here, or :data:`LEFT_OUT`; int32."""

    def __len__(self) -> int:
        return len(self.words)


def vocabulary_of(text: EncodedText, min_count: int) -> Vocabulary:
    """The words that occur at least ``min_count`` times; equal counts in order of appearance.

    Raises:
        VectorsError: there are none, or one only, from which nothing can be learnt.
    """
    numbers = np.fromiter(text.words.values(), np.int64, len(text.words))
    counts = text.counts[numbers]
    order = np.argsort(-counts, kind="stable")
    kept = order[counts[order] >= min_count]
    if len(kept) < 2:
        raise VectorsError(_too_few(text, min_count, counts[order], len(kept)))
    mapping = np.full(len(text.counts), LEFT_OUT, np.int32)
    mapping[numbers[kept]] = np.arange(len(kept), dtype=np.int32)
    words = list(text.words)
    return Vocabulary([words[place] for place in kept], counts[kept], mapping)


def _too_few(text: EncodedText, min_count: int, counts: np.ndarray, kept: int) -> str:
    there = (
        f"the text has {text.length:,} words, {len(counts):,} different ones; "
        if len(counts)
        else "the text has no words. "
    )
    if len(counts) < 2:
        return f"{there}Give a longer text; --set split=spaces takes words as they stand."
    listed = ", ".join(
        f"{int((counts >= least).sum()):,} occur {_times(least)}"
        for least in (1, 2, 5, 10)
        if (counts >= least).any()
    )
    found = "no word occurs" if not kept else "one word alone occurs"
    return (
        f"{found} {min_count:,} times (--min-count): {there}at least so often: {listed}; the most "
        f"frequent {_times(int(counts[0]))}. Give a lower --min-count or a longer text."
    )


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"


def keep_chances(counts: np.ndarray, share: float) -> np.ndarray:
    """The chance of each word not to be skipped, float32 [V].

    As in the program of Mikolov et al. 2013b (their equation 5 has the root alone):
    sqrt(share / f) + share / f for a word of frequency f.
    """
    if share == 0:
        return np.ones(len(counts), np.float32)
    ratio = share * counts.sum() / counts
    return np.minimum(np.sqrt(ratio) + ratio, 1).astype(np.float32)


def alias_table(counts: np.ndarray, power: float) -> tuple[np.ndarray, np.ndarray]:
    """For drawing by count to a power, one draw in constant time (Walker 1977, Vose 1991).

    Returns:
        For each place the share of it that stays with it, float32 [V], and the place that has the
        rest, int32 [V].
    """
    weights = counts.astype(np.float64) ** power
    share = weights * (len(weights) / weights.sum())
    other = np.arange(len(share), dtype=np.int32)
    small = [place for place in range(len(share)) if share[place] < 1]
    large = [place for place in range(len(share)) if share[place] >= 1]
    while small and large:
        low, high = small.pop(), large[-1]
        other[low] = high
        share[high] -= 1 - share[low]
        if share[high] < 1:
            small.append(large.pop())
    share[small + large] = 1  # what is left differs from 1 by rounding only
    return share.astype(np.float32), other


def huffman(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The way from the root to each word in the Huffman tree of the counts (Mikolov et al. 2013a).

    Returns:
        Where each word's way begins [V+1] int64; the inner nodes on it, int32; and at each whether
        it turns left, float32: 1 for the one with the smaller count.
    """
    size = len(counts)
    parent = np.zeros(2 * size - 1, np.int64)
    left = np.zeros(2 * size - 1, np.float32)
    tie = numbered()
    heap = [(int(counts[place]), next(tie), place) for place in reversed(range(size))]
    heapq.heapify(heap)
    for node in range(size, 2 * size - 1):
        first, _, one = heapq.heappop(heap)
        second, _, two = heapq.heappop(heap)
        parent[one] = parent[two] = node
        left[one] = 1
        heapq.heappush(heap, (first + second, next(tie), node))
    ways: list[list[int]] = [[] for _ in range(size)]
    turns: list[list[float]] = [[] for _ in range(size)]
    root = 2 * size - 2
    for word in range(size):
        node = word
        while node != root:
            ways[word].append(int(parent[node]) - size)
            turns[word].append(float(left[node]))
            node = int(parent[node])
    starts = np.zeros(size + 1, np.int64)
    np.cumsum([len(way) for way in ways], out=starts[1:])
    nodes = np.array([node for way in ways for node in reversed(way)], np.int32)
    codes = np.array([turn for way in turns for turn in reversed(way)], np.float32)
    return starts, nodes, codes
