"""Error rates of alignments as a picture: a bar for every way to read the model."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from seqloom.evaluation.alignment import Alignment
from seqloom.inspection.palette import COLOURS, UNKNOWN

_BAR = 0.24  # inches


def rates(figures: Mapping[str, Alignment], found: str, baseline: str) -> Figure:
    """A bar for each, the best at the top, with its 95 % interval.

    Args:
        figures: name -> figures.
        found: the name of the alignment that was chosen, which stands first.
        baseline: drawn as a line.
    """
    others = sorted(
        (n for n in figures if n not in (found, baseline)), key=lambda n: figures[n].aer
    )
    names = [found, *others]
    figure = Figure(figsize=(8, 1.2 + _BAR * len(names)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    values = [figures[name].aer for name in names]
    spread = [
        [figures[name].aer - figures[name].low for name in names],
        [figures[name].high - figures[name].aer for name in names],
    ]
    colours = [COLOURS[1], *([COLOURS[0]] * len(others))]
    axes.barh(range(len(names)), values, xerr=spread, color=colours, ecolor=UNKNOWN, height=0.7)
    axes.axvline(figures[baseline].aer, color=UNKNOWN, linestyle="--", label=baseline)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("alignment error rate, % (95 % interval)")
    axes.legend(loc="lower right", fontsize=8)
    return figure
