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

_CELL = 0.25  # inches a token: 18 points, enough for letters of 9 points at any number of tokens
_FONT_SIZE = 9
_SIGNS = {" ": "␣", "\n": "⏎", "\t": "⇥", "": "∅"}


def draw(panels: Sequence[Panel]) -> Figure:
    """A figure with one panel each, in one or two columns, on one colour scale."""
    if not panels:
        raise ValueError("nothing to draw: no panels were given")
    plain = [[visible(piece) for piece in side] for panel in panels for side in panel[1:3]]
    titles = [title for title, *_ in panels]
    families, missing = families_for([*titles, *(text for side in plain for text in side)])
    sides = [[spell_out(text, missing) for text in side] for side in plain]
    shown = list(zip(sides[::2], sides[1::2], strict=True))
    columns = 1 if len(panels) == 1 else 2
    rows = math.ceil(len(panels) / columns)
    sizes = [_panel_size(source, target) for source, target in shown]
    widths = [max(width for width, _ in sizes[column::columns]) for column in range(columns)]
    heights = [
        max(height for _, height in sizes[row * columns : (row + 1) * columns])
        for row in range(rows)
    ]
    figure = Figure(figsize=(sum(widths) + 1.0, sum(heights)), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(rows, columns, squeeze=False, width_ratios=widths, height_ratios=heights)
    top = max(float(weights.max()) for *_, weights in panels)
    for axes, title, (*_, weights), (source, target) in zip(
        grid.flat, titles, panels, shown, strict=False
    ):
        image = _draw_panel(axes, weights, source, target, top, families)
        axes.set_title(spell_out(title, missing), fontfamily=families, parse_math=False)
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    figure.colorbar(image, ax=grid, label="attention weight", shrink=0.8, aspect=30)
    return figure


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


def _draw_panel(
    axes: Axes,
    weights: np.ndarray,
    source: list[str],
    target: list[str],
    top: float,
    families: list[str],
) -> AxesImage:
    image = axes.imshow(weights, cmap="Blues", vmin=0.0, vmax=top, aspect="auto")
    style: dict[str, Any] = {"fontfamily": families, "fontsize": _FONT_SIZE, "parse_math": False}
    axes.xaxis.tick_top()
    axes.set_xticks(range(len(source)), source, **style)
    for label in axes.get_xticklabels():
        label.set_rotation(90 if _width(label.get_text()) > 2 else 0)
    axes.set_yticks(range(len(target)), target, **style)
    axes.tick_params(length=0)
    return image


def _panel_size(source: Sequence[str], target: Sequence[str]) -> tuple[float, float]:
    """Width and height in inches: the cells, and room for the labels and the title."""
    label = _FONT_SIZE / 72 * 0.62  # inches a letter, on average
    beside = label * max(map(_width, target), default=1)
    longest = max(map(_width, source), default=1)
    above = label * longest if longest > 2 else 0.2
    return (
        max(3.0, _CELL * len(source) + beside + 0.5),
        max(1.8, _CELL * len(target) + above + 0.6),
    )


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
