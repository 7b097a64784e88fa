"""A cleaning report as a picture: what each filter dropped, and how the scores are distributed."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seqloom.corpus.files import replacing
from seqloom.corpus.report import Histogram, Report
from seqloom.errors import CorpusError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".pdf", ".svg")
DOTS_PER_INCH = 150

_COLUMNS = 3  # histograms side by side
_WIDTH = 9.0  # inches
_BAR, _HISTOGRAM = 0.32, 2.0  # inches: height of a bar, of a row of histograms
_KEPT, _DROPPED = "#4c78a8", "#c44e52"


def draw_report(report: Report) -> Figure:
    """A bar for each filter with the pairs that it dropped; below, the scores that it gave.

    A line in a histogram is the threshold of the filter. Counts of scores are on a logarithmic
    scale, since few pairs are far from the others.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    scored = {name: d.scores for name, d in report.dropped.items() if d.scores is not None}
    rows = math.ceil(len(scored) / _COLUMNS)
    heights = [_BAR * len(report.dropped) + 1.0, *[_HISTOGRAM] * rows]
    figure = Figure(figsize=(_WIDTH, sum(heights)), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(len(heights), _COLUMNS, height_ratios=heights)
    _draw_bars(figure.add_subplot(grid[0, :]), report)
    for place, (name, scores) in enumerate(scored.items()):
        axes = figure.add_subplot(grid[1 + place // _COLUMNS, place % _COLUMNS])
        _draw_scores(axes, name, scores)
    return figure


def save_report(report: Report, path: Path) -> None:
    """Draw a report into a file, whole or not at all; the suffix says what kind of picture.

    Raises:
        CorpusError: another suffix than those of :data:`SUFFIXES`.
        FolderError: the file cannot be written.
    """
    kind = path.suffix.lower()
    if kind not in SUFFIXES:
        raise CorpusError(f"{path}: a picture's name ends in {', '.join(SUFFIXES)}.")
    figure = draw_report(report)
    with replacing(path) as temporary:
        figure.savefig(temporary, format=kind[1:], dpi=DOTS_PER_INCH)


def _draw_bars(axes: Axes, report: Report) -> None:
    counts = [dropped.count for dropped in report.dropped.values()]
    bars = axes.barh(list(report.dropped), counts, color=_DROPPED)
    shares = [count / max(report.read, 1) for count in counts]
    labels = [f"{count:,} ({share:.2%})" for count, share in zip(counts, shares, strict=True)]
    axes.bar_label(bars, labels, padding=4)
    axes.set_xlim(0, 1.25 * max([*counts, 1]))  # room for the labels
    axes.invert_yaxis()  # the first filter on top
    axes.set_title(
        f"{report.read:,} pairs read, {report.kept:,} kept, {report.read - report.kept:,} dropped"
    )
    axes.set_xlabel("pairs dropped (share of those read)")
    axes.spines[["top", "right"]].set_visible(False)


def _draw_scores(axes: Axes, name: str, scores: Histogram) -> None:
    """Bins of equal width, whatever their edges: most edges grow like powers."""
    places = np.arange(len(scores.edges))
    axes.bar(places[:-1], scores.counts, width=1.0, align="edge", color=_KEPT, edgecolor="white")
    if scores.counts.any():
        axes.set_yscale("log")
        axes.set_ylim(0.5, 2 * scores.counts.max())
    axes.axvline(float(np.interp(scores.threshold, scores.edges, places)), color=_DROPPED)
    axes.set_xticks(places, [f"{edge:g}" for edge in scores.edges], fontsize=6, rotation=60)
    axes.tick_params("y", labelsize=7)
    axes.set_title(f"{name}: scores", fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
