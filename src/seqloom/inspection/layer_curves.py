"""Figures of the layers of a model, several lines of them: what pages and pictures draw.

Axes: L layers, P seeds.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Figures(NamedTuple):
    """Mean and standard deviation over the seeds."""

    mean: float
    deviation: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Figures:
        """Those of some seeds; one seed has no deviation."""
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        return cls(statistics.mean(values), spread)

    def text(self, digits: int) -> str:
        """Both, for people."""
        return f"{self.mean:.{digits}f} ± {self.deviation:.{digits}f}"


@dataclass(frozen=True)
class Measure:
    """What is measured."""

    label: str
    """With its unit."""
    baselines: Mapping[str, float] = field(default_factory=dict)
    """Name -> value, drawn across all layers."""


@dataclass(frozen=True)
class Line:
    """One line of every measure that it has."""

    name: str
    """What tells it from the others of its probe."""
    probe: str
    """Lines of one probe are drawn together."""
    values: Mapping[str, list[list[float]]]
    """Name of a measure -> values [L P]."""
    update: int | None = None
    """Of a checkpoint: after how many updates."""
    series: str = ""
    """Checkpoints of one series are joined along updates; those but the first are dashed."""


@dataclass(frozen=True)
class Curves:
    """All lines of a record."""

    title: str
    description: str
    """A sentence or two of plain text."""
    layers: Sequence[str]
    """[L]."""
    measures: Mapping[str, Measure]
    """The first is shown first."""
    lines: Sequence[Line]

    @property
    def series(self) -> list[str]:
        """The series, in their order."""
        return list(dict.fromkeys(line.series for line in self.lines))

    @property
    def probes(self) -> list[str]:
        """The probes, in their order."""
        return list(dict.fromkeys(line.probe for line in self.lines))
