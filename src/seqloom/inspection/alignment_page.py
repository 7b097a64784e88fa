"""Records of word alignments as a page: figures, and a grid of the words of each pair."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from seqloom.inspection.cell_canvas import BUTTONS, KEYS, SCRIPT, STYLE, board
from seqloom.inspection.page import page

_BODY = """<h1>Word alignment of {number:,} pairs</h1>
<p>Read in: {how}.</p>
{figures}
<div class="tools">
<button type="button" id="before" aria-label="pair before">←</button>
<label for="pair">Pair</label>
<input id="pair" type="number" min="1" max="{number}" value="1">
<button type="button" id="after" aria-label="next pair">→</button>
<output id="told" aria-live="polite"></output>
{buttons}
</div>
<noscript><p>The pairs need JavaScript.</p></noscript>
<p id="source" dir="auto"></p>
<p id="target" dir="auto"></p>
{board}
<p><small id="keys">Point at a word, or go to one with Tab and the arrow keys, to see what it is
linked with. {keys} {legend}</small></p>"""

_LEGEND = (
    "In the grid: ■ found and sure, ▣ found and possible, ✗ found and wrong, □ sure and not found, "
    "· possible and not found."
)


def page_of(record: Mapping[str, Any]) -> str:
    """The page as HTML.

    Args:
        record: what :meth:`AlignmentRecord.as_dict` gives, or the same read from JSON.
    """
    body = _BODY.format(
        number=len(record["links"]),
        how=escape(record["how"]),
        figures=_figures(record["figures"]),
        buttons=BUTTONS,
        board=board("grid of links"),
        keys=KEYS,
        legend=_LEGEND if record["sure"] else "In the grid: ■ linked.",
    )
    return page(
        "Word alignment",
        body,
        {"record": record},
        styles=["page.css", STYLE, "alignment.css"],
        scripts=[SCRIPT, "alignment.js"],
    )


def _figures(figures: Mapping[str, Mapping[str, Any]]) -> str:
    if not figures:
        return ""
    names = ("alignment error rate, %", "95 % interval", "precision, %", "recall, %", "links")
    rows = ["<th></th>" + "".join(f'<th scope="col">{name}</th>' for name in names)]
    for name, each in sorted(figures.items(), key=lambda item: item[1]["aer"]):
        cells = (
            f"{each['aer']:.2f}", f"{each['low']:.2f} to {each['high']:.2f}",
            f"{each['precision']:.2f}", f"{each['recall']:.2f}", f"{each['links']:,}",
        )  # fmt: skip
        values = "".join(f"<td>{cell}</td>" for cell in cells)
        rows.append(f'<th scope="row">{escape(name)}</th>{values}')
    table = "\n".join(f"<tr>{row}</tr>" for row in rows)
    return f"<details open><summary>How good it is</summary><table>{table}</table></details>"
