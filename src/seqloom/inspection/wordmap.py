"""Maps of words: vectors in two dimensions, as a record and as what draws it.

Axes: V words of the vectors, N words of the map, D width. A record holds what a picture, a page or
a notebook shows and nothing of the vectors, so it is drawn without them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from seqloom.errors import VectorsError
from seqloom.inspection.fields import declared, members
from seqloom.inspection.projection import DECIMALS, QUALITY, check_method, describe, project
from seqloom.inspection.record import Record

if TYPE_CHECKING:
    from seqloom.corpus.pairs import Progress
    from seqloom.text.vectors import WordVectors

NUMBER = 300
"""Words of a map unless said otherwise; more can hardly be read at once."""
NEIGHBOURS = 5
"""Nearest words that a record has for each of its words."""
FEWEST = 3
"""Words of the smallest map."""

_NAMED = 10  # unknown words that a message names
_CELLS = 2**24  # cosines held at a time


@dataclass(frozen=True, eq=False)
class WordMap(Record):
    """Words and where they lie; draws itself in a notebook."""

    kind = noun = "word map"

    words: list[str]
    """[N], each once."""
    points: np.ndarray
    """Where each lies [N 2]."""
    method: str
    """One of :data:`seqloom.inspection.projection.METHODS`."""
    quality: dict[str, Any]
    """How good the method is here: see :func:`seqloom.inspection.projection.project`."""
    neighbours: list[list[tuple[str, float]]]
    """For each, the words whose vectors are most like its own, out of all V and in all D
    dimensions, with their cosines; the nearest first. Not all of them are on the map."""
    vocabulary: int
    """V."""
    sections: list[str] = field(default_factory=list)
    """The section that each was given in [N]; empty unless there are several."""
    counts: list[int | None] = field(default_factory=list)
    """How often each was seen in training [N]; empty if that is not known."""
    ranks: list[int | None] = field(default_factory=list)
    """The place of each among all V by counts [N], the most frequent is 1; empty as ``counts``."""
    unknown: list[str] = field(default_factory=list)
    """Words that were asked for and have no vector."""

    def __post_init__(self) -> None:
        number = len(self.words)
        if self.points.shape != (number, 2) or not np.isfinite(self.points).all():
            raise ValueError(f"points of shape {self.points.shape}; expected {number} finite pairs")
        for name in ("neighbours", "sections", "counts", "ranks"):
            length = len(getattr(self, name))
            if length != number and (length or name == "neighbours"):
                raise ValueError(f"{name} of {length} words; expected {number}")
        describe(check_method(self.method), self.quality)  # nothing that it needs may be missing

    def values(self) -> dict[str, Any]:
        """See :meth:`Record.values`."""
        return {
            "method": self.method,
            "quality": self.quality,
            "vocabulary": self.vocabulary,
            "words": self.words,
            "points": self.points.tolist(),
            "sections": self.sections,
            "counts": self.counts,
            "ranks": self.ranks,
            "neighbours": [[list(pair) for pair in near] for near in self.neighbours],
            "unknown": self.unknown,
        }

    @classmethod
    def of(cls, values: Mapping[str, Any], version: int) -> Self:
        """See :meth:`Record.of`."""
        kinds = {"points": list[tuple[float, float]], "quality": dict[str, Any]}
        given = members(declared(cls) | kinds, values)
        figures = QUALITY[check_method(given["method"])]
        given["quality"] = members(figures, given["quality"], "quality")
        given["points"] = np.array(given["points"], dtype=np.float64)
        return cls(**given)

    def page(self) -> str:
        """See :meth:`Record.page`."""
        from seqloom.inspection.wordmap_page import page_of

        return page_of(self.as_dict())

    def picture(self, suffix: str, progress: Progress | None = None) -> bytes:
        """See :meth:`Record.picture`."""
        from seqloom.inspection.wordmap_picture import picture_of

        return picture_of(self.as_dict(), suffix, progress)


def map_words(
    vectors: WordVectors,
    words: Iterable[str] | None = None,
    *,
    method: str = "pca",
    number: int = NUMBER,
    seed: int = 1,
    progress: Progress | None = None,
) -> WordMap:
    """Lay words out in two dimensions.

    Args:
        vectors: where their vectors are.
        words: which; may map each to its section. Those without a vector are left out and noted.
        method: ``pca`` or ``tsne``.
        number: how many of the most frequent words, where none are given.
        seed: of t-SNE.
        progress: told how far it is.

    Raises:
        VectorsError: fewer than three words have vectors, they do not differ, or an unknown method.
    """
    check_method(method)
    chosen = dict.fromkeys(vectors.first(number).words if words is None else words, "")
    if isinstance(words, Mapping):
        chosen.update(words)
    found = _directions(vectors, chosen)
    known, unknown = list(found), [word for word in chosen if word not in found]
    if len(known) < FEWEST:
        raise VectorsError(_too_few(len(known), unknown))
    unit = np.stack(list(found.values()))
    points, quality = project(unit, method, seed, progress)
    near = _nearest(vectors, known, unit, progress)
    several = len({chosen[word] for word in known}) > 1
    sections = [chosen[word] for word in known] if several else []
    counts, ranks = _frequencies(vectors, known)
    return WordMap(
        known, points, method, quality, near, len(vectors), sections, counts, ranks, unknown
    )


def named(words: list[str]) -> str:
    """Words of a message, the first ten."""
    more = f" and {len(words) - _NAMED:,} more" if len(words) > _NAMED else ""
    return ", ".join(words[:_NAMED]) + more


def _too_few(found: int, unknown: list[str]) -> str:
    missing = f"; not among them: {named(unknown)}" if unknown else ""
    return (
        f"a map takes {FEWEST} different words or more, and {found} of those given "
        f"{'has' if found == 1 else 'have'} a vector{missing}. Give more words, or none at all for "
        "the most frequent ones."
    )


def _directions(vectors: WordVectors, words: Iterable[str]) -> dict[str, np.ndarray]:
    """Vectors at length 1 [D], of those words that have one; a vector of zeros has no direction."""
    found = {}
    for word in words:
        if word not in vectors and vectors.ngrams is None:
            continue
        try:
            vector = vectors.vector(word).astype(np.float64)
        except VectorsError:  # too short for an n-gram
            continue
        if length := np.linalg.norm(vector):
            found[word] = (vector / length).astype(np.float32)
    return found


def _frequencies(
    vectors: WordVectors, words: list[str]
) -> tuple[list[int | None], list[int | None]]:
    """Counts and ranks of words; None for words composed of n-grams, empty if none are known."""
    if vectors.counts is None:
        return [], []
    order = np.argsort(-np.asarray(vectors.counts, np.int64), kind="stable")
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(1, len(order) + 1)
    rows = [vectors.row(word) for word in words]
    counts = [None if row is None else int(vectors.counts[row]) for row in rows]
    return counts, [None if row is None else int(places[row]) for row in rows]


def _nearest(
    vectors: WordVectors, words: list[str], unit: np.ndarray, progress: Progress | None
) -> list[list[tuple[str, float]]]:
    """What :meth:`WordVectors.neighbours` says of each word, for many words at once."""
    found: list[list[tuple[str, float]]] = []
    number = min(NEIGHBOURS, len(vectors) - 1)
    size = max(1, _CELLS // len(vectors))
    for start in range(0, len(words), size):
        part = slice(start, start + size)
        cosines = unit[part] @ vectors.unit.T  # [part V]
        for word, row in zip(words[part], cosines, strict=True):
            own = vectors.row(word)
            if own is not None:
                row[own] = -np.inf
            least = np.partition(row, -number)[-number]
            near = np.flatnonzero(row >= least)
            best = near[np.argsort(-row[near], kind="stable")][:number]
            found.append([(vectors.words[n], round(float(row[n]), DECIMALS)) for n in best])
        if progress is not None:
            progress("neighbours", len(found), len(words))
    return found
