"""Linear classifiers of sparse vectors: logistic regression, a linear SVM, and NBSVM.

Axes: N texts, V words, C classes; R rows of weights, 1 for two classes and C for more. A text x
[V] has the scores W x + b [R]; of two classes, the single score speaks for the second.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from seqloom.corpus.pairs import Progress

Kind = Literal["logistic", "svm", "nbsvm"]
"""Logistic regression; SVM with squared hinge loss (Fan et al. 2008); SVM whose words count by
how much more often one class has them than the others (Wang and Manning 2012)."""

GRID: dict[Kind, tuple[float, ...]] = {
    "logistic": (1.0, 3.0, 10.0, 30.0, 100.0),
    "svm": (0.1, 0.3, 1.0, 3.0, 10.0),
    "nbsvm": (0.1, 0.3, 1.0, 3.0, 10.0),
}
"""Values of C that are tried, in units of 1 / the mean squared length of a text: so the same ones
suit every weighting."""

_STEPS, _PASSES = 1000, 100
_MANY = 250_000  # weights from which on L-BFGS takes long
_SMOOTHING, _TRUST = 1.0, 0.25  # alpha and beta of Wang and Manning (2012), section 2.3


class Weights(NamedTuple):
    """What a linear classifier has learnt."""

    weights: NDArray[np.float32]
    """W [R V]"""
    bias: NDArray[np.float32]
    """b [R]"""


class Search(NamedTuple):
    """How C was chosen."""

    c: float
    tried: dict[float, float]
    """C -> share of texts that were labelled right while they were held out."""


def fit(matrix: csr_array, target: NDArray[np.int64], kind: Kind, c: float, seed: int) -> Weights:
    """Train on all texts.

    Args:
        matrix: texts [N V].
        target: the class of each [N]; the classes are 0 to C - 1, and all of them occur.
        kind: of classifier.
        c: weight of the loss against half the squared length of the weights; small values keep
            the weights small.
        seed: of the order in which the SVM's solver looks at texts.
    """
    with _quiet_solver():
        if kind == "nbsvm":
            return _nbsvm(matrix, target, c, seed)
        model = _svm(c, seed) if kind == "svm" else _logistic(matrix, target, c, seed)
        model.fit(matrix, target)
        return _learnt(model.coef_, model.intercept_)


def scores(matrix: csr_array, learnt: Weights) -> NDArray[np.float64]:
    """The score of each class [N C]; of two classes, one is the other's with its sign changed."""
    found: NDArray[np.float64] = matrix @ learnt.weights.T.astype(np.float64) + learnt.bias
    return np.concatenate((-found, found), axis=1) if found.shape[1] == 1 else found


