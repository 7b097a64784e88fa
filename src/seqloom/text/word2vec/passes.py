"""One pass of word2vec over a chunk of a text (Mikolov et al. 2013a, figure 1).

skipgram: each word of a window is to tell the word in its middle. The paper has it the other way
round; over a text both give the same pairs, and this way the window shares its targets.
cbow: the words of a window together are to tell the word in its middle.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from seqloom.text.word2vec.drawing import draw, negatives_of, sampled, way_to, window_of
from seqloom.text.word2vec.machine_code import compiled
from seqloom.text.word2vec.rows import fetch, learn, spread, total


class Plan(NamedTuple):
    """What does not change during a training; V words, arrays that are not needed are empty."""

    cbow: bool
    """Join the words of a window; else one after the other."""
    mean: bool
    """cbow: by their mean; else by their sum."""
    window: int
    dynamic: bool
    """Draw the size of each window."""
    negatives: int
    """Drawn words a window; 0 for the Huffman tree."""
    chances: np.ndarray
    """Of each word not to be skipped, float32 [V]."""
    share: np.ndarray
    """With ``other``, Walker's table to draw words from, float32 [V]."""
    other: np.ndarray
    way_starts: np.ndarray
    """Where in ``way_nodes`` and ``way_codes`` each word's way through the tree begins [V+1]."""
    way_nodes: np.ndarray
    way_codes: np.ndarray
    ngram_starts: np.ndarray
    """Where in ``ngram_rows`` each word's n-grams begin [V+1]."""
    ngram_rows: np.ndarray
    """Rows of the input matrix."""
    longest: int
    """Most targets that a word can have."""
    logistic: np.ndarray
    """Table of the logistic function."""


def _pass_over(
    numbers: np.ndarray,
    plan: Plan,
    inputs: np.ndarray,
    outputs: np.ndarray,
    rate: float,
    random: np.ndarray,
) -> None:
    """Learn from a chunk of words, lines ended by -1; changes both matrices and ``random``.

    Args:
        numbers: words by place in the vocabulary, int32.
        plan: see :class:`Plan`.
        inputs: vectors of the words and, behind them, of their n-grams [V+buckets D].
        outputs: vectors of the words, or of the nodes of the tree [V D].
        rate: learning rate.
        random: state of the random numbers, uint64 [1].
    """
    width = inputs.shape[1]
    kept = np.empty(len(numbers), np.int32)
    count = sampled(numbers, plan.chances, random, kept)
    around = np.empty(2 * plan.window, np.int64)
    targets = np.empty(plan.longest, np.int64)
    labels = np.empty(plan.longest, inputs.dtype)
    hidden = np.empty((2 * plan.window, width), inputs.dtype)
    changes = np.empty((2 * plan.window, width), inputs.dtype)
    errors = np.empty((2 * plan.window, plan.longest), inputs.dtype)
    near = np.empty((plan.longest, width), inputs.dtype)
    for place in range(count):
        word = kept[place]
        if word < 0:
            continue
        reach = plan.window
        if plan.dynamic:
            reach -= int((draw(random) * np.uint64(plan.window)) >> np.uint64(32))
        many = window_of(kept, count, place, reach, around)
        if many == 0:
            continue
        if plan.negatives:
            number = negatives_of(
                word, plan.negatives, plan.share, plan.other, random, targets, labels
            )
        else:
            number = way_to(word, plan.way_starts, plan.way_nodes, plan.way_codes, targets, labels)
        gather(plan, inputs, around, many, hidden)
        rows = 1 if plan.cbow else many
        learn(
            hidden, rows, targets, labels, number, outputs, rate, plan.logistic, errors, changes,
            near,
        )  # fmt: skip
        scatter(plan, changes, inputs, around, many)


def _gather(
    plan: Plan, inputs: np.ndarray, around: np.ndarray, many: int, hidden: np.ndarray
) -> None:
    """The vectors of the words of a window, one after the other, or for cbow all in the first row.

    The vector of a word is its row, or the mean of it and of its n-grams' rows.
    """
    if len(plan.ngram_starts) == 0:
        if plan.cbow:
            total(inputs, around, many, hidden[0])
        else:
            fetch(inputs, around, many, hidden)
    else:
        for i in range(many):
            word = around[i]
            parts = plan.ngram_rows[plan.ngram_starts[word] : plan.ngram_starts[word + 1]]
            total(inputs, parts, len(parts), hidden[i])
            scale = inputs.dtype.type(1.0 / (1 + len(parts)))
            for d in range(inputs.shape[1]):
                hidden[i, d] = (hidden[i, d] + inputs[word, d]) * scale
            if plan.cbow and i > 0:
                for d in range(inputs.shape[1]):
                    hidden[0, d] += hidden[i, d]
    if plan.cbow and plan.mean:
        scale = inputs.dtype.type(1.0 / many)
        for d in range(inputs.shape[1]):
            hidden[0, d] *= scale


gather = compiled(_gather)


def _scatter(
    plan: Plan, changes: np.ndarray, inputs: np.ndarray, around: np.ndarray, many: int
) -> None:
    """Add what was learnt to the words of a window and, as fastText does, to each of their n-grams.

    A mean hands its whole change to each word, as the program of Mikolov et al. does.
    """
    step = 0 if plan.cbow else 1
    spread(changes, step, inputs, around, many)
    if len(plan.ngram_starts):
        for i in range(many):
            word = around[i]
            parts = plan.ngram_rows[plan.ngram_starts[word] : plan.ngram_starts[word + 1]]
            spread(changes[step * i : step * i + 1], 0, inputs, parts, len(parts))


scatter = compiled(_scatter)
pass_over = compiled(_pass_over)
