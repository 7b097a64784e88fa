"""Attention records to pictures: the source along the top, the target down the side.

Figures are made without pyplot, so nothing global is touched and no window system is needed.
Axes: T target positions, S source positions.
"""

from __future__ import annotations

import io
import math
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from seqloom.errors import SeqloomError, writing
from seqloom.inspection.fonts import families_for, spell_out

Panel = tuple[str, Sequence[str], Sequence[str], np.ndarray]
"""Title, source pieces, target pieces, weights [T S]."""

DOTS_PER_INCH = 150
SUFFIXES = (".png", ".pdf", ".svg")
LONGEST_PIECE = 24
"""Longer pieces are cut, so that one of them cannot squeeze the picture."""

MOST_PANELS = 20
"""Of one picture."""

_CELL = 0.25  # inches a token: 18 points, enough for letters of 9 points
_LONGEST_SIDE = 18  # inches of all columns of cells: longer texts get smaller cells
_LABEL = 0.14  # inches: where cells are smaller, not every one has a label
_MEASURED = 10  # of the longest labels of a side
_FONT_SIZE = 9
_SIGNS = {" ": "␣", "\n": "⏎", "\t": "⇥", "": "∅"}


def draw(panels: Sequence[Panel], scale: str | None = "attention weight") -> Figure:
    """A figure with one panel each, in one or two columns, on one colour scale.

    It has at most :data:`MOST_PANELS`, and says how many it leaves out.

    Args:
        panels: one or more.
        scale: the name of the colour scale; None where cells are either marked or not.
    """
    if not panels:
        raise ValueError("nothing to draw: no panels were given")
    left_out, panels = len(panels) - MOST_PANELS, panels[:MOST_PANELS]
    plain = [[visible(piece) for piece in side] for panel in panels for side in panel[1:3]]
    titles = [title for title, *_ in panels]
    families, missing = families_for([*titles, *(text for side in plain for text in side)])
    sides = [[spell_out(text, missing) for text in side] for side in plain]
    columns = 1 if len(panels) == 1 else 2
    most = _LONGEST_SIDE / columns
    shown = [
        _Shown(spell_out(title, missing), source, target, weights, most)
        for title, source, target, (*_, weights) in zip(
            titles, sides[::2], sides[1::2], panels, strict=True
        )
    ]
    figure, grid = _figure(shown, columns)
    top = max(float(weights.max()) for *_, weights in panels) or 1.0
    for axes, panel in zip(grid.flat, shown, strict=False):
        image = _draw_panel(axes, panel, top, families)
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    if scale is not None:
        figure.colorbar(image, ax=grid, label=scale, shrink=0.8, aspect=30)
    if left_out > 0:
        figure.supxlabel(f"{left_out:,} more have no room in a picture; a page has")
    return figure


class _Shown:
    """A panel as it is drawn: texts as fonts can show them, and sizes in inches."""

    def __init__(
        self, title: str, source: list[str], target: list[str], weights: np.ndarray, most: float
    ) -> None:
        self.source, self.target, self.weights = source, target, weights
        across, down = (min(_CELL, most / max(len(side), 1)) for side in (source, target))
        self.every = tuple(math.ceil(_LABEL / cell) for cell in (across, down))
        """Of how many source and target pieces one is named."""
        letter = _FONT_SIZE / 72 * 0.62  # inches, on average
        beside = letter * max(map(_width, target), default=1)
        longest = max(map(_width, source), default=1)
        above = letter * longest if longest > 2 else 0.2
        self.width = max(3.0, across * len(source) + beside + 0.5)
        letters = int(12 * self.width)
        self.title = "\n".join(
            line
            for each in title.split("\n")
            for line in wrap(each, letters, break_long_words=False) or [""]
        )
        lines = self.title.count("\n")
        self.height = max(1.8, down * len(target) + above + 0.6) + 0.2 * lines

    @property
    def caption(self) -> str:
        """What is to be said of pieces without names."""
        named = [
            f"1 of {every} {name}"
            for every, name in zip(self.every, ("columns", "rows"), strict=True)
            if every > 1
        ]
        return f"named: {' and '.join(named)}" if named else ""


def _figure(shown: Sequence[_Shown], columns: int) -> tuple[Figure, np.ndarray]:
    """An empty figure with room for all panels, and their axes [rows columns]."""
    rows = math.ceil(len(shown) / columns)
    widths = [max(each.width for each in shown[column::columns]) for column in range(columns)]
    heights = [
        max(each.height for each in shown[row * columns : (row + 1) * columns])
        for row in range(rows)
    ]
    figure = Figure(figsize=(sum(widths) + 1.0, sum(heights)), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(rows, columns, squeeze=False, width_ratios=widths, height_ratios=heights)
    return figure, grid


def save(figure: Figure, path: Path) -> None:
    """Write a figure; the suffix says what kind of picture.

    Raises:
        SeqloomError: another suffix than those of :data:`SUFFIXES`.
        FolderError: the file cannot be written.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise SeqloomError(f"{path}: a picture's name ends in {', '.join(SUFFIXES)}.")
    content = rendered(figure, path.suffix.lower())
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def rendered(figure: Figure, suffix: str) -> bytes:
    """A figure as a file of the kind that ``.png``, ``.svg`` or ``.pdf`` says."""
    content = io.BytesIO()
    figure.savefig(content, format=suffix[1:], dpi=DOTS_PER_INCH)
    return content.getvalue()


def _draw_panel(axes: Axes, panel: _Shown, top: float, families: list[str]) -> AxesImage:
    image = axes.imshow(panel.weights, cmap="Blues", vmin=0.0, vmax=top, aspect="auto")
    style: dict[str, Any] = {"fontfamily": families, "fontsize": _FONT_SIZE, "parse_math": False}
    axes.xaxis.tick_top()
    for axis, names, every in zip(
        (axes.xaxis, axes.yaxis), (panel.source, panel.target), panel.every, strict=True
    ):
        axis.set_ticks(range(0, len(names), every), names[::every], **style)
    for label in axes.get_xticklabels():
        label.set_rotation(90 if _width(label.get_text()) > 2 else 0)
    for axis in (axes.xaxis, axes.yaxis):  # measuring all takes longer than drawing them
        labels = sorted(axis.get_ticklabels(), key=lambda label: _width(label.get_text()))
        for label in labels[:-_MEASURED]:
            label.set_in_layout(False)
    axes.tick_params(length=0)
    axes.set_title(panel.title, fontfamily=families, parse_math=False)
    axes.set_xlabel(panel.caption)
    return image


def _width(text: str) -> int:
    """Columns that ``text`` takes: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def visible(piece: str) -> str:
    """A piece as it can be read in a picture: blanks visible, controls spelled, not too long."""
    if piece in _SIGNS:
        return _SIGNS[piece]
    shown = "".join(
        _SIGNS.get(c) or (f"U+{ord(c):04X}" if unicodedata.category(c)[0] == "C" else c)
        for c in piece
    )
    return shown if len(shown) <= LONGEST_PIECE else shown[: LONGEST_PIECE - 1] + "…"
