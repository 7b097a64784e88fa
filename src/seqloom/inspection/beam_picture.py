"""Trees of searches to pictures: what was kept, with scores, a column a step.

A picture holds at most :data:`STEPS` steps and :data:`ROWS` rows, and says what it leaves out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from seqloom.inspection.beam_tree import WAYS, BeamTree
from seqloom.inspection.beam_words import heading, named
from seqloom.inspection.fonts import families_for, spell_out
from seqloom.inspection.palette import COLOURS, UNKNOWN
from seqloom.inspection.picture import visible

STEPS = 30
ROWS = 25
_LONGEST = 14  # letters of a token
_LETTER, _ROW = 0.085, 0.4  # inches
_FONT_SIZE = 8
_LEFT, _ABOVE, _BELOW = 0.2, 0.75, 0.5  # inches
_LINES: dict[str, Any] = {"beam": "-", "greedy": "--", "sample": ":", "forced": "-."}
_LOOKS = {
    "kept": ("o", COLOURS[0], "kept"),
    "finished": ("s", COLOURS[0], "finished"),
    "cut": ("s", "none", "open when the search ended"),
    "pruned": ("x", UNKNOWN, "pruned"),
    "forbidden": ("x", COLOURS[7], "forbidden"),
    "": ("D", "none", "not looked at by the search"),
}
_KEPT = ("kept", "cut", "finished")


def draw(tree: BeamTree) -> Figure:
    """A figure of the outputs and of all that was kept, as far as there is room."""
    told = [heading(tree)]
    outputs = {number for output in tree.outputs for number in tree.path(output.node)}
    kept = outputs | {number for number, node in enumerate(tree.nodes) if node.fate in _KEPT}
    rows = rows_of(tree, kept)
    if max(rows.values()) >= ROWS:
        rows = rows_of(tree, outputs | {0})
        told.append("only what lies on outputs is drawn")
    if max(tree.depths[number] for number in rows) > STEPS:
        told.append(f"the first {STEPS} of {max(tree.depths)} steps are drawn")
    hidden = 1 + max(rows.values()) - ROWS
    if hidden > 0:
        told.append(f"{hidden} rows more have no room")
    places = {n: row for n, row in rows.items() if row < ROWS and tree.depths[n] <= STEPS}
    names = {number: _short(visible(tree.nodes[number].token)) for number in places if number}
    families, missing = families_for([*names.values(), tree.title])
    names = {number: spell_out(name, missing) for number, name in names.items()}
    width = max(0.75, 0.4 + _LETTER * max(map(len, names.values())))
    figure, axes = _paper(tree, places, width)
    style: dict[str, Any] = {"fontfamily": families, "fontsize": _FONT_SIZE, "parse_math": False}
    _draw_links(axes, tree, places)
    _draw_nodes(axes, tree, places, names, style)
    title = spell_out(_short(" ".join(tree.title.split()), 90), missing)
    axes.set_title(f"{title}\n{'; '.join(told)}", loc="left", **(style | {"fontsize": 9}))
    _draw_legend(figure, tree, places)
    return figure


def rows_of(tree: BeamTree, shown: Iterable[int]) -> dict[int, int]:
    """A row for each node that is shown: the best continuation of a node stands in its row."""
    wanted = set(shown) | {0}
    on_outputs: dict[int, int] = {}
    for place, output in enumerate(tree.outputs):
        for number in tree.path(output.node):
            on_outputs.setdefault(number, place)

    def order(number: int) -> tuple[int, int]:
        return on_outputs.get(number, len(tree.outputs)), tree.nodes[number].rank or len(tree.nodes)

    children = [sorted(wanted.intersection(each), key=order) for each in tree.children]
    rows: dict[int, int] = {}
    taken: list[set[int]] = []
    waiting = [(0, 0)]
    while waiting:
        start, row = waiting.pop()
        chain = [start]
        while children[chain[-1]]:
            chain.append(children[chain[-1]][0])
        columns = {tree.depths[number] for number in chain}
        while row < len(taken) and taken[row] & columns:
            row += 1
        taken.extend(set() for _ in range(row + 1 - len(taken)))
        taken[row] |= columns
        rows |= dict.fromkeys(chain, row)
        # Later branches first, so that they stay close and earlier ones pass below them.
        waiting += [(o, row + 1) for number in chain for o in reversed(children[number][1:])]
    return rows


def _paper(tree: BeamTree, places: dict[int, int], width: float) -> tuple[Figure, Axes]:
    """A figure with axes in units of steps and rows."""
    columns = 1 + max(tree.depths[number] for number in places)
    rows = 1 + max(places.values())
    size = max(columns * width + 2 * _LEFT, 7), rows * _ROW + _ABOVE + _BELOW
    figure = Figure(figsize=size)
    FigureCanvasAgg(figure)
    axes = figure.add_axes(
        (_LEFT / size[0], _BELOW / size[1], 1 - 2 * _LEFT / size[0], rows * _ROW / size[1])
    )
    axes.set_xlim(0, (size[0] - 2 * _LEFT) / width)
    axes.set_ylim(rows - 0.4, -0.6)
    axes.set_axis_off()
    return figure, axes


def _draw_links(axes: Axes, tree: BeamTree, places: dict[int, int]) -> None:
    """A line a way beside each other; a thin one where no output passes."""
    ways = [way for way in WAYS if tree.of_way(way)]
    through: dict[str, set[int]] = {way: set() for way in ways}
    for output in tree.outputs:
        through[output.way].update(tree.path(output.node))
    through[""] = set(places).difference(*through.values())
    for way, numbers in through.items():
        shift = 0.1 * (ways.index(way) - (len(ways) - 1) / 2) if way else 0.0
        lines = [
            _link(tree.depths[n], places[tree.nodes[n].parent], row, shift)
            for n, row in places.items()
            if n and n in numbers
        ]
        axes.add_collection(
            LineCollection(
                lines,
                colors=COLOURS[list(WAYS).index(way)] if way else UNKNOWN,
                linestyles=_LINES.get(way, "-"),
                linewidths=1.6 if way else 0.8,
                zorder=1,
            )
        )


def _link(x: float, above: float, row: float, shift: float) -> list[tuple[float, float]]:
    return [(x - 0.95, above + shift), (x - 0.12, above + shift), (x, row + shift)]


def _draw_nodes(
    axes: Axes,
    tree: BeamTree,
    places: dict[int, int],
    names: dict[int, str],
    style: dict[str, Any],
) -> None:
    for fate, (marker, fill, _) in _LOOKS.items():
        own = [number for number in places if tree.nodes[number].fate == fate]
        x, y = [tree.depths[n] + 0.04 for n in own], [places[n] for n in own]
        edge = COLOURS[0] if fill == "none" else fill
        face = "white" if fill == "none" else fill
        if marker == "x":
            axes.scatter(x, y, s=18, marker=marker, c=fill, zorder=3)
        else:
            axes.scatter(x, y, s=18, marker=marker, facecolors=face, edgecolors=edge, zorder=3)
    ends: dict[int, list[str]] = {}
    for output in tree.outputs:
        ends.setdefault(output.node, []).append(named(tree, output))
    box: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
    small: dict[str, Any] = {"va": "center", "fontsize": _FONT_SIZE - 2, "color": "#666666"}
    for number, name in names.items():
        x_name, row = tree.depths[number] + 0.12, places[number]
        axes.text(x_name, row, name, va="center", bbox=box, zorder=2, **style)
        told = ", ".join([f"{tree.score(number):.2f}", *ends.get(number, [])])
        axes.text(x_name, row + 0.37, told, **small)


def _draw_legend(figure: Figure, tree: BeamTree, places: dict[int, int]) -> None:
    """The signs and lines that occur."""
    fates = {tree.nodes[number].fate for number in places}
    handles = [
        Line2D(
            [], [], color=fill if fill != "none" else COLOURS[0], marker=marker, linestyle="none",
            markersize=5, markerfacecolor="white" if fill == "none" else fill, label=label,
        )
        for fate, (marker, fill, label) in _LOOKS.items()
        if fate in fates
    ]  # fmt: skip
    handles += [
        Line2D([], [], color=COLOURS[place], linestyle=_LINES[way], label=told)
        for place, (way, told) in enumerate(WAYS.items())
        if tree.of_way(way)
    ]
    figure.legend(
        handles=handles,
        loc="lower left",
        ncols=len(handles),
        fontsize=_FONT_SIZE - 1,
        frameon=False,
    )


def _short(text: str, most: int = _LONGEST) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
