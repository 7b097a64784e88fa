"""Pictures of an examination as SVG, with no text of the corpus in them: fonts lack scripts."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SOURCE, _TARGET, _WRONG = "#4c78a8", "#f58518", "#c44e52"
_INK = "#7f7f7f"  # is read on white and on black
_WIDTH = 9.0
_SHARES = 8  # languages of a side


def length_chart(record: Mapping[str, Any]) -> str:
    """Histograms of the lengths of both sides, and of their ratio."""
    figure = _figure(2.6)
    lengths, ratio = figure.subplots(1, 2)
    edges = np.array(record["edges"])
    for side, colour in (("source", _SOURCE), ("target", _TARGET)):
        counts = record[side]["lengths"]["counts"]
        lengths.stairs(counts, edges, fill=True, color=colour, alpha=0.5, label=side)
    lengths.set_xlabel("characters (the last bar: and more)")
    lengths.set_ylabel("texts")
    lengths.legend(frameon=False, labelcolor=_INK)
    ratio.stairs(record["ratio"]["counts"], record["ratio"]["edges"], fill=True, color=_SOURCE)
    ratio.set_xscale("log", base=2)
    ratio.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ratio.set_xlabel("target characters a source character")
    ratio.set_ylabel("pairs")
    return _svg(figure)


def language_chart(record: Mapping[str, Any]) -> str:
    """Shares of the languages of both sides; logarithmic, since the wrong ones are few."""
    figure = _figure(2.4)
    for axes, side, colour in zip(
        figure.subplots(1, 2), ("source", "target"), (_SOURCE, _TARGET), strict=True
    ):
        shares = list(record[side]["languages"].items())[:_SHARES]
        expected = record[side]["expected"]
        names = [name for name, _ in shares]
        colours = [colour if name == expected else _INK for name in names]
        axes.barh(names, [share for _, share in shares], color=colours)
        axes.set_xscale("log")
        axes.set_xlim(1e-5, 1)
        axes.invert_yaxis()
        axes.set_xlabel(f"share of the {side} texts")
    return _svg(figure)


def strip_chart(record: Mapping[str, Any]) -> str:
    """The corpus from its first pair to its last: how suspicious, and where it is shifted."""
    figure = _figure(1.8)
    axes = figure.subplots()
    suspicion, moved = (np.array(record["strip"][name]) for name in ("suspicion", "shifted"))
    edges = np.linspace(1, record["pairs"] + 1, len(suspicion) + 1)
    axes.stairs(suspicion, edges, fill=True, color=_SOURCE)
    top = max(float(suspicion.max()), 1e-9)
    for start, stop, share in zip(edges, edges[1:], moved, strict=False):
        if share:
            axes.axvspan(float(start), float(stop), color=_WRONG, alpha=0.25 + 0.5 * float(share))
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(0, 1.05 * top)
    axes.set_xlabel("number of the pair (red: one side is shifted)")
    axes.set_ylabel("mean suspicion")
    return _svg(figure)


def _figure(height: float) -> Figure:
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    FigureCanvasSVG(figure)
    return figure


def _svg(figure: Figure) -> str:
    """The picture as an SVG element without a background, the same for the same record."""
    import matplotlib

    for axes in figure.axes:
        _plain(axes)
    content = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "seqloom", "svg.fonttype": "path"}):
        figure.savefig(content, format="svg", transparent=True, metadata={"Date": None})
    drawn = content.getvalue().decode("utf-8")
    return drawn[drawn.index("<svg") :]


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[:].set_color(_INK)
    axes.tick_params(colors=_INK, which="both")
    axes.xaxis.label.set_color(_INK)
    axes.yaxis.label.set_color(_INK)
