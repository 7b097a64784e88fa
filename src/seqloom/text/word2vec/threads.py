"""word2vec on processors: threads that learn from chunks of the text side by side."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from seqloom.recipe.vectors import VectorsRecipe
from seqloom.text import ngrams
from seqloom.text.word2vec.learner import Learner
from seqloom.text.word2vec.passes import Plan, pass_over
from seqloom.text.word2vec.rows import LOGISTIC, REGISTER
from seqloom.text.word2vec.vocabulary import Vocabulary, alias_table, huffman, keep_chances


class Threads(Learner):
    """The matrices of one training, and the threads that change them.

    With one worker, chunks are done one after the other in the order given.
    """

    def __init__(self, vocabulary: Vocabulary, recipe: VectorsRecipe, workers: int) -> None:
        self._plan = plan_of(vocabulary, recipe)
        self._width = recipe.width
        self._workers = workers
        extra = recipe.buckets if recipe.subwords else 0
        self._inputs = first_values(len(vocabulary) + extra, recipe.width, recipe.seed)
        self._outputs = np.zeros((len(vocabulary), self._inputs.shape[1]), np.float32)
        self._pool = ThreadPoolExecutor(workers) if workers > 1 else None
        self._waiting: deque[Future[None]] = deque()

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def learn(self, numbers: np.ndarray, rate: float, seed: int) -> None:
        """Learn from a chunk of words, now or soon."""
        random = np.array([seed], np.uint64)
        given = numbers, self._plan, self._inputs, self._outputs, rate, random
        if self._pool is None:
            pass_over(*given)
            return
        self._waiting.append(self._pool.submit(pass_over, *given))
        while len(self._waiting) > 2 * self._workers:
            self._waiting.popleft().result()

    def finish(self) -> None:
        """Wait until every chunk is learnt."""
        while self._waiting:
            self._waiting.popleft().result()

    def is_finite(self) -> bool:
        """Whether the vectors of the most frequent words are numbers yet."""
        return bool(np.isfinite(self._inputs[:64].sum()) and np.isfinite(self._outputs[:64].sum()))

    def vectors(self) -> np.ndarray:
        """Input vectors as they are now, words before n-grams, float32 [V+buckets D]."""
        return np.ascontiguousarray(self._inputs[:, : self._width])


def first_values(rows: int, width: int, seed: int) -> np.ndarray:
    """Uniform in +-1/D, padded with zeros, float32; twice those of Mikolov et al., as in gensim."""
    values = np.zeros((rows, -(-width // REGISTER) * REGISTER), np.float32)
    random = np.random.default_rng(seed)
    for begin in range(0, rows, 2**16):  # no second copy of a large table
        part = values[begin : begin + 2**16, :width]
        part[:] = (2 * random.random(part.shape, np.float32) - 1) / width
    return values


def plan_of(vocabulary: Vocabulary, recipe: VectorsRecipe) -> Plan:
    """What the kernels need to know of a vocabulary and a recipe."""
    none, numbers = np.zeros(0, np.float32), np.zeros(0, np.int64)
    share, other = none, np.zeros(0, np.int32)
    way_starts, way_nodes, way_codes = numbers, np.zeros(0, np.int32), none
    ngram_starts, ngram_rows = numbers, numbers
    if recipe.objective == "hierarchical":
        way_starts, way_nodes, way_codes = huffman(vocabulary.counts)
        longest = int(np.diff(way_starts).max())
    else:
        share, other = alias_table(vocabulary.counts, recipe.noise_power)
        longest = 1 + recipe.negatives
    if recipe.subwords:
        ngram_starts, ngram_rows = ngrams.table(
            vocabulary.words, recipe.shortest_ngram, recipe.longest_ngram, recipe.buckets
        )
        ngram_rows = ngram_rows + len(vocabulary)
    return Plan(
        cbow=recipe.architecture == "cbow",
        mean=recipe.combine == "mean",
        window=recipe.window,
        dynamic=recipe.dynamic_window,
        negatives=0 if recipe.objective == "hierarchical" else recipe.negatives,
        chances=keep_chances(vocabulary.counts, recipe.subsample),
        share=share,
        other=other,
        way_starts=way_starts,
        way_nodes=way_nodes,
        way_codes=way_codes,
        ngram_starts=ngram_starts,
        ngram_rows=ngram_rows,
        longest=longest,
        logistic=LOGISTIC,
    )
