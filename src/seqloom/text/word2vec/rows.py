"""The arithmetic of word2vec on rows of matrices, compiled by numba.

For each word and the words around it, all scores are taken first and all weights changed after, as
one small product of matrices (Ji et al. 2016, "Parallelizing word2vec in shared and distributed
memory"): the words of a window share the drawn negatives, so these are fetched once a window and
not once a pair. Threads write to the same matrices without locks (Recht et al. 2011, "Hogwild").

Every loop goes through three rows at a time: rows are so short that most of the cost is in
beginning and ending a loop, and the waits for three rows of memory overlap.

Shapes: D width, padded with zeros so that rows fill whole vector registers; M words of a window; N
targets: the right word and the negatives, or the nodes of a way through the Huffman tree.
"""

from __future__ import annotations

import numpy as np

from seqloom.text.word2vec.machine_code import compiled

REGISTER = 16
"""Floats that the widest vector register holds; rows are padded to a multiple."""
_BOUND = 8.0  # beyond it, the logistic function is computed and not looked up
_STEPS = 4096
LOGISTIC = (1 / (1 + np.exp(-np.linspace(-_BOUND, _BOUND, _STEPS + 1)))).astype(np.float32)
"""The logistic function; linear between these points, it is right to 3e-7."""


def _logistic(score: float, table: np.ndarray) -> float:
    """1 / (1 + e^-score), by linear interpolation in ``table``; exact where the table ends."""
    if not -_BOUND < score < _BOUND:  # or not a number, which is no place in a table
        return 1.0 / (1.0 + np.exp(-score))
    place = (score + _BOUND) * (_STEPS / (2 * _BOUND))
    low = int(place)
    return table[low] + (place - low) * (table[low + 1] - table[low])


logistic = compiled(_logistic)


def _fetch(matrix: np.ndarray, rows: np.ndarray, number: int, into: np.ndarray) -> None:
    """into[k] = matrix[rows[k]]."""
    k = 0
    while k + 2 < number:
        a, b, c = rows[k], rows[k + 1], rows[k + 2]
        for d in range(matrix.shape[1]):
            into[k, d] = matrix[a, d]
            into[k + 1, d] = matrix[b, d]
            into[k + 2, d] = matrix[c, d]
        k += 3
    while k < number:
        a = rows[k]
        for d in range(matrix.shape[1]):
            into[k, d] = matrix[a, d]
        k += 1


fetch = compiled(_fetch)


def _total(matrix: np.ndarray, rows: np.ndarray, number: int, into: np.ndarray, i: int) -> None:
    """into[i] = sum of matrix[rows[k]]."""
    into[i, :] = 0
    k = 0
    while k + 2 < number:
        a, b, c = rows[k], rows[k + 1], rows[k + 2]
        for d in range(matrix.shape[1]):
            into[i, d] += matrix[a, d] + matrix[b, d] + matrix[c, d]
        k += 3
    while k < number:
        a = rows[k]
        for d in range(matrix.shape[1]):
            into[i, d] += matrix[a, d]
        k += 1


total = compiled(_total)


def _spread(
    changes: np.ndarray, step: int, matrix: np.ndarray, rows: np.ndarray, number: int
) -> None:
    """Add changes[k] to matrix[rows[k]]; with ``step`` 0, changes[0] to all of them."""
    k = 0
    while k + 2 < number:
        a, b, c = rows[k], rows[k + 1], rows[k + 2]
        x, y, z = step * k, step * (k + 1), step * (k + 2)
        for d in range(matrix.shape[1]):
            matrix[a, d] += changes[x, d]
            matrix[b, d] += changes[y, d]
            matrix[c, d] += changes[z, d]
        k += 3
    while k < number:
        a, x = rows[k], step * k
        for d in range(matrix.shape[1]):
            matrix[a, d] += changes[x, d]
        k += 1


spread = compiled(_spread)


def _score(hidden: np.ndarray, i: int, near: np.ndarray, number: int, scores: np.ndarray) -> None:
    """scores[i, t] = hidden[i] . near[t]."""
    t = 0
    while t + 2 < number:
        x = y = z = near.dtype.type(0)
        for d in range(near.shape[1]):
            x += hidden[i, d] * near[t, d]
            y += hidden[i, d] * near[t + 1, d]
            z += hidden[i, d] * near[t + 2, d]
        scores[i, t], scores[i, t + 1], scores[i, t + 2] = x, y, z
        t += 3
    while t < number:
        x = near.dtype.type(0)
        for d in range(near.shape[1]):
            x += hidden[i, d] * near[t, d]
        scores[i, t] = x
        t += 1


score = compiled(_score)


def _mix(
    factors: np.ndarray, i: int, vectors: np.ndarray, number: int, into: np.ndarray, row: int
) -> None:
    """Add the sum over k of factors[i, k] vectors[k] to into[row]."""
    k = 0
    while k + 2 < number:
        x, y, z = factors[i, k], factors[i, k + 1], factors[i, k + 2]
        for d in range(vectors.shape[1]):
            into[row, d] += x * vectors[k, d] + y * vectors[k + 1, d] + z * vectors[k + 2, d]
        k += 3
    while k < number:
        x = factors[i, k]
        for d in range(vectors.shape[1]):
            into[row, d] += x * vectors[k, d]
        k += 1


mix = compiled(_mix)


def _mix_one(
    factors: np.ndarray, vectors: np.ndarray, matrix: np.ndarray, rows: np.ndarray, number: int
) -> None:
    """Add factors[0, k] vectors[0] to matrix[rows[k]]."""
    k = 0
    while k + 2 < number:
        a, b, c = rows[k], rows[k + 1], rows[k + 2]
        x, y, z = factors[0, k], factors[0, k + 1], factors[0, k + 2]
        for d in range(matrix.shape[1]):
            matrix[a, d] += x * vectors[0, d]
            matrix[b, d] += y * vectors[0, d]
            matrix[c, d] += z * vectors[0, d]
        k += 3
    while k < number:
        a, x = rows[k], factors[0, k]
        for d in range(matrix.shape[1]):
            matrix[a, d] += x * vectors[0, d]
        k += 1


mix_one = compiled(_mix_one)


def _learn(
    hidden: np.ndarray,
    many: int,
    targets: np.ndarray,
    labels: np.ndarray,
    number: int,
    outputs: np.ndarray,
    rate: float,
    table: np.ndarray,
    errors: np.ndarray,
    changes: np.ndarray,
    near: np.ndarray,
) -> None:
    """One step down the gradient of sum over i, t of -log sigma(+-h_i . o_t).

    Changes ``outputs``; leaves in ``changes`` [M D] what the input vectors are to be changed by.
    All gradients are those of the values before the step.

    Args:
        hidden: input vectors h [M D], of which the first ``many`` count.
        targets: rows of ``outputs`` [N], of which the first ``number`` count.
        labels: 1 for a right target, 0 for a wrong one [N].
        errors: room for the errors times the rate [M N].
        near: room for the targets' vectors, one after the other [N D].
    """
    fetch(outputs, targets, number, near)
    for i in range(many):
        score(hidden, i, near, number, errors)
        for t in range(number):
            errors[i, t] = (labels[t] - logistic(errors[i, t], table)) * rate
    for i in range(many):
        changes[i, :] = 0
        mix(errors, i, near, number, changes, i)
    if many == 1:
        mix_one(errors, hidden, outputs, targets, number)
    else:
        turned = errors.T
        for t in range(number):
            mix(turned, t, hidden, many, outputs, targets[t])


learn = compiled(_learn)
