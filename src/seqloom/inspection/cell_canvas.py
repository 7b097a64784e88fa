"""The grid of cells between two texts that pages share: its markup, its style and its script."""

from __future__ import annotations

from html import escape

STYLE, SCRIPT = "cell_canvas.css", "cell_canvas.js"

BUTTONS = """<button type="button" id="closer" aria-label="larger">+</button>
<button type="button" id="farther" aria-label="smaller">−</button>"""

KEYS = (
    "Point at a cell, click to keep it. Keys on the grid: arrows go from cell to cell, Home and "
    "End to the first and last column, + and − change the size, Escape lets go."
)

_BOARD = """<div class="board">
<div id="frame" tabindex="0" role="application" aria-label="{name}"
 aria-describedby="keys"><div id="room"></div><canvas id="map"></canvas></div>
<div id="card" role="region" aria-label="chosen cell" aria-live="polite"></div>
</div>"""


def board(name: str) -> str:
    """The grid and a card about the chosen cell; the page explains it under the id ``keys``."""
    return _BOARD.format(name=escape(name))
