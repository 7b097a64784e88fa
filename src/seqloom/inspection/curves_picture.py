"""Figures of layers as a picture: a row a probe, a column a measure."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from seqloom.inspection.layer_curves import Curves, Figures
from seqloom.inspection.palette import COLOURS, UNKNOWN

_MARKERS = "osD^vP*X"


def figure_of(curves: Curves, measures: Sequence[str]) -> Figure:
    """Lines with deviations over seeds, and baselines across.

    Args:
        curves: what is drawn.
        measures: names of those that are drawn, a column each.
    """
    probes = curves.probes
    figure = Figure(figsize=(5.5 * len(measures), 1 + 3.4 * len(probes)), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(probes), len(measures), squeeze=False)
    for row, probe in zip(grid, probes, strict=True):
        for axes, name in zip(row, measures, strict=True):
            _draw(axes, curves, probe, name)
        row[0].set_title(f"{curves.title}: {probe}")
    grid[0, 0].legend(fontsize=8)
    return figure


def _draw(axes: Axes, curves: Curves, probe: str, name: str) -> None:
    measure = curves.measures[name]
    for number, line in enumerate(each for each in curves.lines if each.probe == probe):
        if name not in line.values:
            continue  # its number stays its own: one legend is for all columns
        found = [Figures.of(values) for values in line.values[name]]
        axes.errorbar(
            range(len(found)),
            [each.mean for each in found],
            yerr=[each.deviation for each in found],
            color=COLOURS[number % len(COLOURS)],
            marker=_MARKERS[(number + number // len(COLOURS)) % len(_MARKERS)],
            linestyle="--" if curves.series.index(line.series) else "-",
            label=line.name,
            capsize=3,
        )
    for number, (label, value) in enumerate(measure.baselines.items()):
        axes.axhline(value, color=UNKNOWN, linestyle=(":", "--")[number % 2], label=label)
    axes.set_ylabel(measure.label)
    axes.set_xticks(range(len(curves.layers)), curves.layers, fontsize=8)
