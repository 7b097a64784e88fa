"""Figures of a benchmark as bars."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

OURS, THEIRS = "#1f6f8b", "#b8b8b8"
UNITS = {
    "target_tokens_per_second": "target tokens a second",
    "sentences_per_second": "sentences a second",
}


def draw(values: Mapping[str, Any], path: Path) -> None:
    """One row of bars a comparison, training first, written as PNG."""
    panels = [
        (f"{kind}: {title}", found)
        for kind, several in (("Training", values["training"]), ("Decoding", values["decoding"]))
        for title, found in several.items()
    ]
    heights = [1 + len(found) for _, found in panels]
    figure, axes = plt.subplots(
        len(panels), 1, figsize=(8, 0.36 * sum(heights)), height_ratios=heights, squeeze=False
    )
    for panel, (title, found) in zip(axes[:, 0], panels, strict=True):
        _bars(panel, title, found)
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    plt.close(figure)


def _bars(panel: Axes, title: str, found: Mapping[str, Mapping[str, Any]]) -> None:
    unit = next(unit for unit in UNITS if unit in next(iter(found.values())))
    names = list(found)[::-1]
    speeds = [found[name][unit] for name in names]
    colours = [OURS if name.startswith("Seqloom") else THEIRS for name in names]
    bars = panel.barh(names, speeds, color=colours)
    panel.bar_label(bars, [f"{speed:,.0f}" for speed in speeds], padding=4)
    panel.set_title(f"{title}, {UNITS[unit]}", loc="left", fontsize=10)
    panel.set_xlim(0, 1.15 * max(speeds))
    panel.xaxis.set_visible(False)
    for spine in panel.spines.values():
        spine.set_visible(False)
    panel.tick_params(length=0)
