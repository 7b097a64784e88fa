"""Probes as a page: curves whose points tell their figures, and a table."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from html import escape
from typing import Any

from seqloom.inspection.page import page
from seqloom.inspection.palette import COLOURS, SHAPES, UNKNOWN

_BODY = """<h1>What the layers know of {property}</h1>
<p>{model}{classes} classes; {examples}. Baselines without vectors: {baselines}.</p>
<div class="tools">
<label>Figure <select id="measure">
<option value="accuracy">accuracy, %</option>
<option value="selectivity">selectivity: accuracy above the control task, points</option>
<option value="compression">compression: equally likely classes / code length</option>
<option value="bits">code length, kilobits</option>
</select></label>
<label>Probe <select id="probe"></select></label>
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


def page_of(record: Mapping[str, Any]) -> str:
    """The page as HTML.

    Args:
        record: what :meth:`ProbeRecord.as_dict` gives, or the same read from JSON.
    """
    body = _BODY.format(
        property=escape(record["property"]),
        model=f"{escape(record['model'])}: " if record["model"] else "",
        classes=f"{len(record['classes']):,}",
        examples=", ".join(f"{n:,} {escape(name)}" for name, n in record["examples"].items()),
        baselines=", ".join(
            f"{escape(name)} {share:.1f} %" for name, share in record["baselines"].items()
        ),
        table=_table(record),
    )
    looks = {"colours": COLOURS, "shapes": SHAPES, "unknown": UNKNOWN}
    return page(
        f"Probes: {record['property']}",
        body,
        {"record": record, "look": looks},
        styles=["page.css", "probe.css"],
        scripts=["probe.js"],
    )


def _table(record: Mapping[str, Any]) -> str:
    names = ("layer", "model", "labels", "probe", "accuracy, %", "kilobits", "compression")
    rows = ["".join(f'<th scope="col">{name}</th>' for name in names)]
    uniform = record["examples"]["train"] * math.log2(len(record["classes"]))
    for run in record["runs"]:
        for layer, name in enumerate(record["layers"]):
            bits = statistics.mean(run["bits"][layer])
            cells = (
                escape(run["states"]), escape(run["labels"]), escape(run["probe"]),
                f"{statistics.mean(run['accuracy'][layer]):.2f}", f"{bits / 1000:.2f}",
                f"{uniform / bits:.3f}",
            )  # fmt: skip
            values = "".join(f"<td>{cell}</td>" for cell in cells)
            rows.append(f'<th scope="row">{escape(name)}</th>{values}')
    return "<table>\n" + "\n".join(f"<tr>{row}</tr>" for row in rows) + "\n</table>"
