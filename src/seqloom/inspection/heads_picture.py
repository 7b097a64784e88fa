"""Heads as pictures: a map of all by role, and the chain of evidence of one."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from seqloom.inspection.attention_map import PARTS
from seqloom.inspection.head_places import parts_of
from seqloom.inspection.head_roles import (
    POSITIONAL,
    RARE,
    ROLES,
    SYNTACTIC,
    Evidence,
    Head,
    Measure,
    counted,
    told,
)
from seqloom.inspection.palette import COLOURS, UNKNOWN

_CELL = 0.95, 0.36  # inches a head
_BAR = 0.26  # inches a line of evidence
_RELATIONS = 12
"""Relations that a picture of one head shows: those that come nearest to being accepted."""


def colour_of(role: str) -> str:
    """The colour of a role."""
    return COLOURS[ROLES.index(role)]


def map_of(heads: Sequence[Head], title: str) -> Figure:
    """A grid for each part, layers from below, a cell a head, coloured and named by its role."""
    parts = parts_of(heads)
    own = [[head for head in heads if head.part == part] for part in parts]
    layers = [1 + max(head.layer for head in each) for each in own]
    widest = 1 + max(head.head for head in heads)
    size = 1.4 + _CELL[0] * max(widest, 4), 0.9 + sum(0.55 + _CELL[1] * each for each in layers)
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    grids = figure.subplots(len(parts), 1, squeeze=False, height_ratios=layers)
    for axes, part, each, depth in zip(grids.flat, parts, own, layers, strict=True):
        _grid(axes, each, depth, widest)
        axes.set_title(f"{part}: {PARTS[part]}", fontsize=9, loc="left")
    figure.suptitle(title, fontsize=10, parse_math=False)
    marks = [Rectangle((0, 0), 1, 1, color=colour_of(role)) for role in ROLES]
    figure.legend(marks, ROLES, loc="outside lower center", ncols=len(ROLES), fontsize=8)
    return figure


def _grid(axes: Axes, heads: Sequence[Head], layers: int, widest: int) -> None:
    axes.set_xlim(-0.5, widest - 0.5)
    axes.set_ylim(-0.5, layers - 0.5)
    axes.set_xticks(range(widest), [f"head {head}" for head in range(widest)], fontsize=7)
    axes.set_yticks(range(layers), [f"layer {layer}" for layer in range(layers)], fontsize=7)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for head in heads:
        roles, place = head.roles, (head.head - 0.46, head.layer - 0.44)
        shade = colour_of(roles[0]) if roles else "none"
        axes.add_patch(Rectangle(place, 0.92, 0.88, facecolor=shade, edgecolor=UNKNOWN))
        names = list(dict.fromkeys(each.short for each in head.accepted))
        label = " ".join(names[:2]) + (" …" if len(names) > 2 else "")
        axes.text(
            head.head, head.layer, label, ha="center", va="center", fontsize=7, color="white",
            parse_math=False,
        )  # fmt: skip


def evidence_of(head: Head) -> Figure:
    """Bars with 95 % intervals for all that could give a head a role; a mark where the bar is."""
    lines = shown(head)
    rows = len(lines) + 3
    figure = Figure(figsize=(9.5, 1.5 + _BAR * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    means = {"confidence": head.confidence, "entropy / log length": head.spread,
             "symbols around the text": head.rest}  # fmt: skip
    for row, measure in enumerate(means.values()):
        _bar(axes, row, measure, UNKNOWN)
    for row, each in enumerate(lines, start=len(means)):
        _bar(axes, row, each, colour_of(each.role))
        axes.plot([each.bar] * 2, [row - 0.45, row + 0.45], color="black", linewidth=1.5)
        for baseline in each.against.values():
            axes.errorbar(
                baseline.value, row + 0.3, xerr=_ends(baseline) if baseline.n else None, marker="D",
                color=UNKNOWN, markeredgecolor="white", markersize=4, ecolor="black", elinewidth=1,
            )  # fmt: skip
    names = [*means, *(f"{'✓ ' if each.accepted else ''}{each.name}" for each in lines)]
    axes.set_yticks(range(rows), names, fontsize=8, parse_math=False)
    axes.set_ylim(rows - 0.4, -0.6)
    axes.set_xlim(0, 1)
    axes.set_xlabel("share of n cases (the first three: means of n tokens) with 95 % interval;\n"
                    "line: what must be reached; ◆: baselines", fontsize=8)  # fmt: skip
    roles = ", ".join(head.roles) or "no role"
    axes.set_title(f"{head.path}, head {head.head}: {roles}{_lost(head)}", fontsize=9,
                   parse_math=False)  # fmt: skip
    return figure


def shown(head: Head) -> list[Evidence]:
    """All offsets and rare tokens, and the relations that come nearest to being accepted."""
    plain = [each for each in head.evidence if each.role in (POSITIONAL, RARE) and each.n]
    relations = [each for each in head.nearest if each.role == SYNTACTIC]
    return plain + relations[:_RELATIONS]


def _bar(axes: Axes, row: int, each: Measure | Evidence, colour: str) -> None:
    axes.barh(row, each.value, xerr=_ends(each), color=colour, ecolor=UNKNOWN, height=0.7)
    axes.annotate(f"{told(each)}  n = {each.n:,}", (1.01, row), va="center",
                  fontsize=7, annotation_clip=False)  # fmt: skip


def _ends(each: Measure | Evidence) -> list[list[float]]:
    """How far the interval reaches to the left and to the right."""
    return [[max(each.value - each.low, 0)], [max(each.high - each.value, 0)]]


def _lost(head: Head) -> str:
    if not head.importance:
        return ""
    losses = (
        f"\nlost without it of {name}: {told(each, 3)}, n = {each.n:,} {counted(name)}"
        for name, each in head.importance.items()
    )
    return "".join(losses)
