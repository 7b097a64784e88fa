"""What cleaning kept, what it dropped, and why, with examples and histograms of the scores."""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

EXAMPLES = 3
"""Examples kept for each filter."""

_SHOWN = 80  # characters of a text in an example


@dataclass(frozen=True)
class Example:
    """A pair that was dropped; its texts are shortened."""

    pair: int
    """Number of the pair in the corpus, counted from 1: the line, for files without a header."""
    source: str
    target: str
    score: float

    def as_dict(self) -> dict[str, Any]:
        """The example for ``report.json``; a score that JSON cannot hold is None."""
        return {**vars(self), "score": self.score if math.isfinite(self.score) else None}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of :meth:`as_dict`, but for infinite scores, which become NaN."""
        score = values["score"]
        return cls(**{**values, "score": math.nan if score is None else score})


class Histogram:
    """How many scores fell between two edges; the outer bins also hold what lies beyond them.

    Args:
        edges: ascending; bin i goes from edge i up to, and without, edge i + 1.
        threshold: where dropping begins or ends.
    """

    def __init__(self, edges: tuple[float, ...], threshold: float) -> None:
        self.edges = edges
        self.threshold = threshold
        self.counts: NDArray[np.int64] = np.zeros(len(edges) - 1, np.int64)

    def count(self, scores: NDArray[Any]) -> None:
        """Put scores into their bins; what is no number goes into the last one."""
        bins = np.searchsorted(self.edges[1:-1], scores, side="right")
        self.counts += np.bincount(bins, minlength=len(self.counts))

    def add(self, other: Histogram) -> None:
        """Take in the counts of another histogram with the same edges."""
        assert self.edges == other.edges, f"bins differ: {self.edges} and {other.edges}"
        self.counts += other.counts

    def as_dict(self) -> dict[str, Any]:
        """The histogram for ``report.json``."""
        counts = self.counts.tolist()
        return {"edges": list(self.edges), "threshold": self.threshold, "counts": counts}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of :meth:`as_dict`."""
        histogram = cls(tuple(values["edges"]), values["threshold"])
        histogram.counts += np.array(values["counts"], np.int64)
        return histogram


@dataclass
class Dropped:
    """What one filter dropped."""

    reason: str
    count: int = 0
    examples: list[Example] = field(default_factory=list)
    scores: Histogram | None = None
    """Of all pairs that the filter saw; None where there are no scores."""

    def add(self, other: Dropped) -> None:
        """Take in what the same filter dropped elsewhere, and keep the first examples of both."""
        self.count += other.count
        if self.scores and other.scores:
            self.scores.add(other.scores)
        found = sorted([*self.examples, *other.examples], key=lambda example: example.pair)
        self.examples = found[:EXAMPLES]

    def as_dict(self) -> dict[str, Any]:
        """What was dropped, for ``report.json``."""
        return {
            "count": self.count,
            "reason": self.reason,
            "examples": [example.as_dict() for example in self.examples],
            "scores": self.scores and self.scores.as_dict(),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of :meth:`as_dict`."""
        examples = [Example.from_dict(example) for example in values["examples"]]
        scores = values["scores"] and Histogram.from_dict(values["scores"])
        return cls(values["reason"], values["count"], examples, scores)


@dataclass
class Report:
    """Counts of one pass over a corpus; they are complete when the pass has ended."""

    read: int = 0
    kept: int = 0
    dropped: dict[str, Dropped] = field(default_factory=dict)
    """By name of the filter, in the order in which the filters were applied."""

    def add(self, other: Report) -> None:
        """Take in the report of another part of the corpus; the parts may come in any order."""
        self.read += other.read
        self.kept += other.kept
        for name, dropped in other.dropped.items():
            if name in self.dropped:
                self.dropped[name].add(dropped)
            else:
                self.dropped[name] = deepcopy(dropped)

    def summary(self) -> str:
        """The counts in one line, for progress bars: ``3 dropped: 2 empty, 1 ratio``."""
        counts = [f"{d.count:,} {name}" for name, d in self.dropped.items() if d.count]
        return f"{self.read - self.kept:,} dropped" + (f": {', '.join(counts)}" if counts else "")

    def text(self) -> str:
        """The report for people: one line a filter, its examples below."""
        lines = [f"{self.read} pairs read, {self.kept} kept, {self.read - self.kept} dropped"]
        for name, dropped in self.dropped.items():
            lines.append(f"  {name}: {dropped.count} ({dropped.reason})")
            lines.extend(
                f"    pair {example.pair}: {example.source!r} | {example.target!r}"
                for example in dropped.examples
            )
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """The report for ``report.json``."""
        return {
            "read": self.read,
            "kept": self.kept,
            "dropped": {name: dropped.as_dict() for name, dropped in self.dropped.items()},
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of :meth:`as_dict`."""
        dropped = {name: Dropped.from_dict(of) for name, of in values["dropped"].items()}
        return cls(values["read"], values["kept"], dropped)


def shorten(text: str, limit: int = _SHOWN) -> str:
    """The beginning of a text that is longer than ``limit`` characters, and its length."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text)} characters)"
