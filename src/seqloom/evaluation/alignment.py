"""Word alignments against gold, and two directions made one.

::

    precision   |A & P| / |A|
    recall      |A & S| / |S|
    AER         1 - (|A & S| + |A & P|) / (|A| + |S|)

with the links found A, the sure ones S and the possible ones P, of which S are a part (Och and Ney
2003, section 5). Figures are of all pairs together, on a scale of 0 to 100.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from seqloom.corpus.alignments import Gold, Link
from seqloom.errors import EvaluationError
from seqloom.evaluation.bootstrap import SEED, interval

Symmetry = Literal["intersection", "union", "grow-diag", "grow-diag-final", "grow-diag-final-and"]
"""How two directions become one alignment (Och and Ney 2003; Koehn et al. 2005)."""

_NEIGHBOURS = ((-1, 0), (0, -1), (1, 0), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1))


@dataclass(frozen=True)
class Alignment:
    """How good the links of some pairs are."""

    pairs: int
    links: int
    """Links found."""
    sure: int
    """Sure links of the gold."""
    precision: float
    recall: float
    aer: float
    """Alignment error rate."""
    low: float
    """Lower end of its 95 % interval, by drawing pairs (Efron 1979)."""
    high: float
    """Upper end."""

    def as_dict(self) -> dict[str, Any]:
        """The figures as JSON holds them."""
        return asdict(self)


def alignment(
    found: Sequence[Set[Link]], gold: Sequence[Gold], samples: int = 1000, seed: int = SEED
) -> Alignment:
    """Compare links with gold, pair by pair.

    Args:
        found: links of each pair.
        gold: right links of each pair.
        samples: how often pairs are drawn for the interval.
        seed: of the drawing.

    Raises:
        EvaluationError: another number of pairs, or no sure link to be found.
    """
    if len(found) != len(gold):
        raise EvaluationError(f"alignments of {len(found)} pairs, gold of {len(gold)}.")
    rows = np.array(
        [
            (len(a), len(g.sure), len(a & g.sure), len(a & g.possible))
            for a, g in zip(found, gold, strict=True)
        ],
        dtype=np.float64,
    ).reshape(-1, 4)
    links, sure, right, allowed = rows.sum(axis=0)
    if not sure:
        raise EvaluationError("the gold has no sure link, so nothing can be found.")
    drawn = _drawn_rates(rows, samples, seed)
    low, high = interval(drawn)
    return Alignment(
        pairs=len(gold),
        links=int(links),
        sure=int(sure),
        precision=float(100 * allowed / links) if links else 0.0,
        recall=float(100 * right / sure),
        aer=float(_rates(rows.sum(axis=0)[None])[0]),
        low=low,
        high=high,
    )


def _rates(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Alignment error rates of rows of links, sure ones, sure ones found and possible ones found.

    Nothing found where nothing is to be found is no error.
    """
    links, sure, right, allowed = totals.T
    return 100 * (1 - (right + allowed) / np.maximum(links + sure, 1)) * (links + sure > 0)


def _drawn_rates(rows: NDArray[np.float64], samples: int, seed: int) -> NDArray[np.float64]:
    generator = np.random.default_rng(seed)
    drawn = generator.integers(len(rows), size=(samples, len(rows)))
    return _rates(rows[drawn].sum(axis=1))


def symmetrize(forward: Set[Link], backward: Set[Link], how: Symmetry) -> frozenset[Link]:
    """One alignment of two.

    Args:
        forward: links from the model of one direction.
        backward: links from that of the other, turned so that the source comes first.
        how: ``intersection``, ``union``, or from the intersection towards the union: grow-diag
            takes links beside or diagonal to one that is there, while one of their words has
            none; final then takes those of which one word has none, final-and those of which
            neither has.
    """
    both = forward & backward
    if how == "intersection":
        return frozenset(both)
    if how == "union":
        return frozenset(forward | backward)
    found = _grown(both, forward | backward)
    if how == "grow-diag":
        return frozenset(found)
    for direction in (forward, backward):
        for link in sorted(direction):
            i, j = (_free(found, link, axis) for axis in (0, 1))
            if (i and j) if how == "grow-diag-final-and" else (i or j):
                found.add(link)
    return frozenset(found)


def _grown(both: Set[Link], either: Set[Link]) -> set[Link]:
    found = set(both)
    grows = True
    while grows:
        grows = False
        for i, j in sorted(found):
            for down, right in _NEIGHBOURS:
                link = i + down, j + right
                if link in found or link not in either:
                    continue
                if _free(found, link, 0) or _free(found, link, 1):
                    found.add(link)
                    grows = True
    return found


def _free(found: Iterable[Link], link: Link, axis: int) -> bool:
    """Whether a word of a link has none yet."""
    return all(each[axis] != link[axis] for each in found)


def agreement(first: Sequence[Set[Link]], second: Sequence[Set[Link]]) -> float:
    """Links that both have, doubled, in a hundred of the links of both (the F1 of one by the
    other)."""
    common = sum(len(a & b) for a, b in zip(first, second, strict=True))
    links = sum(map(len, first)) + sum(map(len, second))
    return 100 * 2 * common / links if links else 0.0
