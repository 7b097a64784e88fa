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
    # A copy in this thread's own memory: beside another's, both would wait for one cache line.
    given, random = random, random.copy()
    kept = np.empty(len(numbers), np.int32)
    count = sampled(numbers, plan.chances, random, kept)
    # Out of the tuple, once: each taking out counts a reference, for which threads wait in turn.
    cbow, mean, window, negatives = plan.cbow, plan.mean, plan.window, plan.negatives
    share, other, logistic = plan.share, plan.other, plan.logistic
    starts, nodes, codes = plan.way_starts, plan.way_nodes, plan.way_codes
    ngram_starts, ngram_rows = plan.ngram_starts, plan.ngram_rows
    around, targets, labels, hidden, changes, errors, near = room_for(plan, inputs)
    for place in range(count):
        word, reach = kept[place], window
        if word < 0:
            continue
        if plan.dynamic:
            reach -= int((draw(random) * np.uint64(window)) >> np.uint64(32))
        many = window_of(kept, count, place, reach, around)
        if many == 0:
            continue
        if negatives:
            number = negatives_of(word, negatives, share, other, random, targets, labels)
        else:
            number = way_to(word, starts, nodes, codes, targets, labels)
        gather(cbow, mean, inputs, around, many, ngram_starts, ngram_rows, hidden)
        learn(
            hidden, 1 if cbow else many, targets, labels, number, outputs, rate, logistic, errors,
            changes, near,
        )  # fmt: skip
        scatter(0 if cbow else 1, changes, inputs, around, many, ngram_starts, ngram_rows)
    given[0] = random[0]


def _room_for(
    plan: Plan, inputs: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Memory for one window of M words and N targets.

    Returns:
        Words [M], rows of their targets [N], labels of these [N], input vectors [M D], what they
        are changed by [M D], errors times the rate [M N], vectors of the targets [N D].
    """
    most, width = 2 * plan.window, inputs.shape[1]
    return (
        np.empty(most, np.int64),
        np.empty(plan.longest, np.int64),
        np.empty(plan.longest, inputs.dtype),
        np.empty((most, width), inputs.dtype),
        np.empty((most, width), inputs.dtype),
        np.empty((most, plan.longest), inputs.dtype),
        np.empty((plan.longest, width), inputs.dtype),
    )


room_for = compiled(_room_for)


def _gather(
    cbow: bool,
    mean: bool,
    inputs: np.ndarray,
    around: np.ndarray,
    many: int,
    starts: np.ndarray,
    rows: np.ndarray,
    hidden: np.ndarray,
) -> None:
    """The vectors of the words of a window, one after the other, or for cbow all in the first row.

    The vector of a word is its row, or the mean of it and of its n-grams' rows.
    """
    if len(starts) == 0:
        if cbow:
            total(inputs, around, many, hidden, 0)
        else:
            fetch(inputs, around, many, hidden)
    else:
        for i in range(many):
            parts = rows[starts[around[i]] : starts[around[i] + 1]]
            total(inputs, parts, len(parts), hidden, i)
            scale = inputs.dtype.type(1.0 / (1 + len(parts)))
            for d in range(inputs.shape[1]):
                hidden[i, d] = (hidden[i, d] + inputs[around[i], d]) * scale
            if cbow and i > 0:
                for d in range(inputs.shape[1]):
                    hidden[0, d] += hidden[i, d]
    if cbow and mean:
        scale = inputs.dtype.type(1.0 / many)
        for d in range(inputs.shape[1]):
            hidden[0, d] *= scale


gather = compiled(_gather)


def _scatter(
    step: int,
    changes: np.ndarray,
    inputs: np.ndarray,
    around: np.ndarray,
    many: int,
    starts: np.ndarray,
    rows: np.ndarray,
) -> None:
    """Add what was learnt to the words of a window and, as fastText does, to each of their n-grams.

    With ``step`` 0 there is one change for all: a mean hands its whole change to each word, as in
    the program of Mikolov et al.
    """
    spread(changes, step, inputs, around, many)
    if len(starts):
        for i in range(many):
            parts = rows[starts[around[i]] : starts[around[i] + 1]]
            spread(changes[step * i : step * i + 1], 0, inputs, parts, len(parts))


scatter = compiled(_scatter)
pass_over = compiled(_pass_over)
