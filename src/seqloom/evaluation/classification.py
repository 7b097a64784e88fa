"""Predicted labels against right ones: accuracy and its interval, F1 of each class, confusion.

All figures are on a scale of 0 to 100. The interval of the accuracy is that of Wilson (1927): it
needs no resampling and holds for few texts and for figures near 0 or 100 too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqloom.errors import EvaluationError
from seqloom.evaluation import shares

MOST_SHOWN = 12
"""Classes up to which the confusion is printed."""

_WIDEST = 14  # letters of a label in a table
_CORNER = "right \\ said"


@dataclass(frozen=True)
class ClassFigures:
    """How well one class is told from the others."""

    label: str
    texts: int
    """Texts that have the label."""
    predicted: int
    """Texts that were given it."""
    precision: float
    """Of those that were given it, how many have it."""
    recall: float
    """Of those that have it, how many were given it."""
    f1: float
    """Harmonic mean of the two."""


@dataclass(frozen=True)
class Classification:
    """How good the labels of some texts are."""

    texts: int
    accuracy: float
    low: float
    """Lower end of the 95 % interval of the accuracy."""
    high: float
    """Upper end."""
    macro_f1: float
    """Mean of F1 over the classes: a rare class counts as much as a frequent one."""
    commonest: str
    """The label that the baseline gives to every text."""
    baseline: float
    """The baseline's accuracy."""
    classes: list[ClassFigures]
    """Each label that is right or predicted somewhere, by the alphabet."""
    confusion: NDArray[np.int64]
    """How often the label of a row was called that of a column: [classes, classes]."""

    def as_dict(self) -> dict[str, Any]:
        """The figures as JSON holds them."""
        classes = [asdict(each) for each in self.classes]
        return {**vars(self), "classes": classes, "confusion": self.confusion.tolist()}

    def text(self) -> str:
        """The figures for people; the confusion of up to :data:`MOST_SHOWN` classes."""
        always = f"always {shortened(self.commonest)!r}"
        rows = [
            f"{'accuracy':24} {self.accuracy:6.2f}  [{self.low:.2f}, {self.high:.2f}]  "
            f"{self.texts:,} texts, 95 % interval (Wilson)",
            f"{'macro-F1':24} {self.macro_f1:6.2f}  {len(self.classes)} classes",
            f"{always:24} {self.baseline:6.2f}  accuracy of the majority baseline",
        ]
        if len(self.classes) <= MOST_SHOWN:
            rows += ["", *self._confusion()]
        return "\n".join(rows)

    def _confusion(self) -> list[str]:
        names = [shortened(each.label) for each in self.classes]
        first = max(map(len, [_CORNER, *names]))
        widths = [max(len(name), 6) for name in names]
        heads = "  ".join(name.rjust(w) for name, w in zip(names, widths, strict=True))
        rows = [f"{_CORNER:{first}}  {heads}  precision  recall     F1"]
        for name, each, counts in zip(names, self.classes, self.confusion.tolist(), strict=True):
            cells = "  ".join(f"{count:>{w},}" for count, w in zip(counts, widths, strict=True))
            rows.append(
                f"{name:{first}}  {cells}  {each.precision:9.1f}  {each.recall:6.1f} {each.f1:6.1f}"
            )
        return rows


def shortened(label: str) -> str:
    """A label that fits into a column."""
    return label if len(label) <= _WIDEST else f"{label[: _WIDEST - 1]}…"


def classification(
    right: Sequence[str], predicted: Sequence[str], commonest: str | None = None
) -> Classification:
    """Compare predicted labels with the right ones.

    Args:
        right: labels as they should be.
        predicted: labels of the same texts.
        commonest: what the majority baseline says, the most frequent label of the training texts;
            left out, the most frequent of ``right``.

    Raises:
        EvaluationError: different numbers of labels, or none.
    """
    if len(right) != len(predicted):
        raise EvaluationError(
            f"{len(predicted):,} predicted labels and {len(right):,} right ones; expected as many."
        )
    if not right:
        raise EvaluationError("no texts to measure a classifier on.")
    names = sorted({*right, *predicted})
    rows = {name: row for row, name in enumerate(names)}
    confusion = np.zeros((len(names), len(names)), np.int64)
    np.add.at(confusion, tuple([rows[label] for label in side] for side in (right, predicted)), 1)
    hits = int(confusion.trace())
    classes = [_figures(name, confusion, row) for name, row in rows.items()]
    counts = Counter(right)
    commonest = commonest or min(counts, key=lambda label: (-counts[label], label))
    return Classification(
        len(right),
        100 * hits / len(right),
        *wilson(hits, len(right)),
        sum(each.f1 for each in classes) / len(classes),
        commonest,
        100 * counts[commonest] / len(right),
        classes,
        confusion,
    )


def wilson(hits: int, texts: int) -> tuple[float, float]:
    """The 95 % score interval (Wilson 1927) of the share of ``hits`` in ``texts``, in percent."""
    low, high = shares.wilson(np.array(hits / texts), np.array(texts), shares.deviations(0.95))
    return 100 * float(low), 100 * float(high)


def _figures(label: str, confusion: NDArray[np.int64], row: int) -> ClassFigures:
    hits, texts, predicted = (
        int(each) for each in (confusion[row, row], confusion[row].sum(), confusion[:, row].sum())
    )
    return ClassFigures(
        label,
        texts,
        predicted,
        100 * hits / predicted if predicted else 0.0,
        100 * hits / texts if texts else 0.0,
        200 * hits / (texts + predicted),
    )