def search(
    matrix: csr_array,
    target: NDArray[np.int64],
    fold: NDArray[np.int64],
    kind: Kind,
    seed: int,
    progress: Progress | None = None,
) -> Search:
    """Choose C by cross-validation: the best accuracy, and of equals the one in the middle.

    Args:
        matrix: training texts [N V].
        target: the class of each [N].
        fold: where each text is held out [N], 0 and up.
        kind: of classifier.
        seed: as in :func:`fit`.
        progress: told how many of all trainings are done.
    """
    unit = len(target) / max(float((matrix.data**2).sum()), np.finfo(np.float64).tiny)
    grid = [c * unit for c in GRID[kind]]
    hits, judged = np.zeros(len(grid)), 0
    numbers = range(int(fold.max()) + 1)
    for number in numbers:
        held = fold == number
        known, rest = np.unique(target[~held], return_inverse=True)
        # Of a handful of texts a fold may be empty, or leave only one class to learn.
        if not held.any() or len(known) < 2:
            continue
        judged += int(held.sum())
        for at, learnt in enumerate(_path(matrix[~held], rest, kind, grid, seed)):
            said = known[scores(matrix[held], learnt).argmax(axis=1)]
            hits[at] += np.count_nonzero(said == target[held])
            if progress is not None:
                done = number * len(grid) + at + 1
                progress("cross-validation", done, len(numbers) * len(grid))
    tried = dict(zip(grid, (hits / max(judged, 1)).tolist(), strict=True))
    middle = grid[len(grid) // 2]
    best = max(grid, key=lambda c: (tried[c], -abs(math.log(c / middle))))
    return Search(best, tried)


def _path(
    matrix: csr_array, target: NDArray[np.int64], kind: Kind, grid: list[float], seed: int
) -> Iterator[Weights]:
    """Trainings with growing C, precise enough to compare them.

    Logistic regression goes on from the one before.
    """
    if kind != "logistic":
        for c in grid:
            yield fit(matrix, target, kind, c, seed)
        return
    model = _gradients(seed)
    for c in grid:
        with _quiet_solver():
            model.set_params(C=c).fit(matrix, target)
        yield _learnt(model.coef_, model.intercept_)


def _gradients(seed: int) -> Any:
    """Logistic regression by stochastic average gradient (Schmidt et al. 2017).

    Its steps cost what the words of a text cost, not what the vocabulary times the classes does:
    with 50 classes it takes a fifteenth of the time of L-BFGS. It is the less precise one.
    """
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(
        solver="sag", tol=1e-3, max_iter=_PASSES, warm_start=True, random_state=seed
    )


def _logistic(matrix: csr_array, target: NDArray[np.int64], c: float, seed: int) -> Any:
    """Logistic regression by L-BFGS, as scikit-learn does by itself; begun from near if large."""
    from sklearn.linear_model import LogisticRegression

    if (int(target.max()) + 1) * matrix.shape[1] <= _MANY:
        return LogisticRegression(C=c, max_iter=_STEPS)
    model = _gradients(seed).set_params(C=c).fit(matrix, target)
    return model.set_params(solver="lbfgs", tol=1e-4, max_iter=_STEPS)


def _svm(c: float, seed: int) -> Any:
    from sklearn.svm import LinearSVC

    return LinearSVC(C=c, max_iter=_STEPS, random_state=seed)


def _nbsvm(matrix: csr_array, target: NDArray[np.int64], c: float, seed: int) -> Weights:
    """One class against the others, for each (Wang and Manning 2012, equations 1 to 3 and 5)."""
    classes = int(target.max()) + 1
    rows = [_one_against_others(matrix, target == each, c, seed) for each in range(classes)]
    rows = rows[1:] if classes == 2 else rows
    return _learnt(np.stack([row for row, _ in rows]), np.array([bias for _, bias in rows]))


def _one_against_others(
    matrix: csr_array, own: NDArray[np.bool_], c: float, seed: int
) -> tuple[NDArray[np.float64], float]:
    ratio = log_count_ratio(matrix, own)
    scaled = matrix.copy()
    scaled.data = matrix.data * ratio[matrix.indices]
    model = _svm(c, seed).fit(scaled, own)
    weights = model.coef_[0]
    trusted = (1 - _TRUST) * np.abs(weights).mean() + _TRUST * weights
    return ratio * trusted, float(model.intercept_[0])


def log_count_ratio(matrix: csr_array, own: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How much more of a class each word is than of the others: r [V].

    r = log((p / |p|_1) / (q / |q|_1)), where p and q are the sums of the vectors of the class's
    texts and of the others', plus 1 (Wang and Manning 2012, section 2.1).
    """
    sides = [_SMOOTHING + np.asarray(matrix[side].sum(axis=0)).ravel() for side in (own, ~own)]
    p, q = (side / side.sum() for side in sides)
    return np.log(p / q)


def _learnt(weights: Any, bias: Any) -> Weights:
    # As they will be stored, so that a classifier that is loaded says what it said before.
    return Weights(np.asarray(weights, np.float32), np.asarray(bias, np.float32))


class _quiet_solver(warnings.catch_warnings):  # noqa: N801  (used like a function)
    """Without the library's warning that a solver stopped early: C is judged by what came out."""

    def __enter__(self) -> Any:
        from sklearn.exceptions import ConvergenceWarning

        entered = super().__enter__()
        warnings.simplefilter("ignore", ConvergenceWarning)
        return entered
