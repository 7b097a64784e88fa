"""The record of a word map as one HTML page that needs nothing else.

The page carries its record, its style and its script. It fetches nothing and says so to the
browser (Content-Security-Policy), which runs that one script and nothing besides: a map of a
stranger's words is safe to open. Without the script, the table is there.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from seqloom.inspection.palette import PLAIN, RAMP, UNKNOWN, look
from seqloom.inspection.projection import describe

Record = Mapping[str, Any]
"""What :meth:`WordMap.as_dict` gives, or the same read from JSON."""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<h1>{title}</h1>
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
</details>
<script type="application/json" id="record">{record}</script>
<script type="application/json" id="look">{look}</script>
<script>{script}</script>
</body>
</html>
"""


def page_of(record: Record) -> str:
    """The page as HTML."""
    style, script = _file("wordmap.css"), _file("wordmap_canvas.js") + _file("wordmap.js")
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    groups = [look(group) for group in range(len(set(record["sections"])))]
    return _PAGE.format(
        policy=policy,
        title=f"{len(record['words']):,} words in two dimensions",
        style=style,
        description=escape(_description(record)),
        table=_table(record),
        record=_json(record),
        look=_json({"groups": groups, "ramp": RAMP, "unknown": UNKNOWN, "plain": PLAIN}),
        script=script,
    )


def _file(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """How a policy names the one style or script that may be used."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def _json(value: Any) -> str:
    """JSON in ASCII that cannot end the element it stands in."""
    return json.dumps(value).replace("<", "\\u003c")


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
