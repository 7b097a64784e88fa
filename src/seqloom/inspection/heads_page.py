"""Records of heads as a page: a map of all by role, and the evidence of the chosen one."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from seqloom.inspection.attention_map import PARTS
from seqloom.inspection.head_roles import ROLES, counted
from seqloom.inspection.page import page
from seqloom.inspection.palette import COLOURS, UNKNOWN

_BODY = """<h1>{title}</h1>
<p>Read: {texts:,} texts. {roles}</p>
{notes}
<noscript><p>The map needs JavaScript.</p></noscript>
<p id="legend">{legend}</p>
<div id="map" tabindex="0" role="application" aria-label="heads by layer"
 aria-describedby="keys"></div>
<div id="card" role="region" aria-label="chosen head" aria-live="polite"></div>
<h2>All heads</h2>
<div class="wide"><table id="all"></table></div>
<p><small id="keys">Each cell is a head: what its largest weight falls on, where a role is accepted.
Point at one, or go from one to the next with the arrow keys, to see its evidence. A bar is a share
of n cases with its 95 % interval (the first three: means of n tokens); the upright line is what the
lower end, corrected for all heads and tests, must reach; ◆ is a baseline. In the table, brackets
are 95 % intervals.</small></p>"""


def page_of(record: Mapping[str, Any]) -> str:
    """The page as HTML.

    Args:
        record: what :meth:`HeadsRecord.as_dict` gives.
    """
    found = [role for head in record["heads"] for role in head["roles"]]
    told = ", ".join(f"{role}: {found.count(role)}" for role in ROLES)
    title = record["title"] or "Heads"
    colours = dict(zip(ROLES, COLOURS, strict=False))
    body = _BODY.format(
        title=escape(title),
        texts=record["texts"],
        roles=f"{len(record['heads'])} heads, of these {told}.",
        notes="".join(
            f"<p>{escape(note)}{'' if note.endswith('?') else '.'}</p>" for note in record["notes"]
        ),
        legend=" ".join(f'<span data-role="{role}">{role}</span>' for role in ROLES),
    )
    data = {
        "heads": record["heads"],
        "parts": {part: told for part, told in PARTS.items()
                  if any(head["part"] == part for head in record["heads"])},
        "counted": {loss: counted(loss) for loss in record["heads"][0]["importance"]},
        "colours": {**colours, "": UNKNOWN},
    }  # fmt: skip
    return page(title, body, {"data": data}, styles=["page.css", "heads.css"], scripts=["heads.js"])
