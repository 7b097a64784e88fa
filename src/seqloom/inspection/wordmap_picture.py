"""Records of word maps to pictures: a point a word, and as many labels as fit beside each other.

Made without pyplot, so nothing global is touched. The same record gives the same bytes.
"""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from seqloom.inspection.fonts import families_for, spell_out
from seqloom.inspection.palette import PLAIN, RAMP, SHAPES, UNKNOWN, look
from seqloom.inspection.picture import DOTS_PER_INCH, visible
from seqloom.inspection.projection import describe

if TYPE_CHECKING:
    from seqloom.corpus.pairs import Progress

Record = Mapping[str, Any]
"""What :meth:`WordMap.as_dict` gives, or the same read from JSON."""

_MARKERS = dict(zip(SHAPES, "os^D", strict=True))  # as matplotlib calls them
_FONT_SIZE = 8  # points
_POINT = 12  # square points
_GAP = 3.0  # points between a word's point and its label
_HIDDEN = 2  # points of other words that a label may lie on
_APART = 2.0  # points between two labels
_SIDE = 0.7  # inches of a square picture, times the root of the number of words
_SIDES = (6.0, 20.0)  # inches of the smallest and of the largest
_LONGEST = 1.8  # times as long as wide, or as wide as long


def picture_of(record: Record, suffix: str, progress: Progress | None = None) -> bytes:
    """The picture as a file of the kind that ``.png``, ``.svg`` or ``.pdf`` says."""
    figure = draw(record, progress)
    content = io.BytesIO()
    undated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(suffix)
    with matplotlib.rc_context({"svg.hashsalt": "seqloom"}):
        figure.savefig(content, format=suffix[1:], metadata=undated)
    return content.getvalue()


def draw(record: Record, progress: Progress | None = None) -> Figure:
    """A figure of the words; those whose label has no room are points only.

    ``progress`` is told how many labels have been tried.
    """
    number = len(record["words"])
    words = [visible(word) for word in record["words"]]
    groups = [visible(name) if name else "no section" for name in dict.fromkeys(record["sections"])]
    unknown = ", ".join(map(visible, record["unknown"]))
    families, missing = families_for([*words, *groups, unknown])
    width, height = _size(np.array(record["points"]))
    figure = Figure(figsize=(width, height), layout="constrained", dpi=DOTS_PER_INCH)
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    _draw_points(figure, axes, record, [spell_out(name, missing) for name in groups], families)
    _draw_axes(axes, record)
    below = describe(record["method"], record["quality"])
    if unknown:
        below += f" Not among the vectors: {textwrap.shorten(unknown, 200, placeholder=' ...')}."
    lines = textwrap.fill(spell_out(below, missing), int(12 * width))
    title = axes.set_title(
        f"{number:,} words\n{lines}", loc="left", fontsize=_FONT_SIZE + 1, fontfamily=families
    )
    title.set_parse_math(False)
    figure.draw_without_rendering()  # places are known from here on
    figure.set_layout_engine("none")
    labels = [spell_out(word, missing) for word in words]
    placed = _draw_labels(axes, record["points"], labels, families, progress)
    title.set_text(f"{number:,} words, {placed:,} of them with room for a label\n{lines}")
    return figure


def _size(points: np.ndarray) -> tuple[float, float]:
    """Inches across and up: room for the labels, in the form that the points have."""
    side = min(max(_SIDES[0], _SIDE * math.sqrt(len(points))), _SIDES[1])
    across, up = np.maximum(np.ptp(points, axis=0), 1e-9)
    longer = math.sqrt(min(max(1 / _LONGEST, across / up), _LONGEST))
    return side * longer, side / longer


def _draw_points(
    figure: Figure, axes: Axes, record: Record, groups: Sequence[str], families: list[str]
) -> None:
    """Points by section, or by rank where all are of one section, or all alike."""
    points = np.array(record["points"])
    if record["sections"]:
        numbers = {name: group for group, name in enumerate(dict.fromkeys(record["sections"]))}
        of = np.array([numbers[name] for name in record["sections"]])
        for group in range(len(groups)):
            colour, shape = look(group)
            x, y = points[of == group].T
            axes.scatter(x, y, s=_POINT, c=colour, marker=_MARKERS[shape])
        _draw_legend(figure, groups, families)
        return
    ranks = np.array([rank or 0 for rank in record["ranks"] or [0] * len(points)])
    x, y = points[ranks == 0].T
    axes.scatter(x, y, s=_POINT, c=UNKNOWN if ranks.any() else PLAIN)
    if ranks.any():
        known = ranks[ranks > 0]
        colours = LinearSegmentedColormap.from_list("ranks", RAMP)
        scale = LogNorm(int(known.min()), max(int(known.max()), int(known.min()) + 1))
        x, y = points[ranks > 0].T
        dots = axes.scatter(x, y, s=_POINT, c=known, cmap=colours, norm=scale, zorder=2)
        figure.colorbar(
            dots,
            ax=axes,
            label="place by frequency among all words",
            format="{x:,.0f}",
            shrink=0.5,
            aspect=30,
            pad=0.01,
        )


