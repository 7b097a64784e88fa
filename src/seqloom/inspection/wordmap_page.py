"""The record of a word map as a page: a picture that can be searched, and a table.

Without the script, the table is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from seqloom.inspection.page import page
from seqloom.inspection.palette import PLAIN, RAMP, UNKNOWN, look
from seqloom.inspection.projection import describe

Record = Mapping[str, Any]
"""What :meth:`WordMap.as_dict` gives, or the same read from JSON."""

_BODY = """<h1>{title}</h1>
<p>{description}</p>
<noscript><p>The picture needs JavaScript; the table below does not.</p></noscript>
<div class="tools">
<label for="search">Find</label>
<input id="search" type="search" autocomplete="off" spellcheck="false">
<output id="found" for="search"></output>
<button type="button" id="closer" aria-label="zoom in">+</button>
<button type="button" id="farther" aria-label="zoom out">−</button>
<button type="button" id="whole">whole map</button>
</div>
<div class="board">
<canvas id="map" tabindex="0" role="application" aria-label="{title}" aria-describedby="keys">
A picture of the words in the table below.</canvas>
<div id="card" role="region" aria-label="chosen word" aria-live="polite"></div>
</div>
<ul id="legend"></ul>
<p><small id="room"></small></p>
<p><small id="keys">Drag to move, turn the wheel to zoom, click to choose a word. Keys on the map:
arrows go from word to word, with Shift they move the map; + and − zoom, 0 shows all, / searches,
Escape lets go.</small></p>
<details>
<summary>The words and their neighbours as a table</summary>
{table}
</details>"""


def page_of(record: Record) -> str:
    """The page as HTML."""
    title = f"{len(record['words']):,} words in two dimensions"
    groups = [look(group) for group in range(len(set(record["sections"])))]
    body = _BODY.format(title=title, description=escape(_description(record)), table=_table(record))
    looks = {"groups": groups, "ramp": RAMP, "unknown": UNKNOWN, "plain": PLAIN}
    return page(
        title,
        body,
        {"record": record, "look": looks},
        styles=["page.css", "wordmap.css"],
        scripts=["wordmap_canvas.js", "wordmap.js"],
    )


def _description(record: Record) -> str:
    text = describe(record["method"], record["quality"])
    if record["unknown"]:
        text += f" Not among the vectors: {', '.join(record['unknown'])}."
    return text


def _table(record: Record) -> str:
    """One row a word; columns only for what is known."""
    columns = {
        "section": record["sections"],
        "times seen": record["counts"],
        "place by frequency": record["ranks"],
    }
    known = {name: values for name, values in columns.items() if values}
    names = ["word", *known, "nearest of all words, with the cosine"]
    rows = ["".join(f'<th scope="col">{name}</th>' for name in names)]
    for number, (word, near) in enumerate(zip(record["words"], record["neighbours"], strict=True)):
        nearest = ", ".join(f"<bdi>{escape(other)}</bdi> {cosine:.3f}" for other, cosine in near)
        cells = [_cell(values[number]) for values in known.values()]
        others = "".join(f"<td>{cell}</td>" for cell in [*cells, nearest])
        rows.append(f'<th scope="row"><bdi>{escape(word)}</bdi></th>{others}')
    return "<table>\n" + "\n".join(f"<tr>{row}</tr>" for row in rows) + "\n</table>"


def _cell(value: str | int | None) -> str:
    if isinstance(value, str):
        return f"<bdi>{escape(value)}</bdi>"
    return "" if value is None else f"{value:,}"
