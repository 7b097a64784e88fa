"""Structural probes: do distances between vectors follow the distances in a syntax tree?

A matrix B is learned so that ``|| B (h_i - h_j) ||^2`` is the number of edges between two words
(Hewitt and Manning 2019, equations 1 and 2). Axes: W words, D width of the vectors, R rank of B.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse.csgraph import minimum_spanning_tree, shortest_path
from scipy.stats import rankdata
from torch import Tensor

_MOST_RANK = 64
_BATCH = 32  # sentences
_RATE = 5e-3
_LEAST_STEPS = 40  # between two looks at the validation part
_MOST_LOOKS = 40
_PATIENCE = 3  # looks without gain; after each the rate is halved
LENGTHS = (5, 50)
"""Rank correlations are those of sentences of so many words (Hewitt and Manning 2019)."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Shape:
    """The tree of a sentence."""

    distances: Tensor
    """Edges between two words [W W]."""
    counted: NDArray[np.bool_]
    """False for punctuation, which is no part of what is measured [W]."""
    heads: tuple[int, ...]
    """The word that each depends on; -1 for a root [W]."""


@dataclass(frozen=True)
class Sentence:
    """The vectors of a sentence, and its tree."""

    vectors: Tensor
    """[W D]."""
    shape: Shape


@dataclass(frozen=True)
class Structure:
    """How well trees are found."""

    uuas: float
    """Edges of the trees, direction aside, that the nearest words make up, in a hundred."""
    spearman: float
    """Rank correlation of distances: mean over words, then sentences of a length, then lengths."""


def tree_distances(heads: Sequence[int]) -> Floats:
    """Edges between any two words of a tree [W W]; words of several roots are infinitely far."""
    edges = np.zeros((len(heads), len(heads)), np.float32)
    for word, head in enumerate(heads):
        if head >= 0:
            edges[word, head] = edges[head, word] = 1
    return shortest_path(edges, directed=False, unweighted=True).astype(np.float32)


def structural_probe(
    train: Sequence[Sentence],
    validation: Sequence[Sentence],
    test: Sequence[Sentence],
    seed: int,
) -> Structure:
    """Learn B on some trees, and measure how well it finds others.

    Args:
        train: what is learned from.
        validation: decides when to stop.
        test: what is measured on.
        seed: of the first weights and of the order.
    """
    matrix = fit(train, validation, seed)
    with torch.no_grad():
        found = [squared_distances(each.vectors, matrix).numpy() for each in test]
    return measured(found, test)


def squared_distances(vectors: Tensor, matrix: Tensor) -> Tensor:
    """``|| B (h_i - h_j) ||^2`` [... W W] of vectors [... W D], with B transposed [D R]."""
    projected = vectors @ matrix
    norms = projected.square().sum(-1)
    products = projected @ projected.transpose(-1, -2)
    return (norms[..., :, None] + norms[..., None, :] - 2 * products).clamp(min=0)


