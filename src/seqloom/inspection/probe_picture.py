"""Probes as a picture: accuracy and compression over the layers, a row a kind of probe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from seqloom.inspection.palette import COLOURS, UNKNOWN

_MARKERS = "osD^vP*X"

Line = Sequence[tuple[float, float]]
"""Mean and deviation of each layer."""
Panel = tuple[Mapping[str, Line], Mapping[str, Line]]
"""Name of a line -> its accuracy, and its compression."""


def curves(
    title: str, layers: Sequence[str], baselines: Mapping[str, float], panels: Mapping[str, Panel]
) -> Figure:
    """A line for each model and kind of labels, with deviations over seeds, and baselines.

    Args:
        title: what was asked.
        layers: their names.
        baselines: accuracy without vectors.
        panels: kind of probe -> its lines.
    """
    figure = Figure(figsize=(11, 1 + 3.4 * len(panels)), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(panels), 2, squeeze=False)
    for (left, right), (probe, (accuracy, compression)) in zip(grid, panels.items(), strict=True):
        _draw(left, layers, accuracy)
        for number, (name, share) in enumerate(baselines.items()):
            left.axhline(share, color=UNKNOWN, linestyle=(":", "--")[number % 2], label=name)
        left.set_title(f"{title}, {probe} probe")
        left.set_ylabel("accuracy, %")
        _draw(right, layers, compression)
        right.axhline(1, color=UNKNOWN, linestyle=":")
        right.set_ylabel("compression (1: nothing known)")
    grid[0, 0].legend(fontsize=8)
    return figure


def _draw(axes: Axes, layers: Sequence[str], lines: Mapping[str, Line]) -> None:
    for number, (name, points) in enumerate(lines.items()):
        axes.errorbar(
            range(len(layers)),
            [mean for mean, _ in points],
            yerr=[deviation for _, deviation in points],
            color=COLOURS[number % len(COLOURS)],
            marker=_MARKERS[number % len(_MARKERS)],
            label=name,
            capsize=3,
        )
    axes.set_xticks(range(len(layers)), layers, fontsize=8)
