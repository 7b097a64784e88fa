"""Colours and shapes that keep groups apart, on white and on black, with and without colours.

Every colour has a contrast of 3:1 or more with both backgrounds (WCAG 2.2, criterion 1.4.11).
"""

from __future__ import annotations

COLOURS = (
    "#3a7bd5", "#d9661f", "#2e9155", "#c2489b", "#8468cf", "#967322", "#1b8794", "#d0454c",
)  # fmt: skip
SHAPES = ("circle", "square", "triangle", "diamond")

PLAIN = COLOURS[0]
"""Where nothing is to be told apart."""
UNKNOWN = "#8a8a8a"
"""For what has no rank among others that do; also for frames and numbers."""
RAMP = ("#d0454c", "#3a7bd5")
"""From the first of a rank to the last."""


def look(group: int) -> tuple[str, str]:
    """Colour and shape of a group by its number: neighbours differ in both, 32 groups in one."""
    colour = group % len(COLOURS)
    return COLOURS[colour], SHAPES[(group + group // len(COLOURS)) % len(SHAPES)]