@torch.enable_grad()
def fit(train: Sequence[Sentence], validation: Sequence[Sentence], seed: int) -> Tensor:
    """B, transposed [D R]: Adam on the absolute difference until validation gets no better."""
    width = train[0].vectors.shape[1]
    drawn = torch.Generator().manual_seed(seed)
    start = torch.randn(width, min(width, _MOST_RANK), generator=drawn) / math.sqrt(width)
    matrix = start.requires_grad_()
    optimizer = torch.optim.Adam([matrix], lr=_RATE)
    batches = _batches(_Padded.of(train), np.random.default_rng(seed))
    held = _Padded.of(validation)
    steps = max(_LEAST_STEPS, len(train) // _BATCH)
    best, kept, stale = math.inf, matrix.detach().clone(), 0
    for _ in range(_MOST_LOOKS):
        for sentences in islice(batches, steps):
            optimizer.zero_grad()
            sentences.loss(matrix).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        with torch.no_grad():
            now = float(held.loss(matrix))
        if now < best:
            best, kept, stale = now, matrix.detach().clone(), 0
            continue
        stale += 1
        if stale == _PATIENCE:
            break
        for group in optimizer.param_groups:
            group["lr"] /= 2
    return kept


@dataclass(frozen=True)
class _Padded:
    """N sentences in one tensor each: vectors [N W D], distances and their shares [N W W]."""

    vectors: Tensor
    distances: Tensor
    shares: Tensor
    lengths: Tensor

    @classmethod
    def of(cls, sentences: Sequence[Sentence]) -> _Padded:
        """A pair counts 1 / W^2, or nothing if no path joins it."""
        lengths = torch.tensor([len(each.vectors) for each in sentences])
        longest, width = int(lengths.max()), sentences[0].vectors.shape[1]
        vectors = torch.zeros(len(sentences), longest, width)
        distances = torch.zeros(len(sentences), longest, longest)
        shares = torch.zeros(len(sentences), longest, longest)
        for row, each in enumerate(sentences):
            size = len(each.vectors)
            vectors[row, :size] = each.vectors
            known = torch.isfinite(each.shape.distances)
            distances[row, :size, :size] = each.shape.distances.masked_fill(~known, 0)
            shares[row, :size, :size] = known / size**2
        return cls(vectors, distances, shares, lengths)

    def choose(self, rows: Tensor) -> _Padded:
        """Some of the sentences, no wider than they need."""
        lengths = self.lengths[rows]
        size = int(lengths.max())
        return _Padded(
            self.vectors[rows, :size],
            self.distances[rows, :size, :size],
            self.shares[rows, :size, :size],
            lengths,
        )

    def loss(self, matrix: Tensor) -> Tensor:
        """Mean over sentences of the absolute difference of all pairs (equation 2)."""
        differences = (squared_distances(self.vectors, matrix) - self.distances).abs()
        return (differences * self.shares).sum() / len(self.lengths)


def _batches(train: _Padded, chance: np.random.Generator) -> Iterator[_Padded]:
    """Again and again, in another order each time."""
    while True:
        order = torch.from_numpy(chance.permutation(len(train.lengths)))
        for rows in torch.split(order, _BATCH):
            yield train.choose(rows)


def measured(found: Sequence[Floats], sentences: Sequence[Sentence]) -> Structure:
    """Edges and rank correlations of predicted distances [W W] of sentences."""
    right = edges = 0
    by_length: dict[int, list[float]] = {}
    for distances, sentence in zip(found, sentences, strict=True):
        gold = _gold(sentence)
        tree = spanning_tree(distances, sentence.shape.counted)
        right += len(gold & tree)
        edges += len(gold)
        length = len(sentence.shape.heads)
        if LENGTHS[0] <= length <= LENGTHS[1]:
            correlation = rank_correlation(distances, sentence.shape.distances.numpy())
            by_length.setdefault(length, []).append(correlation)
    means = [float(np.mean(each)) for each in by_length.values()]
    return Structure(100 * right / max(edges, 1), float(np.mean(means)) if means else math.nan)


def chain_uuas(sentences: Sequence[Sentence]) -> float:
    """What linking every word with its neighbour reaches: the baseline without vectors."""
    places = [np.arange(len(each.shape.heads), dtype=np.float32) for each in sentences]
    found = [np.abs(each[:, None] - each[None]) for each in places]
    return measured(found, sentences).uuas


def _gold(sentence: Sentence) -> set[tuple[int, int]]:
    return {
        (min(word, head), max(word, head))
        for word, head in enumerate(sentence.shape.heads)
        if head >= 0 and sentence.shape.counted[word] and sentence.shape.counted[head]
    }


def spanning_tree(distances: Floats, counted: NDArray[np.bool_]) -> set[tuple[int, int]]:
    """The edges, first word first, that join all words that count with the least distance."""
    words = np.flatnonzero(counted)
    if len(words) < 2:
        return set()
    # A distance of 0 would be no edge to scipy.
    inner = np.triu(distances[np.ix_(words, words)].astype(np.float64) + 1e-9, 1)
    rows, columns = minimum_spanning_tree(inner).nonzero()
    return {
        (int(min(words[a], words[b])), int(max(words[a], words[b])))
        for a, b in zip(rows, columns, strict=True)
    }


def rank_correlation(found: Floats, true: Floats) -> float:
    """Spearman's correlation of each word's distances to the others, mean over words."""
    off = ~np.eye(len(true), dtype=bool)
    size = len(true), len(true) - 1
    ranks = [rankdata(each[off].reshape(size), axis=1) for each in (found, true)]
    first, second = (each - each.mean(axis=1, keepdims=True) for each in ranks)
    spread = np.sqrt((first**2).sum(1) * (second**2).sum(1))
    products = (first * second).sum(1)
    return float(np.mean(np.divide(products, spread, out=np.zeros_like(spread), where=spread > 0)))