def _draw_legend(figure: Figure, groups: Sequence[str], families: list[str]) -> None:
    handles = []
    for group in range(len(groups)):
        colour, shape = look(group)
        handles.append(Line2D([], [], color=colour, marker=_MARKERS[shape], linestyle="none"))
    # Names that begin with _ would be left out, so they come in afterwards.
    legend = figure.legend(
        handles,
        [str(group) for group in range(len(groups))],
        loc="outside lower left",
        ncols=max(1, int(figure.get_figwidth() // 2)),
        fontsize=_FONT_SIZE,
        frameon=False,
    )
    for text, name in zip(legend.get_texts(), groups, strict=True):
        text.set(text=name, fontfamily=families, parse_math=False)


def _draw_axes(axes: Axes, record: Record) -> None:
    """Equal units both ways; numbers and names only where the axes mean something."""
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.06)
    axes.spines[:].set_color(UNKNOWN)
    axes.tick_params(colors=UNKNOWN, labelsize=_FONT_SIZE - 1)
    if record["method"] != "pca":
        axes.set_xticks([])
        axes.set_yticks([])
        return
    first, second = record["quality"]["variance"]
    axes.set_xlabel(f"first component: {first:.1%} of the variance", fontsize=_FONT_SIZE)
    axes.set_ylabel(f"second component: {second:.1%} of the variance", fontsize=_FONT_SIZE)


def _draw_labels(
    axes: Axes,
    places: Sequence[Sequence[float]],
    labels: Sequence[str],
    families: list[str],
    progress: Progress | None,
) -> int:
    """Label the words in their order wherever no label lies yet; says how many had room."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    pixel = figure.dpi / 72  # pixels a point
    points = axes.transData.transform(np.array(places))
    frame = np.array(axes.bbox.extents)
    style: dict[str, Any] = {"fontsize": _FONT_SIZE, "fontfamily": families, "parse_math": False}
    taken = np.empty((0, 4))  # left, bottom, right, top of each label
    padding = _APART * pixel * np.array([-1, 0, 1, 0])
    for number, (point, label) in enumerate(zip(points, labels, strict=True)):
        if progress is not None:
            progress("labels", number, len(labels))
        size = Text(0, 0, label, figure=figure, **style).get_window_extent()
        boxes = _around(point, size.width, size.height, _GAP * pixel)
        best = _best(boxes, taken, points, frame)
        if best is None:
            continue
        taken = np.vstack([taken, boxes[best] + padding])
        offset = ((boxes[best][0] - point[0]) / pixel, (boxes[best][1] - point[1]) / pixel)
        here = (places[number][0], places[number][1])
        axes.annotate(label, here, offset, textcoords="offset points", va="bottom", **style)
    return len(taken)


def _around(point: np.ndarray, width: float, height: float, gap: float) -> np.ndarray:
    """Boxes for a label beside its point [8 4]: right, left, above, below, and the corners."""
    x, y = point
    right, left, middle = x + gap, x - gap - width, x - width / 2
    above, below, level = y + gap, y - gap - height, y - height / 2
    places = [
        (right, level), (left, level), (middle, above), (middle, below),
        (right, above), (right, below), (left, above), (left, below),
    ]  # fmt: skip
    return np.array([(a, b, a + width, b + height) for a, b in places])


def _best(
    boxes: np.ndarray, taken: np.ndarray, points: np.ndarray, frame: np.ndarray
) -> int | None:
    """The box inside the frame that overlaps no label and hides the fewest points, if any."""
    inside = (boxes[:, :2] >= frame[:2]).all(axis=1) & (boxes[:, 2:] <= frame[2:]).all(axis=1)
    touching = (boxes[:, None, :2] < taken[None, :, 2:]) & (boxes[:, None, 2:] > taken[None, :, :2])
    overlapping = np.any(np.all(touching, axis=2), axis=1)
    free = np.flatnonzero(inside & ~overlapping)
    if not len(free):
        return None
    low, high = boxes[free, None, :2], boxes[free, None, 2:]
    hidden = ((points > low) & (points < high)).all(axis=2).sum(axis=1)
    return int(free[hidden.argmin()]) if hidden.min() <= _HIDDEN else None
