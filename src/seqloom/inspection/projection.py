"""Vectors in two dimensions: principal components and t-SNE, and how much of them is left.

Both see directions only: the length of a word's vector tells of its frequency more than of its
meaning (Schakel and Wilson 2015), and neighbours are told by the cosine. Axes: N points, D width.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from seqloom.errors import VectorsError

if TYPE_CHECKING:
    from seqloom.corpus.pairs import Progress

QUALITY: dict[str, dict[str, Any]] = {
    "pca": {"variance": list[float]},
    "tsne": {"perplexity": float, "seed": int, "kl_divergence": float},
}
"""What is told of how good each method is, and its type."""
METHODS = tuple(QUALITY)
DECIMALS = 6
"""Of coordinates and figures, so that a record reads back as it was."""

_PERPLEXITY = 30.0  # at most; van der Maaten and Hinton 2008, section 2: 5 to 50
_STEPS = 1000


def project(
    unit: np.ndarray, method: str, seed: int = 1, progress: Progress | None = None
) -> tuple[np.ndarray, dict[str, Any]]:
    """Vectors of length 1 in two dimensions.

    Args:
        unit: [N D], three or more; zeros stay zeros.
        method: one of :data:`METHODS`.
        seed: of t-SNE; principal components need none.
        progress: told how far t-SNE is.

    Returns:
        Points [N 2], and how good they are. PCA: ``variance``, the shares of the variance that
        the axes hold. t-SNE: ``perplexity``, ``seed`` and ``kl_divergence``, what it minimised.

    Raises:
        VectorsError: an unknown method, or vectors that do not differ.
    """
    check_method(method)
    vectors = np.asarray(unit, dtype=np.float64)
    if vectors.shape[1] < 2:
        raise VectorsError(
            "vectors of width 1 point one way or the other; a map needs a width of 2 or more."
        )
    if np.ptp(vectors, axis=0).max() < 1e-7:
        raise VectorsError(
            f"the {len(vectors)} words all have the same direction, so a map would be one point; "
            "choose other words, or train the vectors longer."
        )
    points, quality = _pca(vectors) if method == "pca" else _tsne(vectors, seed, progress)
    return np.round(points.astype(np.float64), DECIMALS), quality


def check_method(method: str) -> str:
    """The method, if it is one.

    Raises:
        VectorsError: names those there are.
    """
    if method not in METHODS:
        raise VectorsError(f"unknown method {method!r}; expected {' or '.join(METHODS)}.")
    return method


def describe(method: str, quality: Mapping[str, Any]) -> str:
    """One sentence on what the picture keeps of the vectors, and one on how to read it."""
    if method == "pca":
        first, second = quality["variance"]
        return (
            f"Principal components of the vectors at length 1: the axes hold {first:.1%} and "
            f"{second:.1%} of the variance. Words that lie together may differ in the rest."
        )
    return (
        f"t-SNE by cosine, perplexity {quality['perplexity']:g}, seed {quality['seed']}, KL "
        f"divergence {quality['kl_divergence']:.3f}. What lies together is alike; distances "
        "between groups, and directions, say nothing."
    )


def _pca(vectors: np.ndarray) -> tuple[np.ndarray, dict[str, Any]]:
    from sklearn.decomposition import PCA

    components = PCA(n_components=2, svd_solver="full")
    points = components.fit_transform(vectors)
    # The sign of a component is free: the word that lies farthest out is on the positive side.
    farthest = points[np.abs(points).argmax(axis=0), [0, 1]]
    points = points * np.where(farthest < 0, -1.0, 1.0)
    shares = components.explained_variance_ratio_
    return points, {"variance": np.round(shares, DECIMALS).tolist()}


def _tsne(
    vectors: np.ndarray, seed: int, progress: Progress | None
) -> tuple[np.ndarray, dict[str, Any]]:
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    # Each point has three times as many neighbours as the perplexity, so there must be that many;
    # where a point's neighbours are most of a small map, its groups shrink to balls.
    number = len(vectors)
    perplexity = round(min(_PERPLEXITY, number**0.5, max(1.0, (number - 1) / 3)), 1)
    tsne = TSNE(
        perplexity=perplexity,
        metric="cosine",
        init=_start(vectors, seed),
        max_iter=_STEPS,
        verbose=2 if progress is not None else 0,
    )
    # Threads add up in any order, and rounding errors grow: on one, a seed gives one picture.
    with _told(progress), threadpool_limits(limits=1, user_api="openmp"):
        points = tsne.fit_transform(vectors)
    quality = {
        "perplexity": perplexity,
        "seed": seed,
        "kl_divergence": round(float(tsne.kl_divergence_), DECIMALS),
    }
    return points, quality


def _start(vectors: np.ndarray, seed: int) -> np.ndarray:
    """Where t-SNE begins: principal components, so that groups lie as they do there (Kobak and
    Berens 2019), each point moved by a tenth of their spread, which is what a seed decides.
    """
    points, _ = _pca(vectors)
    noise = np.random.default_rng(seed).standard_normal(points.shape)
    return (1e-4 * (points / points[:, 0].std() + 0.1 * noise)).astype(np.float32)


@contextlib.contextmanager
def _told(progress: Progress | None) -> Iterator[None]:
    """Hand on how far scikit-learn's t-SNE is: it tells only by printing."""
    if progress is None:
        yield
        return
    with contextlib.redirect_stdout(_Listener(progress, sys.stdout)):
        progress("t-SNE", 0, _STEPS)
        yield
        progress("t-SNE", _STEPS, _STEPS)


class _Listener(io.TextIOBase):
    """Takes the lines of t-SNE out of what is printed, and lets the rest through."""

    def __init__(self, progress: Progress, out: Any) -> None:
        self._progress = progress
        self._out = out
        self._taken = False

    def write(self, text: str) -> int:
        if text.startswith("[t-SNE]"):
            self._taken = True
            if step := re.search(r"Iteration (\d+)", text):
                self._progress("t-SNE", int(step[1]), _STEPS)
        elif self._taken and text == "\n":  # print() writes the end of a line by itself
            self._taken = False
        else:
            self._out.write(text)
        return len(text)
