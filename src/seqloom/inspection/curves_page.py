"""Figures of layers as a page: curves whose points tell their figures, and a table."""

from __future__ import annotations

from dataclasses import asdict
from html import escape

from seqloom.inspection.layer_curves import Curves, Figures
from seqloom.inspection.page import page
from seqloom.inspection.palette import COLOURS, SHAPES, UNKNOWN

_BODY = """<h1>{title}</h1>
<p>{description}</p>
<div class="tools">
<label>Figure <select id="measure">{measures}</select></label>
<label>Probe <select id="probe">{probes}</select></label>
<label id="across">Along <select id="axis">
<option value="layers">layers</option><option value="updates">updates</option></select></label>
</div>
<noscript><p>The curves need JavaScript; the table below does not.</p></noscript>
<div id="board">
<svg id="chart" viewBox="0 0 900 420" role="application" tabindex="0" aria-label="curves"
 aria-describedby="keys"></svg>
<div id="card" role="region" aria-label="chosen point" aria-live="polite"></div>
</div>
<ul id="legend"></ul>
<p><small id="keys">Point at a mark, or use the arrows: left and right along a line, up and down
from line to line. Bars are the standard deviation over seeds.</small></p>
<details><summary>All figures as a table</summary>
{table}
</details>"""


def page_of(curves: Curves) -> str:
    """The page as HTML."""
    body = _BODY.format(
        title=escape(curves.title),
        description=escape(curves.description),
        measures=_options({name: each.label for name, each in curves.measures.items()}),
        probes=_options({name: name for name in curves.probes}),
        table=_table(curves),
    )
    looks = {"colours": COLOURS, "shapes": SHAPES, "unknown": UNKNOWN}
    return page(
        curves.title,
        body,
        {"curves": {**asdict(curves), "series": curves.series}, "look": looks},
        styles=["page.css", "curves.css"],
        scripts=["curves.js"],
    )


def _options(names: dict[str, str]) -> str:
    return "".join(
        f'<option value="{escape(value)}">{escape(label)}</option>'
        for value, label in names.items()
    )


def _table(curves: Curves) -> str:
    names = ["layer", "line", "probe", *(each.label for each in curves.measures.values())]
    rows = ["".join(f'<th scope="col">{escape(name)}</th>' for name in names)]
    for line in curves.lines:
        for layer, name in enumerate(curves.layers):
            cells = [escape(line.name), escape(line.probe)]
            for measure in curves.measures:
                values = line.values.get(measure)
                cells.append("" if values is None else Figures.of(values[layer]).text(2))
            row = "".join(f"<td>{cell}</td>" for cell in cells)
            rows.append(f'<th scope="row">{escape(name)}</th>{row}')
    return "<table>\n" + "\n".join(f"<tr>{row}</tr>" for row in rows) + "\n</table>"
